package httpserver

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

// BenchmarkTLS compares server:now over 32 kept connections: plain, encrypted, and with HTTP/2. The clients, Go's own, run in the
// same process and cost what the protocol costs them too.
func BenchmarkTLS(b *testing.B) {
	o, trust := encrypted(b)
	o.Executor = executor{now}
	secure, _ := serve(b, o)
	o.TLS = nil
	plain, _ := serve(b, o)
	for _, way := range []struct {
		name, url string
		http2     bool
	}{
		{"HTTP1", "http://" + plain, false},
		{"TLS-HTTP1", "https://" + secure, false},
		{"TLS-HTTP2", "https://" + secure, true},
	} {
		b.Run(way.name, func(b *testing.B) {
			const connections = 32
			turns := make(chan struct{})
			var clients sync.WaitGroup
			for range connections {
				transport := &http.Transport{TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: way.http2}
				defer transport.CloseIdleConnections()
				c := &http.Client{Transport: transport, Timeout: time.Minute}
				ask(b, c, way.url)
				clients.Go(func() {
					for range turns {
						ask(b, c, way.url)
					}
				})
			}
			for b.Loop() {
				turns <- struct{}{}
			}
			close(turns)
			clients.Wait()
		})
	}
}

func ask(b *testing.B, c *http.Client, url string) {
	resp, err := c.Get(url + "/_now")
	if err != nil {
		b.Error(err)
		return
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		b.Error(resp.Status, err)
	}
}
