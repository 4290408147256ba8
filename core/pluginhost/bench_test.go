package pluginhost_test

import (
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
)

// BenchmarkExecute calls an action of a real executable with a body of 1 KB, one after the other and 64 at once.
func BenchmarkExecute(b *testing.B) {
	n := start(b, nil, "ok")
	e, _ := n.registry.Current().Action("ok", "pid")
	body := jsontext.Value(`{"text":"` + string(make1K()) + `"}`)
	call := func() {
		r := &protocol.Request{
			RequestID: "r1", Controller: "ok", Action: "pid", Body: body, User: &protocol.User{ID: "ann", ProfileIDs: []string{"default"}},
			Connection: &protocol.Connection{ID: "c", Protocol: "http", ClientIP: "127.0.0.1"},
		}
		if _, err := e.Handler(b.Context(), r); err != nil {
			b.Error(err)
		}
	}
	b.Run("inFlight=1", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			call()
		}
	})
	b.Run("inFlight=64", func(b *testing.B) {
		b.ReportAllocs()
		work := make(chan struct{})
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				for range work {
					call()
				}
			})
		}
		for b.Loop() {
			work <- struct{}{}
		}
		close(work)
		all.Wait()
	})
}

func make1K() []byte {
	text := make([]byte, 1000)
	for i := range text {
		text[i] = 'a' + byte(i%26)
	}
	return text
}

// BenchmarkOpen copies, hashes, spawns and starts one plugin, and ends it.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		n, err := open(b, nil, "ok")
		if err != nil {
			b.Fatal(err)
		}
		n.close(b)
	}
}
