package analysis

// maxWord is the most UTF-16 units of a word, Elasticsearch's max_token_length. A longer one is cut into several.
const maxWord = 255

// splitWords finds words by the rules of Unicode for text segmentation (UAX #29), as the standard tokenizer does: a Han or
// Hiragana character is a word, and so is an emoji, and a run of a script that writes no spaces.
func splitWords(text []byte, from int) (int, int, kind) {
	for from < len(text) {
		c, size := classAt(text[from:])
		if c != classOther {
			n, k := wordAt(text[from:], c)
			if n > 0 {
				return from, from + n, k
			}
			if c == classConnector {
				size = connectors(text[from:])
			}
		}
		from += size
	}
	return from, from, word
}

// wordAt gives the length of the word at the beginning of text, 0 when there is none. c is the class of its first character.
func wordAt(text []byte, c class) (int, kind) {
	text = window(text)
	switch c {
	case classLetter, classHangul, classHebrew, classKatakana, classConnector:
		return lettersAt(text)
	case classNumber, classEmojiLetter: // 1 begins a number and a keycap
		n, k := lettersAt(text)
		if e := emojiAt(text); e >= n {
			return e, emoji
		}
		return n, k
	case classJoiner:
		return joinedEmojiAt(text), emoji
	case classHan:
		return oneAt(text), han
	case classHiragana:
		return oneAt(text), hiragana
	case classComplex, classComplexMark:
		return complexAt(text), complexScript
	default:
		return emojiAt(text), emoji
	}
}

// connectors gives how much of the connectors at the beginning of text cannot begin a word. They are looked through once, or
// else a text of nothing but connectors would be looked through once for each.
func connectors(text []byte) int {
	count, end := 0, 0
	next := classConnector
	for size := 0; next == classConnector; count, end = count+1, end+size {
		if _, size = classAt(text[end:]); end+size == len(text) {
			return len(text)
		}
		next, _ = classAt(text[end+size:])
	}
	if rest := afterMarks(text, end); rest == len(text) {
		return end
	} else if next, _ = classAt(text[rest:]); !next.inWord() {
		return end
	}
	skip := 0
	for range max(1, count-maxWord) {
		_, size := classAt(text[skip:])
		skip += size
	}
	return skip
}

// window cuts text to the longest word that it may begin with.
func window(text []byte) []byte {
	if len(text) <= maxWord {
		return text
	}
	units := 0
	for i := 0; i < len(text); {
		size, n := 1, 1
		switch b := text[i]; {
		case b >= 0xF0:
			size, n = 4, 2
		case b >= 0xE0:
			size = 3
		case b >= 0xC0:
			size = 2
		}
		if units += n; units > maxWord {
			return text[:i]
		}
		i += size
	}
	return text
}

// afterMarks gives the place of the first character from i on that is no mark.
func afterMarks(text []byte, i int) int {
	for i < len(text) {
		c, size := classAt(text[i:])
		if !c.mark() {
			break
		}
		i += size
	}
	return i
}

func oneAt(text []byte) int {
	_, size := classAt(text)
	return afterMarks(text, size)
}

func complexAt(text []byte) int {
	i := 0
	for i < len(text) {
		c, size := classAt(text[i:])
		if c != classComplex && c != classComplexMark {
			break
		}
		i = afterMarks(text, i+size)
	}
	return i
}

// lettersAt gives the length of the word of letters, numbers, Katakana and connectors at the beginning of text. Connectors
// alone are none.
func lettersAt(text []byte) (int, kind) {
	last, seen, end := classOther, classes(0), 0
	quotes := open
	for end < len(text) {
		c, size := classAt(text[end:])
		next := afterMarks(text, end+size)
		if c.inWord() {
			if last != classOther && !adjoin(last, c) {
				break
			}
		} else if !quotes.join(last, c, text[next:]) {
			break
		}
		quotes = quotes.after(last, c)
		last, end = c, next
		seen |= 1 << c
	}
	return seen.word(end)
}

// classes is a set of classes.
type classes uint32

// word gives the kind of a word of n bytes with these classes, and 0 bytes when it is none.
func (s classes) word(n int) (int, kind) {
	switch {
	case s == 1<<classConnector:
		return 0, word
	case s == 1<<classHangul:
		return n, hangul
	case s == 1<<classKatakana:
		return n, katakana
	case s&(1<<classLetter|1<<classHangul|1<<classHebrew|1<<classEmojiLetter|1<<classKatakana) == 0:
		return n, number
	}
	return n, word
}

// adjoin reports whether two characters of words stand in one word when nothing is between them.
func adjoin(a, b class) bool {
	return a == classConnector || b == classConnector || (a == classKatakana) == (b == classKatakana)
}

// quotes says what a letter before may be joined by. It is about Hebrew, where quotes belong to words.
type quotes uint8

const (
	open    quotes = iota // by everything
	chained               // not by quotes that are Hebrew's, since it hangs on a letter before
	closed                // by nothing but what follows it at once, since it stands behind a Hebrew double quote
)

// join reports whether the character of class c between last and rest belongs to the word.
func (q quotes) join(last, c class, rest []byte) bool {
	next := classOther
	if len(rest) > 0 {
		next, _ = classAt(rest)
	}
	letters, numbers := q != closed && last.letter() && next.letter(), last == classNumber && next == classNumber
	switch c {
	case classSingleQuote:
		return q == open && last == classHebrew || letters || numbers
	case classDoubleQuote:
		return q == open && last == classHebrew && next == classHebrew
	case classMidLetter:
		return letters
	case classMidNumber:
		return numbers
	case classMidBoth:
		return letters || numbers
	default:
		return false
	}
}

// after gives what holds when c follows on last.
func (q quotes) after(last, c class) quotes {
	switch {
	case c == classDoubleQuote:
		return closed
	case c == classMidLetter, c == classMidBoth, c == classSingleQuote && last != classHebrew:
		return chained
	case c.inWord() && last.inWord():
		return open
	default:
		return q
	}
}
