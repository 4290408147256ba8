package attacks

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/config"
)

// bombBytes is many times what a body may have.
const bombBytes = 32 << 20

// zeros reads as many zeros as it says.
type zeros int

func (z *zeros) Read(p []byte) (int, error) {
	if *z <= 0 {
		return 0, io.EOF
	}
	n := min(len(p), int(*z))
	clear(p[:n])
	*z -= zeros(n)
	return n, nil
}

func squeezed(t *testing.T, encoding string, content io.Reader) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser = zlib.NewWriter(&b)
	if encoding == "gzip" {
		w = gzip.NewWriter(&b)
	}
	if _, err := io.Copy(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A small body that becomes a large one is refused while it is inflated.
func TestBodiesThatGrow(t *testing.T) {
	n := newTarget(t)
	many := zeros(bombBytes)
	bomb := squeezed(t, "gzip", &many)
	many = bombBytes
	deflated := squeezed(t, "deflate", &many)
	now := envelope(n.root, "server", "now", "")
	for name, b := range map[string]struct{ body, encoding string }{
		"gzip":           {bomb, "gzip"},
		"deflate":        {deflated, "deflate"},
		"gzip in gzip":   {squeezed(t, "gzip", strings.NewReader(bomb)), "gzip, gzip"},
		"gzip in both":   {squeezed(t, "deflate", strings.NewReader(squeezed(t, "gzip", strings.NewReader(bomb)))), "gzip, gzip, deflate"},
		"too many":       {bomb, strings.Repeat("gzip,", 4) + "gzip"},
		"very many":      {now, strings.Repeat(",", 5000)},
		"empty members":  {strings.Repeat(squeezed(t, "gzip", strings.NewReader("")), 40_000), "gzip"},
		"more behind":    {squeezed(t, "gzip", strings.NewReader(now)) + "more", "gzip"},
		"cut off":        {squeezed(t, "gzip", strings.NewReader(now))[:30], "gzip"},
		"another":        {now, "br"},
		"not compressed": {now, "gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			wantRefused(t, n.HTTP("POST", "/_query", b.body, "Content-Encoding: "+b.encoding), "")
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > bombBytes/2 {
				t.Errorf("%d MB were allocated for it", got>>20)
			}
		})
	}
	n.answers()
}

func TestMessagesThatGrow(t *testing.T) {
	n := newTarget(t, func(c *config.Config) { c.WebSocket.Compression = true })
	dialer := websocket.Dialer{EnableCompression: true}
	conn, resp, err := dialer.DialContext(t.Context(), "ws://"+n.Client.Address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = resp.Body.Close()
	if !strings.Contains(resp.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate") {
		t.Fatal("no compression")
	}
	if err := conn.SetCompressionLevel(flate.BestCompression); err != nil {
		t.Fatal(err)
	}
	w, err := conn.NextWriter(websocket.TextMessage)
	if err != nil {
		t.Fatal(err)
	}
	many := zeros(bombBytes)
	if _, err := io.Copy(w, &many); err == nil { // the node may have closed before the end
		_ = w.Close()
	}
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, answer, err := conn.ReadMessage()
	if !websocket.IsCloseError(err, websocket.CloseMessageTooBig) {
		t.Errorf("answered %.200s %v", answer, err)
	}
	n.answers()
}
