package highlight

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// passage is a part of a text with what was found in it.
type passage struct {
	span
	matches []match
	score   float32
}

// unified gives the best passages, which begin and end between sentences or words.
func (f *field) unified(w *writer, matches []match) []string {
	passages := w.text.passages(f, matches)
	if f.Fragments > 0 {
		usual := f.words.usual(matches)
		for i := range passages {
			passages[i].score = passages[i].rank(len(w.text.chars), usual)
		}
		slices.SortFunc(passages, func(a, b passage) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.from, a.from)) })
		passages = passages[:min(f.Fragments, len(passages))]
	}
	if !f.ByScore || f.Fragments == 0 {
		slices.SortFunc(passages, func(a, b passage) int { return cmp.Compare(a.from, b.from) })
	}
	shown := make([]string, len(passages))
	for i, p := range passages {
		shown[i] = strings.TrimFunc(w.write(p.span, p.matches), func(r rune) bool { return r <= ' ' })
	}
	return shown
}

// passages puts what was found into passages: a match that begins behind the last passage begins another one.
func (t *text) passages(f *field, matches []match) []passage {
	var list []passage
	b := newBreaker(t, f)
	for _, m := range matches {
		if m.from >= len(t.chars) { // an empty value at the end
			break
		}
		if n := len(list); n == 0 || m.from >= list[n-1].to {
			list = append(list, passage{span: b.around(m.from, m.to)})
		}
		p := &list[len(list)-1]
		p.matches = append(p.matches, m)
	}
	return list
}

// usual counts how often each clause found something. Where phrases are regarded, Lucene takes all to be found once.
func (w *words) usual(matches []match) map[int]int {
	counts := map[int]int{}
	for _, m := range matches {
		if counts[m.clause]++; !w.apart {
			counts[m.clause] = 1
		}
	}
	return counts
}

// rank scores a passage as Lucene's PassageScorer does: by BM25, with passages for documents, and those at the beginning first.
func (p *passage) rank(length int, usual map[int]int) float32 {
	const (
		k1    = 1.2
		b     = 0.75
		pivot = 87
	)
	freqs := map[int]int{}
	for _, m := range p.matches {
		freqs[m.clause]++
	}
	documents := 1 + float64(length)/pivot
	norm := k1 * ((1 - b) + b*(float64(p.to-p.from)/pivot))
	score := 0.0
	for clause, freq := range freqs {
		weight := (k1 + 1) * math.Log(1+(documents+0.5)/(float64(usual[clause])+0.5))
		score += float64(freq) / (float64(freq) + norm) * weight
	}
	return float32(score * (1 + 1/math.Log(float64(pivot+p.from))))
}

// beginning gives the begin of the first value that is not empty, when nothing was found.
func (f *field) beginning(w *writer) []string {
	if f.Plain {
		return f.plainBeginning(w)
	}
	for _, value := range w.text.values {
		if value.from == value.to {
			continue
		}
		if end := f.NoMatchSize; end < value.to {
			value.to = min(value.to, w.text.borders(w.text.wordEnd).after(max(end, value.from)))
		}
		return []string{strings.TrimFunc(w.write(value, nil), func(r rune) bool { return r <= ' ' })}
	}
	return nil
}
