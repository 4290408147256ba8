package koncorde_test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/sluicehq/sluice/core/koncorde"
)

// order is a document of about 400 bytes, of which field takes the number n.
func order(n int) string {
	return `{"type":"order","customer":{"id":"c-` + strconv.Itoa(n) + `","name":"Jeanne Martin","address":{"city":"Montpellier","zip":"34000"}},` +
		`"price":` + strconv.Itoa(n) + `.5,"quantity":3,"status":"shipped","tags":["fragile","gift","express"],"position":{"lat":43.6,"lon":3.9},` +
		`"createdAt":1700000000000,"comment":"Please ring twice, the bell at the gate does not work, and leave it with the neighbour when nobody answers.",` +
		`"_kuzzle_info":{"author":"user-1","createdAt":1700000000000,"updater":null,"updatedAt":null}}`
}

func BenchmarkParseAndNormalise(b *testing.B) {
	for _, c := range []struct{ name, raw string }{
		{"equals", `{"equals":{"a":1}}`},
		{"and of 3", short.Replace(`{"and":[<a>,<b>,{"not":<d>}]}`)},
		{"bool of 8", short.Replace(`{"bool":{"must":[<a>,<c>],"should":[<b>,<d>,<e>],"must_not":[<geo>,{"missing":"x"},{"equals":{"y":2}}]}}`)},
		{"minimised", short.Replace(`{"or":[{"and":[<a>,<b>,<c>]},{"and":[{"not":<a>},<d>]},{"and":[<b>,{"not":<e>}]},{"not":{"or":[<a>,<b>]}}]}`)},
		{"in of 50", func() string {
			s := `{"in":{"a":["x"`
			for i := range 49 {
				s += `,"x` + strconv.Itoa(i) + `"`
			}
			return s + `]}}`
		}()},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := koncorde.Parse([]byte(c.raw))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := f.Normalise(100); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewDocument(b *testing.B) {
	source := []byte(order(1))
	b.SetBytes(int64(len(source)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := koncorde.NewDocument("id", source); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatchOne(b *testing.B) {
	n := normalise(b, `{"and":[{"equals":{"type":"order"}},{"range":{"price":{"gt":1}}},{"exists":"customer.address.city"}]}`)
	d := document(b, "id", order(5))
	b.ReportAllocs()
	for b.Loop() {
		if !n.Match(d) {
			b.Fatal("no match")
		}
	}
}

// BenchmarkMatcher matches a document of which one filter in size asks, unless the name says otherwise.
func BenchmarkMatcher(b *testing.B) {
	for _, c := range []struct {
		name   string
		sizes  []int
		filter func(i int) string
		found  int
	}{
		{"equals", []int{1, 1000, 10_000, 100_000}, func(i int) string { return fmt.Sprintf(`{"equals":{"customer.id":"c-%d"}}`, i) }, 1},
		{"and", []int{1000, 100_000}, func(i int) string {
			return fmt.Sprintf(`{"and":[{"equals":{"type":"order"}},{"equals":{"customer.id":"c-%d"}},{"range":{"price":{"gte":0}}}]}`, i)
		}, 1},
		{"range", []int{1000, 100_000}, func(i int) string { return fmt.Sprintf(`{"range":{"price":{"gte":%d,"lt":%d}}}`, i, i+1) }, 1},
		{"geo", []int{1000, 100_000}, func(i int) string {
			return fmt.Sprintf(`{"geoDistance":{"position":[%v,%v],"distance":"100m"}}`, 43.6+float64(i%300)/10, 3.9+float64(i/300)/10)
		}, 1},
		{"other paths", []int{100_000}, func(i int) string { return fmt.Sprintf(`{"equals":{"f%d.x":1}}`, i) }, 0},
		{"regexp", []int{100}, func(i int) string { return fmt.Sprintf(`{"regexp":{"status":"^order-%d$"}}`, i) }, 0},
	} {
		for _, size := range c.sizes {
			b.Run(fmt.Sprintf("%s/%d", c.name, size), func(b *testing.B) {
				m := koncorde.NewMatcher()
				for i := range size {
					m.Add(strconv.Itoa(i), normalise(b, c.filter(i)))
				}
				d := document(b, "id", order(0))
				var rooms []string
				b.ReportAllocs()
				for b.Loop() {
					if rooms, _ = m.AppendMatch(rooms[:0], d); len(rooms) != c.found {
						b.Fatalf("%d rooms", len(rooms))
					}
				}
			})
		}
	}
}

// mixed is the i-th of many filters of all kinds, of which order(0) matches those with i < 16 that it has a value for.
func mixed(i int) string {
	lat, lon := 43.6+float64(i%400)/10, 3.9+float64(i/400)/4
	switch i % 16 {
	case 0:
		return fmt.Sprintf(`{"equals":{"customer.id":"c-%d"}}`, i)
	case 1:
		return fmt.Sprintf(`{"and":[{"equals":{"type":"order"}},{"equals":{"customer.id":"c-%d"}},{"not":{"equals":{"status":"new"}}}]}`, i-1)
	case 2:
		return fmt.Sprintf(`{"range":{"price":{"gte":%d,"lt":%d}}}`, i-2, i-1)
	case 3:
		return fmt.Sprintf(`{"geoDistance":{"position":[%v,%v],"distance":"100m"}}`, lat, lon)
	case 4:
		return fmt.Sprintf(`{"geoBoundingBox":{"position":{"top":%v,"left":%v,"bottom":%v,"right":%v}}}`, lat+0.01, lon-0.01, lat-0.01, lon+0.01)
	case 5:
		return fmt.Sprintf(`{"geoPolygon":{"position":{"points":[[%v,%v],[%v,%v],[%v,%v]]}}}`, lat, lon, lat+0.01, lon, lat, lon+0.01)
	case 6:
		return fmt.Sprintf(`{"in":{"customer.id":["c-%d","d-%d"]}}`, i-6, i)
	case 7:
		return fmt.Sprintf(`{"regexp":{"customer.id":"^c-%d$"}}`, i-7)
	case 8:
		return fmt.Sprintf(`{"match":{"customer":{"id":"c-%d"}}}`, i-8)
	case 9:
		return fmt.Sprintf(`{"regexp":{"comment":{"value":"ring (often|always) %d times","flags":"i"}}}`, i)
	case 10:
		return fmt.Sprintf(`{"select":{"field":"tags","index":0,"query":{"equals":{"value":"fragile-%d"}}}}`, i)
	case 11:
		return fmt.Sprintf(`{"exists":"tags[\"gift-%d\"]"}`, i)
	case 12:
		return fmt.Sprintf(`{"or":[{"range":{"price":{"gt":%d}}},{"ids":{"values":["%d"]}}]}`, i+1, i)
	case 13:
		return fmt.Sprintf(`{"bool":{"must":[{"exists":"customer.f%d"}],"must_not":[{"missing":"price"}]}}`, i)
	case 14:
		return fmt.Sprintf(`{"and":[{"missing":"deleted"},{"match":{"tags":["express","e-%d"]}}]}`, i)
	}
	return fmt.Sprintf(`{"geoDistanceRange":{"position":[%v,%v],"from":"1m","to":"90m"}}`, lat, lon)
}

// BenchmarkMatcherMixed matches one document against filters of all kinds, of which it matches the same few however many
// there are.
func BenchmarkMatcherMixed(b *testing.B) {
	for _, size := range []int{1, 16, 1000, 100_000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			m := koncorde.NewMatcher()
			for i := range size {
				m.Add(strconv.Itoa(i), normalise(b, mixed(i)))
			}
			d := document(b, "id", order(0))
			want := len(m.Match(d))
			var rooms []string
			b.ReportAllocs()
			for b.Loop() {
				if rooms, _ = m.AppendMatch(rooms[:0], d); len(rooms) != want {
					b.Fatalf("%d rooms", len(rooms))
				}
			}
			b.ReportMetric(float64(want), "matches")
		})
	}
}

// BenchmarkMatcherParallel matches from all processors while filters come and go.
func BenchmarkMatcherParallel(b *testing.B) {
	for _, changes := range []bool{false, true} {
		b.Run(fmt.Sprintf("changes=%v", changes), func(b *testing.B) {
			m := koncorde.NewMatcher()
			for i := range 10_000 {
				m.Add(strconv.Itoa(i), normalise(b, fmt.Sprintf(`{"equals":{"customer.id":"c-%d"}}`, i)))
			}
			extra := normalise(b, `{"range":{"price":{"gt":10000}}}`)
			stop := make(chan struct{})
			var done sync.WaitGroup
			if changes {
				done.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
							m.Add("extra", extra)
							m.Remove("extra")
						}
					}
				})
			}
			d := document(b, "id", order(0))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				var rooms []string
				for pb.Next() {
					rooms, _ = m.AppendMatch(rooms[:0], d)
				}
			})
			close(stop)
			done.Wait()
		})
	}
}

func BenchmarkAddRemove(b *testing.B) {
	m := koncorde.NewMatcher()
	for i := range 10_000 {
		m.Add(strconv.Itoa(i), normalise(b, fmt.Sprintf(`{"range":{"price":{"gte":%d,"lt":%d}}}`, i, i+1)))
	}
	n := normalise(b, `{"range":{"price":{"gte":77,"lt":99}}}`)
	b.ReportAllocs()
	for b.Loop() {
		m.Add("x", n)
		m.Remove("x")
	}
}
