package analysis

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// charFilter writes a text anew before it is split.
type charFilter func(text []byte, to *rewriting)

// rewriting is a text while a charFilter writes it anew, and where its characters came from. That is counted in UTF-16 units, as
// Elasticsearch does: a replacement as long as what it replaces stands for it unit by unit.
type rewriting struct {
	budget *Budget
	out    []byte
	// units is the length of out, and shift how much further the text is.
	units, shift int
	shifts       []shift
}

// shift says that what was written from unit at on stands by units further on in the text: one less for each of the first same units,
// which stand all at one place.
type shift struct{ at, by, same int }

// writtenWork is what a byte costs that is read, written, and looked for where it came from.
const writtenWork = 2

// keep takes over a part of the text.
func (w *rewriting) keep(part []byte) {
	if !w.budget.Take(writtenWork * len(part)) {
		return
	}
	w.out = append(w.out, part...)
	w.units += lengthIn16(part)
}

// replace writes with instead of a part of the text. What is longer than the part stands at its last character.
func (w *rewriting) replace(part, with []byte) {
	if !w.budget.Take(wordWork + writtenWork*(len(part)+len(with))) {
		return
	}
	was, is := lengthIn16(part), lengthIn16(with)
	if is > was {
		w.shifted(shift{at: w.units + was, by: w.shift, same: is - was})
		w.shift -= is - was
	}
	if is < was {
		w.shift += was - is
		w.shifted(shift{at: w.units + is, by: w.shift})
	}
	w.out = append(w.out, with...)
	w.units += is
}

func (w *rewriting) shifted(s shift) {
	if n := len(w.shifts); n > 0 && w.shifts[n-1].at == s.at {
		w.shifts[n-1] = s
		return
	}
	w.shifts = append(w.shifts, s)
}

// of gives how much further on unit written stands, which is not before the shift.
func (s shift) of(written int) int { return s.by - min(s.same, written-s.at+1) }

// origins gives for every byte of what was written, and for its end, where it stands in text.
func (w *rewriting) origins(text []byte) []uint32 {
	list := make([]uint32, 0, len(w.out)+1)
	shifts, last := w.shifts, shift{}
	at, unit := 0, 0 // in text
	find := func(written int) uint32 {
		for len(shifts) > 0 && shifts[0].at <= written {
			shifts, last = shifts[1:], shifts[0]
		}
		by := last.of(written)
		for at < len(text) {
			c, size := utf8.DecodeRune(text[at:])
			if unit+units(c) > written+by {
				break
			}
			at, unit = at+size, unit+units(c)
		}
		return uint32(at) //nolint:gosec // no text is that long
	}
	written := 0
	for i := 0; i < len(w.out); {
		c, size := utf8.DecodeRune(w.out[i:])
		for origin := find(written); size > 0; i, size = i+1, size-1 {
			list = append(list, origin)
		}
		written += units(c)
	}
	return append(list, find(written))
}

func lengthIn16(text []byte) int {
	n := 0
	for _, c := range string(text) {
		n += units(c)
	}
	return n
}

// rewritten is a text after its character filters.
type rewritten struct {
	text    []byte
	origins []uint32
}

// rewrite applies character filters one after the other.
func rewrite(b *Budget, filters []charFilter, text []byte) rewritten {
	var r rewritten
	for _, f := range filters {
		w := rewriting{budget: b}
		if f(text, &w); b.Err() != nil {
			return rewritten{}
		}
		origins := w.origins(text)
		for i, at := range origins {
			if r.origins != nil {
				origins[i] = r.origins[at]
			}
		}
		r.text, r.origins, text = w.out, origins, w.out
	}
	return r
}

// charFilterNames are the types of character filters; a normalizer may have those of normalizingChars.
var (
	charFilterNames  = []string{"html_strip", "mapping", "pattern_replace"}
	normalizingChars = []string{"mapping", "pattern_replace"}
)

// charFilters finds character filters of the collection or built-in ones. normal are those that a normalizer may have.
func (s *sections) charFilters(names []string) (list, normal []charFilter, err error) {
	for _, name := range names {
		f, kind, err := s.charFilter(name)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, f)
		if slices.Contains(normalizingChars, kind) {
			normal = append(normal, f)
		}
	}
	return list, normal, nil
}

// charFilter gives a character filter and its type.
func (s *sections) charFilter(name string) (charFilter, string, error) {
	d, defined := s.CharFilter[name]
	r := d.at("analysis.char_filter." + name)
	kind := name
	if defined {
		kind = r.text("type", "")
	}
	var f charFilter
	switch kind {
	case "html_strip":
		f = r.htmlStrip()
	case "mapping":
		f = r.charMapping()
	case "pattern_replace":
		f = charPattern(r.replacement())
	default:
		return nil, kind, fmt.Errorf("%s: there is no character filter %q, or it is not supported yet; there are %s", r.path, kind,
			strings.Join(charFilterNames, ", "))
	}
	return f, kind, r.end()
}
