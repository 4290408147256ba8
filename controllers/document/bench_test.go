package document_test

import (
	"strconv"
	"testing"

	"github.com/sluicehq/sluice/core/realtime"
)

// Each goes through the whole funnel, on a file system in memory, with nobody listening to events.

const ask = `{"controller":"document","index":"i","collection":"c",`

func benchmark(b *testing.B, envelope func(i int) string) {
	b.Helper()
	n := newNode(b)
	n.Routes.Remove("recorder")
	put(b, n, `{"name":"Ann","year":1990}`)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if a := n.Ask(b, envelope(i)); a.Status != 200 {
			b.Fatal(a.Error)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	benchmark(b, func(int) string { return ask + `"action":"get","_id":"d"}` })
}

func BenchmarkCreate(b *testing.B) {
	benchmark(b, func(i int) string {
		return ask + `"action":"create","_id":"` + strconv.Itoa(i) + `","body":{"name":"Ann","year":1990}}`
	})
}

func BenchmarkUpdate(b *testing.B) {
	benchmark(b, func(int) string { return ask + `"action":"update","_id":"d","body":{"year":1991}}` })
}

// BenchmarkCreateWatched is BenchmarkCreate with one subscriber of the collection, whom all is delivered to.
func BenchmarkCreateWatched(b *testing.B) {
	n := newNode(b)
	n.Routes.Remove("recorder")
	l := n.Listen(b, "l", "i", "c", `{"equals":{"name":"Ann"}}`, realtime.Options{Users: realtime.None})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if a := n.Ask(b, ask+`"action":"create","_id":"`+strconv.Itoa(i)+`","body":{"name":"Ann","year":1990}}`); a.Status != 200 {
			b.Fatal(a.Error)
		}
		if heard := l.All(); len(heard) != 1 {
			b.Fatal(len(heard))
		}
	}
}
