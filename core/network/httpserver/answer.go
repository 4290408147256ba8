package httpserver

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol"
)

// fixedHeaders are header values that never change. They are put into the answers as they are, and nobody changes them.
type fixedHeaders struct {
	node, json, acceptEncoding, allowHeaders, allowMethods, noStore, vary, yes []string
	// strictTransport is nil where browsers are not told to stay with TLS.
	strictTransport []string
}

func newFixedHeaders(o Options) fixedHeaders {
	accepts := "identity"
	if o.AllowCompression {
		accepts = "gzip,deflate,identity"
	}
	return fixedHeaders{
		node: []string{o.NodeID}, json: []string{typeJSON}, acceptEncoding: []string{accepts},
		allowHeaders: []string{o.AllowHeaders}, allowMethods: []string{o.AllowMethods},
		noStore: []string{"no-store"}, vary: []string{"Origin"}, yes: []string{"true"},
	}
}

// answer writes resp. Every answer is told not to be stored: most carry a token, came with one, or are old at once, and
// telling them apart would only be a way to be wrong.
func (x *exchange) answer(resp *protocol.Response) {
	if resp.Stream != nil {
		x.stream(resp)
		return
	}
	h := x.w.Header()
	x.commonHeaders(h, resp)
	copyHeaders(h, resp)
	x.secureToken(h)
	if resp.Raw {
		contentType(h, resp)
	} else {
		h["Content-Type"] = x.server.fixed.json
	}
	buf := network.GetBuffer()
	defer buf.Release()
	buf.B = resp.Append(buf.B, "")
	if x.pretty && !resp.Raw {
		indent(buf)
	}
	x.compress(h, buf)
	if err := x.hold(int64(len(buf.B))); err != nil {
		buf.B = nil
		x.answerInstead(resp, err)
		return
	}
	x.write(h, status(resp), buf.B)
}

// answerInstead answers err in place of resp, which has no room. What it answers is small.
func (x *exchange) answerInstead(resp *protocol.Response, err error) {
	h := x.w.Header()
	delete(h, "Content-Encoding")
	delete(h, "Content-Type")
	for name := range resp.Header {
		delete(h, http.CanonicalHeaderKey(name))
	}
	x.answer(x.fail(err))
}

func (x *exchange) commonHeaders(h http.Header, resp *protocol.Response) {
	fixed := &x.server.fixed
	h["X-Kuzzle-Request-Id"] = []string{headerText(resp.RequestID)}
	h["X-Kuzzle-Node"] = fixed.node
	h["Accept-Encoding"] = fixed.acceptEncoding
	h["Access-Control-Allow-Headers"] = fixed.allowHeaders
	h["Access-Control-Allow-Methods"] = fixed.allowMethods
	h["Cache-Control"] = fixed.noStore
	if origin := x.r.Header["Origin"]; len(origin) > 0 {
		h["Access-Control-Allow-Origin"] = origin[:1]
		h["Vary"] = fixed.vary
		if cookies := &x.server.o.Cookies; cookies.On && cookies.Origins.Named(origin[0]) {
			h["Access-Control-Allow-Credentials"] = fixed.yes
		}
	}
	if x.allow != "" {
		h["Allow"] = []string{x.allow}
	}
}

// copyHeaders takes over what the action set, without what the server alone can say: how the connection goes on, and how
// the body is framed and encoded. Raw bytes may come encoded, which is then the action's own business.
func copyHeaders(dst http.Header, resp *protocol.Response) {
	for name, values := range resp.Header {
		name = http.CanonicalHeaderKey(name)
		if serverOnly(name) || name == "Content-Encoding" && !resp.Raw && resp.Stream == nil {
			continue
		}
		dst[name] = values
	}
}

func serverOnly(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "Te", "Http2-Settings",
		"Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization",
		"Content-Length", "Transfer-Encoding", "Trailer":
		return true
	}
	return strings.HasPrefix(name, http.TrailerPrefix)
}

func contentType(h http.Header, resp *protocol.Response) {
	if resp.ContentType != "" {
		h["Content-Type"] = []string{resp.ContentType}
	} else if h["Content-Type"] == nil {
		h["Content-Type"] = []string{typeJSON}
	}
}

// compress replaces the body when the client takes a smaller one.
func (x *exchange) compress(h http.Header, buf *network.Buffer) {
	if !x.server.o.AllowCompression || len(buf.B) < minCompressedBytes || h["Content-Encoding"] != nil {
		return
	}
	encoding := negotiate(x.r.Header["Accept-Encoding"])
	if encoding == "" {
		return
	}
	compressed := network.GetBuffer()
	defer compressed.Release()
	compressed.B, buf.B = buf.B, compress(compressed.B, encoding, buf.B)
	h["Content-Encoding"] = []string{encoding}
	h["Vary"] = append(h["Vary"][:len(h["Vary"]):len(h["Vary"])], "Accept-Encoding")
}

func (x *exchange) write(h http.Header, status int, body []byte) {
	x.answered = true
	if status == http.StatusNoContent || status == http.StatusNotModified {
		delete(h, "Content-Type")
		x.w.WriteHeader(status)
		return
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	x.w.WriteHeader(status)
	if n, err := x.w.Write(body); err == nil { // an error means that the client has gone
		x.server.o.Metrics.HTTP.Sent.Add(float64(n))
	}
}

// status guards net/http, which panics on a status that is none. An envelope is a body, whatever its own status.
func status(resp *protocol.Response) int {
	switch {
	case resp.Status < 200 || resp.Status > 599:
		return http.StatusInternalServerError
	case !resp.Raw && (resp.Status == http.StatusNoContent || resp.Status == http.StatusNotModified):
		return http.StatusOK
	}
	return resp.Status
}

// headerText makes a client's text safe to be echoed in a header.
func headerText(s string) string {
	const most = 256
	if len(s) <= most && strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	return strings.Map(func(c rune) rune {
		if unprintable(c) {
			return '?'
		}
		return c
	}, s[:min(len(s), most)])
}

func unprintable(c rune) bool { return c < ' ' || c > '~' }
