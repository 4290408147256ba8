package analysis

import "unicode/utf8"

// pairs appends the words of text to dst, but of Chinese, Japanese and Korean every two neighbouring characters. A
// character that has no neighbour is a word.
func (a *Analyzer) pairs(b *Budget, text []byte, dst []Token) ([]Token, uint32) {
	p := pairs{words: dst, mem: arena{budget: b, size: 2 * len(text)}, stop: a.stop}
	last := 0
	for {
		start, end, k := a.split(text, last)
		if start != last || !k.paired() {
			p.flush()
		}
		if start == len(text) {
			return p.words, p.position
		}
		term := a.filter(&p.mem, text[start:end])
		if k.paired() {
			p.append(term, start, end)
		} else {
			p.add(term, start, end)
		}
		last = end
	}
}

func (k kind) paired() bool { return k == han || k == hiragana || k == katakana || k == hangul }

// pairs collects words.
type pairs struct {
	words []Token
	run   []byte // characters without anything between them
	// spans says where each of them stands in the text.
	spans    [][2]int
	position uint32
	mem      arena
	stop     map[string]bool
}

// flush adds what was collected of run.
func (p *pairs) flush() {
	rest, spans := p.run, p.spans
	_, first := utf8.DecodeRune(rest)
	for len(rest) > 0 {
		_, second := utf8.DecodeRune(rest[first:])
		if second > 0 || len(rest) == len(p.run) {
			last := spans[min(1, len(spans)-1)]
			p.add(p.mem.keep(append(p.mem.take(first+second), rest[:first+second]...)), spans[0][0], last[1])
		}
		rest, spans, first = rest[first:], spans[1:], second
	}
	p.run, p.spans = p.run[:0], p.spans[:0]
}

// append adds the characters of a word to the run. The filters may have made one of two; then each stands where the word does.
func (p *pairs) append(term []byte, start, end int) {
	same := len(term) == end-start
	for i, r := range string(term) {
		if same {
			p.spans = append(p.spans, [2]int{start + i, start + i + utf8.RuneLen(r)})
		} else {
			p.spans = append(p.spans, [2]int{start, end})
		}
	}
	p.run = append(p.run, term...)
}

func (p *pairs) add(term []byte, start, end int) {
	if !p.stop[string(term)] {
		p.words = append(p.words, Token{Term: term, Position: p.position, Start: uint32(start), End: uint32(end)}) //nolint:gosec // no text is that long
	}
	p.position++
}
