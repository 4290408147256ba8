package httpserver

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strconv"
	"strings"
	"sync"
)

// minCompressedBytes is the size from which compressing an answer pays.
const minCompressedBytes = 1 << 10

// negotiate chooses gzip, deflate or, with "", neither, by the header Accept-Encoding: the highest quality wins, gzip
// before deflate, and quality 0 means no.
func negotiate(header []string) string {
	var gzipQ, deflateQ, anyQ float64
	var gzipNamed, deflateNamed bool
	for _, line := range header {
		for entry := range strings.SplitSeq(line, ",") {
			name, parameters, _ := strings.Cut(entry, ";")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip":
				gzipQ, gzipNamed = quality(parameters), true
			case "deflate":
				deflateQ, deflateNamed = quality(parameters), true
			case "*":
				anyQ = quality(parameters)
			}
		}
	}
	if !gzipNamed {
		gzipQ = anyQ
	}
	if !deflateNamed {
		deflateQ = anyQ
	}
	switch {
	case gzipQ > 0 && gzipQ >= deflateQ:
		return "gzip"
	case deflateQ > 0:
		return "deflate"
	default:
		return ""
	}
}

// quality reads the parameter q; without one it is 1, and one that cannot be read is 0.
func quality(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || q < 0 || q > 1 {
			return 0
		}
		return q
	}
	return 1
}

type compressor interface {
	io.WriteCloser
	Reset(io.Writer)
}

var (
	gzipWriters = sync.Pool{New: func() any {
		w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
		return w
	}}
	zlibWriters = sync.Pool{New: func() any {
		w, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed) // the level is valid
		return w
	}}
)

// compress writes body, compressed, after dst.
func compress(dst []byte, encoding string, body []byte) []byte {
	pool := &gzipWriters
	if encoding == "deflate" {
		pool = &zlibWriters
	}
	c := pool.Get().(compressor)
	defer pool.Put(c)
	out := bytes.NewBuffer(dst)
	c.Reset(out)
	_, _ = c.Write(body) // a bytes.Buffer takes everything
	_ = c.Close()
	return out.Bytes()
}
