package analysis

import "bytes"

// Characters that say whether the one before them is shown as a text or as an emoji, and that draws a key around it.
const (
	textSelector  = "\uFE0E"
	emojiSelector = "\uFE0F"
	keycap        = "\u20E3"
)

// emojiAt gives the length of the emoji at the beginning of text, with everything that is joined to it, 0 when there is none.
// It goes by what Elasticsearch takes as one, which is looser than UTS #51 in marks.
func emojiAt(text []byte) int {
	switch c, size := classAt(text); {
	case c == classRegional:
		return flagAt(text, size)
	case c == classEmoji || c == classEmojiLetter || c == classModifier:
		return joinedAt(text)
	case c == classKey || c == classNumber && size == 1:
		return keyAt(text, size)
	}
	return 0
}

// keyAt reads a character of the given size with a key around it.
func keyAt(text []byte, size int) int {
	end := afterPlainMarks(text, size)
	if bytes.HasPrefix(text[end:], []byte(emojiSelector+keycap)) {
		return afterPlainMarks(text, end+len(emojiSelector))
	}
	if bytes.Contains(text[size:end], []byte(keycap)) {
		return end
	}
	return 0
}

// flagAt reads a pair of regional indicators, the first of which has the given size.
func flagAt(text []byte, size int) int {
	second := afterMarks(text, size)
	if second == len(text) {
		return 0
	}
	c, size := classAt(text[second:])
	if c != classRegional {
		return 0
	}
	return afterMarks(text, second+size)
}

// joinedAt reads emoji with ZWJ between them.
func joinedAt(text []byte) int {
	end := 0
	for {
		c, size := classAt(text[end:])
		end = afterPlainMarks(text, end+size)
		plain := end
		if c != classModifier && bytes.HasPrefix(text[end:], []byte(emojiSelector)) {
			plain += len(emojiSelector)
			end = plain + len(joiner)
		}
		if !bytes.HasSuffix(text[:min(end, len(text))], []byte(joiner)) || !emojiBegins(text[end:]) {
			return plain
		}
	}
}

// joinedEmojiAt reads an emoji behind a ZWJ that has nothing to join it to.
func joinedEmojiAt(text []byte) int {
	joiners := len(text) - len(bytes.TrimLeft(text, joiner))
	if !emojiBegins(text[joiners:]) {
		return 0
	}
	if c, _ := classAt(text[joiners:]); c == classModifier {
		return 0
	}
	return joiners + joinedAt(text[joiners:])
}

func emojiBegins(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	c, _ := classAt(text)
	return c == classEmoji || c == classEmojiLetter || c == classModifier
}

// joiner is ZWJ.
const joiner = "\u200D"

// afterPlainMarks is afterMarks, but the selectors are not passed.
func afterPlainMarks(text []byte, i int) int {
	for i < len(text) {
		c, size := classAt(text[i:])
		if !c.mark() || bytes.HasPrefix(text[i:], []byte(textSelector)) || bytes.HasPrefix(text[i:], []byte(emojiSelector)) {
			break
		}
		i += size
	}
	return i
}
