package aggregation

import (
	"bytes"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query"
)

// writer writes an answer. When the limits have an error what it wrote means nothing.
type writer struct {
	dst     []byte
	charged int // of dst
	buckets int
	limits  *limits
}

// room reports whether the answer may grow.
func (w *writer) room() bool {
	w.limits.charge(len(w.dst) - w.charged)
	w.charged = len(w.dst)
	return !w.limits.spend(1)
}

// add counts buckets, empty ones too, and reports whether there may be so many.
func (w *writer) add(buckets int) bool {
	if w.buckets += buckets; w.buckets > query.MaxBuckets && w.limits.err == nil {
		w.limits.err = refuse("Trying to create too many buckets. Must be less than or equal to: [%d] but this number of buckets was exceeded.",
			query.MaxBuckets)
	}
	return w.limits.err == nil
}

// comma separates what follows from what stands before.
func (w *writer) comma() {
	if n := len(w.dst); n > 0 && w.dst[n-1] != '{' && w.dst[n-1] != '[' && w.dst[n-1] != ':' {
		w.dst = append(w.dst, ',')
	}
}

func (w *writer) name(name string) {
	w.comma()
	w.text(name)
	w.dst = append(w.dst, ':')
}

func (w *writer) object(inner func()) {
	w.comma()
	w.dst = append(w.dst, '{')
	inner()
	w.dst = append(w.dst, '}')
}

func (w *writer) list(inner func()) {
	w.comma()
	w.dst = append(w.dst, '[')
	inner()
	w.dst = append(w.dst, ']')
}

func (w *writer) raw(v jsontext.Value) { w.dst = append(w.dst, v...) }

func (w *writer) null() { w.dst = append(w.dst, "null"...) }

func (w *writer) whole(n int64) { w.dst = strconv.AppendInt(w.dst, n, 10) }

func (w *writer) natural(n uint64) { w.dst = strconv.AppendUint(w.dst, n, 10) }

// floating writes a number; one that is too great for JSON as a text, as Elasticsearch does.
func (w *writer) floating(f float64) {
	switch {
	case math.IsInf(f, 1):
		w.text("Infinity")
	case math.IsInf(f, -1):
		w.text("-Infinity")
	default:
		w.dst = appendFloat(w.dst, f)
	}
}

// number writes a number after its name, and, when the format has some, its text under another name. NaN is null.
func (w *writer) number(textName string, x float64, f format) {
	if math.IsNaN(x) {
		w.null()
		return
	}
	w.floating(x)
	if f.some() {
		w.name(textName)
		w.text(f.text(x))
	}
}

// text writes a JSON text. What is no UTF-8 is replaced.
func (w *writer) text(s string) {
	w.dst, _ = jsontext.AppendQuote(w.dst, s) // it fails only to say that something was replaced
}

// appendFloat writes a number as Java does: always with a fraction, and with an exponent from ten millions on and below a
// thousandth.
func appendFloat(dst []byte, f float64) []byte {
	if size := math.Abs(f); f == 0 || size >= 1e-3 && size < 1e7 {
		from := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		if bytes.IndexByte(dst[from:], '.') < 0 {
			dst = append(dst, ".0"...)
		}
		return dst
	}
	var buffer [32]byte
	mantissa, exponent, _ := bytes.Cut(strconv.AppendFloat(buffer[:0], f, 'e', -1, 64), []byte{'e'})
	dst = append(dst, mantissa...)
	if bytes.IndexByte(mantissa, '.') < 0 {
		dst = append(dst, ".0"...)
	}
	dst = append(dst, 'E')
	n, _ := strconv.Atoi(string(exponent)) // it was written by strconv
	return strconv.AppendInt(dst, int64(n), 10)
}
