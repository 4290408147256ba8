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
	out []byte
	// units is the length of out, and shift how much further the text is.
	units, shift int
	shifts       []shift
}

// shift says that what was written from unit at on stands by units further on in the text.
type shift struct{ at, by int }

// keep takes over a part of the text.
func (w *rewriting) keep(part []byte) {
	w.out = append(w.out, part...)
	w.units += lengthIn16(part)
}

// replace writes with instead of a part of the text. What is longer than the part stands at its last character.
func (w *rewriting) replace(part, with []byte) {
	was, is := lengthIn16(part), lengthIn16(with)
	for i := was; i < is; i++ {
		w.shift--
		w.shifted(w.units + i)
	}
	if is < was {
		w.shift += was - is
		w.shifted(w.units + is)
	}
	w.out = append(w.out, with...)
	w.units += is
}

func (w *rewriting) shifted(at int) {
	if n := len(w.shifts); n > 0 && w.shifts[n-1].at == at {
		w.shifts[n-1].by = w.shift
		return
	}
	w.shifts = append(w.shifts, shift{at, w.shift})
}

// origins gives for every byte of what was written, and for its end, where it stands in text.
func (w *rewriting) origins(text []byte) []uint32 {
	list := make([]uint32, 0, len(w.out)+1)
	shifts, by := w.shifts, 0
	at, unit := 0, 0 // in text
	find := func(written int) uint32 {
		for len(shifts) > 0 && shifts[0].at <= written {
			shifts, by = shifts[1:], shifts[0].by
		}
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
		list = append(list, slices.Repeat([]uint32{find(written)}, size)...)
		i, written = i+size, written+units(c)
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
func rewrite(filters []charFilter, text []byte) rewritten {
	var r rewritten
	for _, f := range filters {
		var w rewriting
		f(text, &w)
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
