package analysis

import "unicode/utf8"

// pairs appends the words of text to dst, but of Chinese, Japanese and Korean every two neighbouring characters. A
// character that has no neighbour is a word.
func (a *Analyzer) pairs(text []byte, dst []Token) []Token {
	p := pairs{words: dst, mem: arena{size: 2 * len(text)}, stop: a.stop}
	last := 0
	for {
		start, end, k := a.split(text, last)
		if start != last || !k.paired() {
			p.flush()
		}
		if start == len(text) {
			return p.words
		}
		term := a.filter(&p.mem, text[start:end])
		if k.paired() {
			p.run = append(p.run, term...)
		} else {
			p.add(term)
		}
		last = end
	}
}

func (k kind) paired() bool { return k == han || k == hiragana || k == katakana || k == hangul }

// pairs collects words.
type pairs struct {
	words    []Token
	run      []byte // characters without anything between them
	position uint32
	mem      arena
	stop     map[string]bool
}

// flush adds what was collected of run.
func (p *pairs) flush() {
	rest := p.run
	_, first := utf8.DecodeRune(rest)
	for len(rest) > 0 {
		_, second := utf8.DecodeRune(rest[first:])
		if second > 0 || len(rest) == len(p.run) {
			p.add(p.mem.keep(append(p.mem.take(first+second), rest[:first+second]...)))
		}
		rest, first = rest[first:], second
	}
	p.run = p.run[:0]
}

func (p *pairs) add(term []byte) {
	if !p.stop[string(term)] {
		p.words = append(p.words, Token{Term: term, Position: p.position})
	}
	p.position++
}
