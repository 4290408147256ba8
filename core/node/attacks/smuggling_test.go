package attacks

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func itoa(i int) string { return strconv.Itoa(i) }

// raw sends bytes and gives all that comes back until the node closes.
func (n *target) raw(text string) string {
	n.t.Helper()
	conn, err := net.Dial("tcp", n.Client.Address)
	if err != nil {
		n.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		n.t.Fatal(err)
	}
	all, open := untilClosed(n.t, conn)
	if open {
		n.t.Errorf("%.60q keeps its connection after %q", text, all)
	}
	return all
}

// untilClosed reads until the node closes; open says that it has not.
func untilClosed(t *testing.T, conn net.Conn) (all string, open bool) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(conn)
	var timeout net.Error
	return string(b), errors.As(err, &timeout) && timeout.Timeout()
}

// status gives that of the first answer, 0 for none.
func status(all string) int {
	_, rest, _ := strings.Cut(all, " ")
	code, _ := strconv.Atoi(rest[:min(3, len(rest))]) // 0 when there is no answer
	return code
}

// Whoever puts a proxy before the node must not be able to get a request past it that the proxy takes for a body. What has two
// meanings is refused, or its connection ends with the answer: nothing that follows is a request.
func TestRequestsWithTwoMeanings(t *testing.T) {
	n := newTarget(t)
	const (
		post     = "POST /_query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		get      = "GET /_now HTTP/1.1\r\nHost: localhost\r\n"
		smuggled = "GET /_now HTTP/1.1\r\nHost: localhost\r\nX-Kuzzle-Request-Id: smuggled\r\n\r\n"
	)
	for name, text := range map[string]string{
		"length and chunks":          post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunks and length":          post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
		"folded chunks":              post + "Content-Length: 5\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
		"two lengths":                post + "Content-Length: 0\r\nContent-Length: 90\r\n\r\n",
		"list of lengths":            post + "Content-Length: 0, 90\r\n\r\n",
		"length with a sign":         post + "Content-Length: +0\r\n\r\n",
		"negative length":            post + "Content-Length: -1\r\n\r\n",
		"length in hex":              post + "Content-Length: 0x0\r\n\r\n",
		"length of too many digits":  post + "Content-Length: 18446744073709551616\r\n\r\n",
		"unknown encoding":           post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"two encodings":              post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
		"encoding with a space":      post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"encoding with a tab before": post + "\tTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunk with a sign":          post + "Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
		"chunk in 0x":                post + "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
		"chunk ends in LF":           post + "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n",
		"bare CR":                    get + "X: a\rTransfer-Encoding: chunked\r\n\r\n",
		"NUL":                        get + "X: a\x00b\r\n\r\n",
		"space in a name":            get + "X Y: a\r\n\r\n",
		"no name":                    get + ": a\r\n\r\n",
		"two hosts":                  get + "Host: evil.example\r\n\r\n",
		"no host":                    "GET /_now HTTP/1.1\r\n\r\n",
		"host with a path":           "GET /_now HTTP/1.1\r\nHost: a/b@c\r\n\r\n",
		"two spaces":                 "GET  /_now HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"tabs":                       "GET\t/_now\tHTTP/1.1\r\nHost: localhost\r\n\r\n",
		"no version":                 "GET /_now\r\nHost: localhost\r\n\r\n",
		"version 1.2.3":              "GET /_now HTTP/1.2.3\r\nHost: localhost\r\n\r\n",
		"preface of HTTP/2":          "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"expectation":                post + "Expect: something\r\nContent-Length: 0\r\n\r\n",
		"announced too much":         post + "Expect: 100-continue\r\nContent-Length: 999999999\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			all := n.raw(text + smuggled)
			if strings.Contains(all, "smuggled") || status(all) < 400 {
				t.Errorf("answered %s", all)
			}
		})
	}
	n.answers()
}

// What means one thing only is one request, and the next begins where it ends.
func TestRequestsKeepTheirBounds(t *testing.T) {
	n := newTarget(t)
	hidden := "GET /_now HTTP/1.1\r\nHost: localhost\r\nX-Kuzzle-Request-Id: hidden\r\n\r\n"
	last := "GET /_now HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Kuzzle-Request-Id: last\r\n\r\n"
	for name, first := range map[string]string{
		"body of GET":     "GET /_now HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + itoa(len(hidden)) + "\r\n\r\n" + hidden,
		"body of DELETE":  "DELETE /i/c/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + itoa(len(hidden)) + "\r\n\r\n" + hidden,
		"body of OPTIONS": "OPTIONS /_now HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + itoa(len(hidden)) + "\r\n\r\n" + hidden,
		"no route":        "POST /a/b/c/d/e HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + itoa(len(hidden)) + "\r\n\r\n" + hidden,
		"refused origin":  "POST /_query HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: " + itoa(len(hidden)) + "\r\n\r\n" + hidden,
		"absolute form":   "GET http://evil.example/_now HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + itoa(len(hidden)) + "\r\n\r\n" + hidden,
		"same length":     "POST /_query HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + itoa(len(hidden)) + "\r\nContent-Length: " + itoa(len(hidden)) + "\r\n\r\n" + hidden,
	} {
		t.Run(name, func(t *testing.T) {
			if all := n.raw(first + last); strings.Contains(all, `"hidden"`) || strings.Count(all, "HTTP/1.1 ") != 2 {
				t.Errorf("answered %s", all)
			}
		})
	}
	for name, header := range map[string]string{
		"method":         "X-HTTP-Method-Override: DELETE",
		"path":           "X-Original-URL: /users/root",
		"other path":     "X-Rewrite-URL: /users/root",
		"authorization":  "X-Authorization: Bearer " + n.root,
		"user":           "X-Forwarded-User: root",
		"proxy's scheme": "Proxy-Authorization: Bearer " + n.root,
	} {
		cut, value, _ := strings.Cut(header, ": ")
		if a := n.HTTP("GET", "/_now", "", cut+": "+value); a.Status != http.StatusUnauthorized {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	trailer := n.raw("POST /_query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n" +
		"26\r\n" + `{"controller":"server","action":"now"}` + "\r\n0\r\nAuthorization: Bearer " + n.root + "\r\n\r\n")
	if status(trailer) != http.StatusUnauthorized {
		t.Errorf("a token in a trailer: %s", trailer)
	}
}
