package realtime

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those of a service.
type metrics struct {
	// delivered counts messages handed to outboxes.
	delivered prometheus.Counter
	// forgotten counts histories that were dropped because all of them together were too large.
	forgotten prometheus.Counter
	// incomplete counts documents that cost too much to match: some filters were not tried.
	incomplete prometheus.Counter
}

func newMetrics(r prometheus.Registerer, s *Service) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "sluice", Subsystem: "realtime", Name: name, Help: help})
	}
	gauge := func(name, help string, read func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "sluice", Subsystem: "realtime", Name: name, Help: help}, func() float64 {
			s.mu.RLock()
			defer s.mu.RUnlock()
			return float64(read())
		})
	}
	m := &metrics{
		delivered:  counter("deliveries_total", "Notifications handed to connections."),
		incomplete: counter("incomplete_matches_total", "Documents that not every filter was tried with, because that would have cost too much."),
		forgotten:  counter("histories_dropped_total", "Rooms whose missed messages were forgotten because realtime.historyBytes was reached."),
	}
	return m, errors.Join(
		r.Register(m.delivered),
		r.Register(m.forgotten),
		r.Register(m.incomplete),
		r.Register(gauge("rooms", "Rooms, those that nobody is in for the moment included.", func() int { return len(s.rooms) })),
		r.Register(gauge("subscribers", "Connections that are in a room.", func() int { return len(s.subscribers) })),
		r.Register(gauge("filter_bytes", "About what the filters of all rooms need.", func() int { return int(s.filterBytes) })),
		r.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "sluice", Subsystem: "realtime", Name: "history_bytes", Help: "Messages kept for clients that come back.",
		}, func() float64 { return float64(s.historyBytes.Load()) })),
	)
}
