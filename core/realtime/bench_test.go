package realtime_test

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/protocol"
)

// counter is a connection that only counts.
type counter struct{ messages atomic.Int64 }

func (c *counter) Deliver(*realtime.Message) bool { c.messages.Add(1); return true }

func (c *counter) Close(int, string) {}

// newCounted puts n connections into the rooms that filter names.
func newCounted(b *testing.B, n int, filter func(i int) string) (*world, *counter) {
	all := &counter{}
	w := newWorld(b, func(c *realtime.Config) { c.Outbox = func(string) realtime.Outbox { return all } })
	for i := range n {
		r := &protocol.Request{Connection: &protocol.Connection{ID: strconv.Itoa(i), Protocol: "websocket"}}
		_, err := w.Subscribe(b.Context(), r, realtime.Subscription{
			Index: "i", Collection: "c", Filter: jsontext.Value(filter(i)), Options: realtime.Options{Users: realtime.None},
		})
		if err != nil {
			b.Fatal(err)
		}
		r.Reply.Answered(true)
	}
	return w, all
}

func customer(i int) string { return fmt.Sprintf(`{"equals":{"customer.id":"c-%d"}}`, i) }

func everything(int) string { return `{}` }

// bought is a message of about 200 bytes.
func bought(i int) jsontext.Value {
	return jsontext.Value(fmt.Sprintf(`{"type":"order","customer":{"id":"c-%d","name":"Jeanne Martin","city":"Montpellier"},"price":12.5,"quantity":3,`+
		`"tags":["fragile","gift"],"_kuzzle_info":{"author":"user-1","createdAt":1700000000000}}`, i))
}

// BenchmarkPublish tells one room of 1,000, or one of 1,000 rooms of one.
func BenchmarkPublish(b *testing.B) {
	for _, c := range []struct {
		name   string
		filter func(int) string
		heard  int64
	}{{"room of 1000", everything, 1000}, {"1000 rooms of one", customer, 1}} {
		b.Run(c.name, func(b *testing.B) {
			w, all := newCounted(b, 1000, c.filter)
			messages := make([]jsontext.Value, 1000)
			for i := range messages {
				messages[i] = bought(i)
			}
			r := writer()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if err := w.Publish(context.Background(), r, "i", "c", "", messages[i%1000]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			if heard := all.messages.Load(); heard != c.heard*int64(i) {
				b.Errorf("%d messages were heard of %d published", heard, i)
			}
		})
	}
}

// BenchmarkChanged tells of an update that stays in one of 1,000 rooms of one.
func BenchmarkChanged(b *testing.B) {
	w, all := newCounted(b, 1000, customer)
	change := realtime.Change{Action: "update", ID: "d", Before: bought(7), After: bought(7), Updated: []string{"price"}}
	r := writer()
	b.ReportAllocs()
	n := int64(0)
	for b.Loop() {
		w.Changed(context.Background(), r, "i", "c", change)
		n++
	}
	if heard := all.messages.Load(); heard != n {
		b.Errorf("%d messages were heard of %d", heard, n)
	}
}

// BenchmarkUnwatched is what a write costs when nobody listens.
func BenchmarkUnwatched(b *testing.B) {
	w, _ := newCounted(b, 1, customer)
	change := realtime.Change{Action: "update", ID: "d", Before: bought(7), After: bought(7)}
	r := writer()
	b.ReportAllocs()
	for b.Loop() {
		w.Changed(context.Background(), r, "i", "other", change)
	}
}

// BenchmarkSubscribe enters and leaves a room among 1,000.
func BenchmarkSubscribe(b *testing.B) {
	w, _ := newCounted(b, 1000, customer)
	filter := jsontext.Value(customer(5000))
	conn := &protocol.Connection{ID: "comes and goes", Protocol: "websocket"}
	b.ReportAllocs()
	for b.Loop() {
		r := &protocol.Request{Connection: conn}
		s, err := w.Subscribe(context.Background(), r, realtime.Subscription{Index: "i", Collection: "c", Filter: filter})
		if err != nil {
			b.Fatal(err)
		}
		r.Reply.Answered(true)
		if err := w.Unsubscribe(context.Background(), r, s.RoomID); err != nil {
			b.Fatal(err)
		}
	}
}
