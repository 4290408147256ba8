package httpserver

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// errInflatedTooLarge says that a body is small as sent and large as meant.
var errInflatedTooLarge = errors.New("the decompressed body is too large")

// bodyReader reads a body, decompressed and bounded. Each layer of compression is bounded by itself: one that swells and
// shrinks again further out costs time all the same.
type bodyReader struct {
	io.Reader
	layers []io.ReadCloser
	count  func(n int)
	// busy is that of the server, which does not count who is still sending.
	busy *atomic.Int64
	// room is what the body takes of its connection, nil for a small one or the only one.
	room *network.Arrival
}

// openBody gives the body, nil when the request has none. Its declared length and encodings have been checked.
func (x *exchange) openBody() (*bodyReader, error) {
	encodings, err := x.encodings()
	if err != nil {
		return nil, err
	}
	limit := x.limit
	switch {
	case x.r.ContentLength == 0 || x.r.Body == nil || x.r.Body == http.NoBody:
		return nil, nil
	case x.r.ContentLength > limit:
		if x.r.ProtoMajor < 2 {
			x.w.Header()["Connection"] = []string{"close"} // what follows is not read; HTTP/2 ends the stream alone
		}
		return nil, kerror.NetworkHTTPRequestTooLarge.New()
	}
	received := x.server.o.Metrics.HTTP.Received
	b := &bodyReader{Reader: http.MaxBytesReader(x.w, x.r.Body, limit), count: func(n int) { received.Add(float64(n)) }, busy: &x.server.busy}
	b.busy.Add(-1)
	if err := x.makeRoom(b, encodings); err != nil {
		b.close()
		return nil, err
	}
	for _, encoding := range slices.Backward(encodings) {
		layer, err := openLayer(encoding, b.Reader)
		if err != nil {
			b.close()
			return nil, bodyError(inflateError(encoding, err))
		}
		b.layers = append(b.layers, layer)
		b.Reader = &boundedReader{layer, encoding, limit}
	}
	return b, nil
}

func (b *bodyReader) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.count(n)
	return n, err
}

// close must be called once.
func (b *bodyReader) close() {
	b.busy.Add(1)
	if b.room != nil {
		b.room.Done()
	}
	for _, layer := range b.layers {
		_ = layer.Close() // reading has found what there is to find
	}
}

// encodings reads the header Content-Encoding, innermost first, without identity.
func (x *exchange) encodings() ([]string, error) {
	header := x.r.Header["Content-Encoding"]
	if len(header) == 0 {
		return nil, nil
	}
	all := strings.Split(strings.Join(header, ","), ",")
	if len(all) > x.server.o.MaxEncodingLayers {
		return nil, kerror.NetworkHTTPTooManyEncodings.New()
	}
	var list []string
	for _, encoding := range all {
		switch encoding = strings.ToLower(strings.TrimSpace(encoding)); encoding {
		case "gzip", "deflate":
			list = append(list, encoding)
		case "identity", "":
		default:
			return nil, kerror.NetworkHTTPUnsupportedCompression.New(encoding)
		}
	}
	if len(list) > 0 && !x.server.o.AllowCompression {
		return nil, kerror.NetworkHTTPCompressionDisabled.New()
	}
	return list, nil
}

// boundedReader fails as soon as more than limit bytes came out of it.
type boundedReader struct {
	r        io.Reader
	encoding string
	left     int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return 0, errInflatedTooLarge
	}
	return n, inflateError(b.encoding, err)
}

// inflateError keeps the errors of the layers below and names the rest.
func inflateError(encoding string, err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil || err == io.EOF || errors.As(err, &tooLarge) || errors.Is(err, errInflatedTooLarge): //nolint:errorlint // io.Reader gives EOF bare
		return err
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrChecksum),
		errors.Is(err, io.ErrUnexpectedEOF):
		return kerror.NetworkHTTPUnexpectedError.Wrap(err, "the body is not valid "+encoding)
	default:
		return err
	}
}

var gzipReaders sync.Pool

// pooledGzip gives its reader back when it is closed.
type pooledGzip struct{ *gzip.Reader }

func (p pooledGzip) Close() error {
	err := p.Reader.Close()
	gzipReaders.Put(p.Reader)
	return err
}

func openLayer(encoding string, r io.Reader) (io.ReadCloser, error) {
	if encoding == "deflate" {
		return zlib.NewReader(r)
	}
	z, ok := gzipReaders.Get().(*gzip.Reader)
	if !ok {
		z = new(gzip.Reader)
	}
	if err := z.Reset(r); err != nil {
		return nil, err
	}
	return pooledGzip{z}, nil
}
