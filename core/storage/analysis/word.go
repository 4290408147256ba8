package analysis

// maxWord is the most UTF-16 units of a word, Elasticsearch's max_token_length. A longer one is cut into several.
const maxWord = 255

// splitWords finds words by the rules of Unicode for text segmentation (UAX #29), as the standard tokenizer does: a Han or
// Hiragana character is a word, and so is an emoji, and a run of a script that writes no spaces.
func splitWords(text []byte, from int) (int, int, kind) {
	for from < len(text) {
		c, size := classAt(text[from:])
		if c != classOther {
			if n, k := wordAt(text[from:], c); n > 0 {
				return from, from + n, k
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
	case classNumber, classEmojiLetter:
		n, k := lettersAt(text)
		if e := emojiAt(text); e >= n {
			return e, emoji
		}
		return n, k
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
	var last class // the class before i, marks left out
	var seen [classEmojiHan + 1]bool
	i := 0
	for i < len(text) {
		c, size := classAt(text[i:])
		next := afterMarks(text, i+size)
		if !inWord(c) {
			if !joins(text[next:], last, c) {
				break
			}
		} else if last != classOther && !adjoin(last, c) {
			break
		}
		seen[c] = true
		last = c
		i = next
	}
	return i, kindOf(&seen, i)
}

func inWord(c class) bool {
	return c.letter() || c == classNumber || c == classKatakana || c == classConnector
}

// adjoin reports whether two characters of words stand in one word when nothing is between them.
func adjoin(a, b class) bool {
	return a == classConnector || b == classConnector || (a == classKatakana) == (b == classKatakana)
}

// joins reports whether the character of class c between last and rest belongs to the word.
func joins(rest []byte, last, c class) bool {
	var next class
	if len(rest) > 0 {
		next, _ = classAt(rest)
	}
	switch c {
	case classSingleQuote:
		return last == classHebrew || last.letter() && next.letter() || last == classNumber && next == classNumber
	case classDoubleQuote:
		return last == classHebrew && next == classHebrew
	case classMidLetter:
		return last.letter() && next.letter()
	case classMidNumber:
		return last == classNumber && next == classNumber
	case classMidBoth:
		return last.letter() && next.letter() || last == classNumber && next == classNumber
	}
	return false
}

func kindOf(seen *[classEmojiHan + 1]bool, n int) kind {
	return word
}

func emojiAt(text []byte) int {
	return 0
}
