package analysis

import (
	"sort"
	"unicode/utf8"
)

// class is what a character means for the bounds of words: its Word_Break property by Unicode 12.1, which is what
// Elasticsearch 8 goes by, with the characters that are told apart beyond it.
type class uint8

const (
	classOther class = iota
	classLetter
	classHangul // a letter
	classHebrew // a letter
	classNumber
	classKatakana
	classConnector // ExtendNumLet
	classMidLetter
	classMidNumber
	classMidBoth // MidNumLet
	classSingleQuote
	classDoubleQuote
	classMark        // Extend and Format
	classComplexMark // a mark of a script that writes no spaces between words
	classJoiner      // ZWJ, a mark
	classModifier    // of the skin of an emoji, a mark
	classHan
	classHiragana
	classComplex // a letter of a script that writes no spaces between words
	classRegional
	classEmoji       // Extended_Pictographic
	classEmojiLetter // a letter
	classKey         // # and *, which are emoji with a key around them
)

func (c class) mark() bool   { return c >= classMark && c <= classModifier }
func (c class) letter() bool { return c >= classLetter && c <= classHebrew || c == classEmojiLetter }
func (c class) inWord() bool { return c.letter() || c >= classNumber && c <= classConnector }

// classAt gives the class and the length of the character at the beginning of text.
func classAt(text []byte) (class, int) {
	if text[0] < utf8.RuneSelf {
		return plane[text[0]], 1
	}
	r, size := utf8.DecodeRune(text)
	if int(r) < len(plane) {
		return plane[r], size
	}
	i := sort.Search(len(ranges), func(i int) bool { return ranges[i].last >= r })
	if i < len(ranges) && ranges[i].first <= r {
		return ranges[i].class, size
	}
	return classOther, size
}

// plane has the classes of the characters of the first plane, nearly all there are.
var plane = func() *[0x10000]class {
	var p [0x10000]class
	for _, r := range ranges {
		for c := r.first; c <= r.last && int(c) < len(p); c++ {
			p[c] = r.class
		}
	}
	return &p
}()
