package geometry

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// words is a text in WKT while it is read: words, numbers, parentheses and commas.
type words struct{ rest string }

// wkt reads a text in WKT.
func (b *builder) wkt(text string) error {
	w := &words{rest: text}
	if err := b.named(w, 0); err != nil {
		return err
	}
	if w.skip(); w.rest != "" {
		return fmt.Errorf("expected end of WKT string but found [%s]", shorten(w.rest))
	}
	return nil
}

// named reads a type and what belongs to it.
func (b *builder) named(w *words, depth int) error {
	if depth == maxDepth {
		return errDeep
	}
	switch name := strings.ToLower(w.word()); name {
	case "geometrycollection":
		return w.each(func() error { return b.named(w, depth+1) })
	case "bbox":
		return b.bounds(w)
	case "envelope", "":
		return fmt.Errorf("unknown geo shape type [%s]", name)
	default:
		return b.coordinates(name, w)
	}
}

// bounds reads the west, the east, the north and the south of a box.
func (b *builder) bounds(w *words) error {
	var edges []float64
	err := w.each(func() error {
		one, err := w.numbers()
		if err == nil && len(one) != 1 || len(edges) == 4 {
			err = errors.New("expected four numbers in BBOX: west, east, north and south")
		}
		edges = append(edges, one...)
		return err
	})
	switch {
	case err != nil:
		return err
	case len(edges) != 4:
		return errors.New("expected four numbers in BBOX: west, east, north and south")
	}
	if err := errorOr(onEarth(edges[0], edges[2]), onEarth(edges[1], edges[3])); err != nil {
		return err
	}
	return b.box(Box{South: edges[3], North: edges[2], West: edges[0], East: edges[1]})
}

// each implements source.
func (w *words) each(item func() error) error {
	if !w.take('(') {
		return w.expected("(")
	}
	for {
		if err := item(); err != nil {
			return err
		}
		switch {
		case w.take(','):
		case w.take(')'):
			return nil
		default:
			return w.expected(", or )")
		}
	}
}

// numbers implements source. A position may stand in parentheses.
func (w *words) numbers() ([]float64, error) {
	enclosed := w.take('(')
	var list []float64
	for {
		word := w.word()
		if word == "" {
			break
		}
		x, err := strconv.ParseFloat(word, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("invalid number found: %s", shorten(word))
		}
		if list = append(list, x); len(list) > 3 {
			return nil, errNumbers
		}
	}
	if enclosed && !w.take(')') {
		return nil, w.expected(")")
	}
	return list, nil
}

const blanks = " \t\r\n"

func (w *words) skip() { w.rest = strings.TrimLeft(w.rest, blanks) }

// take goes over a character if it comes next.
func (w *words) take(c byte) bool {
	w.skip()
	if w.rest == "" || w.rest[0] != c {
		return false
	}
	w.rest = w.rest[1:]
	return true
}

// word goes over a word or a number, and gives "" when none comes next.
func (w *words) word() string {
	w.skip()
	end := strings.IndexAny(w.rest, "(),"+blanks)
	if end < 0 {
		end = len(w.rest)
	}
	word := w.rest[:end]
	w.rest = w.rest[end:]
	return word
}

func (w *words) expected(what string) error {
	if w.skip(); w.rest == "" {
		return fmt.Errorf("expected %s but found the end of the text", what)
	}
	return fmt.Errorf("expected %s but found [%s]", what, shorten(w.rest))
}
