package query

import (
	"strings"
	"unicode/utf8"
)

// lexemeKind is what a part of a text is in the language of a query_string.
type lexemeKind uint8

const (
	lexEnd         lexemeKind = iota
	lexAnd                    // AND, &&
	lexOr                     // OR, ||
	lexNot                    // NOT, !
	lexPlus                   // +
	lexMinus                  // -
	lexSign                   // one of + - ! with a space behind it, which is a word
	lexOpen                   // (
	lexClose                  // )
	lexColon                  // :
	lexStar                   // * alone
	lexCaret                  // ^
	lexNumber                 // behind ^
	lexQuoted                 // "…"
	lexWord                   // a word
	lexFuzzy                  // ~, with what follows it
	lexPrefix                 // a word with * at its end
	lexPattern                // a word with * or ? elsewhere
	lexRegexp                 // /…/
	lexFrom                   // [ or {
	lexTo                     // TO in a range
	lexUntil                  // ] or }
	lexBound                  // a bound of a range
	lexQuotedBound            // "…" in a range
)

// lexeme is a part of the text with its place in bytes.
type lexeme struct {
	kind  lexemeKind
	image string
	at    int
}

// lexer takes a text apart. As in the original the longest lexeme counts.
type lexer struct {
	text string
	at   int
	list []lexeme
}

// lexemes takes a text apart. at is where it cannot go on, -1 when it reached the end.
func lexemes(text string) (list []lexeme, at int) {
	l := &lexer{text: text}
	for l.skip(); l.at < len(text); l.skip() {
		if !l.next() {
			return nil, l.at
		}
	}
	l.add(lexEnd, 0)
	return l.list, -1
}

func (l *lexer) rest() string { return l.text[l.at:] }

func (l *lexer) add(kind lexemeKind, n int) {
	l.list = append(l.list, lexeme{kind, l.text[l.at : l.at+n], l.at})
	l.at += n
}

// skip passes over blanks.
func (l *lexer) skip() { l.at += blanks(l.rest()) }

func blanks(text string) int {
	return len(text) - len(strings.TrimLeft(text, " \t\n\r\u3000"))
}

// singles are the lexemes of one character.
var singles = map[byte]lexemeKind{'+': lexPlus, '-': lexMinus, '!': lexNot, '(': lexOpen, ')': lexClose, ':': lexColon}

// next adds the next lexeme. It is false when there is none at this place.
func (l *lexer) next() bool {
	if plain, whole := wordLength(l.rest()); whole > 0 {
		l.add(wordKind(l.rest()[:whole], plain), whole)
		return true
	}
	switch c := l.text[l.at]; c {
	case '+', '-', '!':
		if size := blanks(l.rest()[1:]); size > 0 {
			l.add(lexSign, 1)
			return true
		}
		l.add(singles[c], 1)
	case '(', ')', ':':
		l.add(singles[c], 1)
	case '^':
		return l.boost()
	case '~':
		n := 1
		for size := wordChar(l.rest()[n:], false); size > 0; size = wordChar(l.rest()[n:], false) {
			n += size
		}
		l.add(lexFuzzy, n)
	case '"':
		return l.delimited(lexQuoted, quotedLength(l.rest()))
	case '/':
		return l.delimited(lexRegexp, closedLength(l.rest()))
	case '[', '{':
		return l.span()
	default:
		return false
	}
	return true
}

func (l *lexer) delimited(kind lexemeKind, n int) bool {
	if n > 0 {
		l.add(kind, n)
	}
	return n > 0
}

// boost adds ^ and the number behind it.
func (l *lexer) boost() bool {
	l.add(lexCaret, 1)
	n := digits(l.rest())
	if n == 0 {
		return false
	}
	if rest := l.rest()[n:]; strings.HasPrefix(rest, ".") && digits(rest[1:]) > 0 {
		n += 1 + digits(rest[1:])
	}
	l.add(lexNumber, n)
	return true
}

func digits(text string) int { return len(text) - len(strings.TrimLeft(text, "0123456789")) }

// span adds a whole range.
func (l *lexer) span() bool {
	l.add(lexFrom, 1)
	for l.skip(); l.at < len(l.text); l.skip() {
		if c := l.text[l.at]; c == ']' || c == '}' {
			l.add(lexUntil, 1)
			return true
		}
		n := strings.IndexAny(l.rest(), " ]}")
		if n < 0 {
			n = len(l.rest())
		}
		kind := lexBound
		if l.rest()[:n] == "TO" {
			kind = lexTo
		}
		if l.text[l.at] == '"' {
			if quoted := closedLength(l.rest()); quoted >= n && quoted > len(`""`) {
				kind, n = lexQuotedBound, quoted
			}
		}
		l.add(kind, n)
	}
	return false
}

// quotedLength is how long the phrase at the beginning of a text is, 0 when it does not end.
func quotedLength(text string) int {
	for n := 1; n < len(text); n++ {
		switch text[n] {
		case '\\':
			n++
		case '"':
			return n + 1
		}
	}
	return 0
}

// closedLength is how long a text is that ends with the character with which it begins, 0 when it does not end. One with \ before
// it is the end only when there is no other.
func closedLength(text string) int {
	end := 0
	for n := 1; n < len(text); n++ {
		if text[n] == text[0] {
			if end = n + 1; text[n-1] != '\\' {
				break
			}
		}
	}
	return end
}

// wordLength is how long the word at the beginning of a text is, with wildcards and before the first of them.
func wordLength(text string) (plain, whole int) {
	plain = -1
	for whole < len(text) {
		if c := text[whole]; c == '*' || c == '?' {
			if plain < 0 {
				plain = whole
			}
			whole++
			continue
		}
		size := wordChar(text[whole:], whole == 0)
		if size == 0 {
			break
		}
		whole += size
	}
	if plain < 0 {
		plain = whole
	}
	return plain, whole
}

// wordChar is how many bytes the character at the beginning of a text has that belongs to a word, 0 when it does not.
func wordChar(text string, first bool) int {
	if text == "" {
		return 0
	}
	_, size := utf8.DecodeRuneInString(text)
	switch c := text[0]; {
	case c == '\\':
		_, escaped := utf8.DecodeRuneInString(text[1:])
		if escaped == 0 {
			return 0
		}
		return 1 + escaped
	case c == '+' || c == '-':
		if first {
			return 0
		}
	case strings.IndexByte(`!():^[]"{}~*?/`, c) >= 0 || blanks(text) > 0:
		return 0
	}
	return size
}

// wordKind is what a word is whose first wildcard stands at plain.
func wordKind(image string, plain int) lexemeKind {
	switch image {
	case "AND", "&&":
		return lexAnd
	case "OR", "||":
		return lexOr
	case "NOT":
		return lexNot
	case "*":
		return lexStar
	}
	switch {
	case plain == len(image):
		return lexWord
	case plain == len(image)-1 && image[plain] == '*':
		return lexPrefix
	}
	return lexPattern
}
