package audit

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count what is recorded. Labels are names of the node's own.
type metrics struct{ events *prometheus.CounterVec }

func newMetrics(r prometheus.Registerer, l *Log) (metrics, error) {
	m := metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sluice_audit_events_total", Help: "Events for the audit log, repeats and dropped ones included.",
	}, []string{"event", "outcome"})}
	return m, errors.Join(
		r.Register(m.events),
		r.Register(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "sluice_audit_dropped_total", Help: "Events that found the queue of the audit log full.",
		}, func() float64 { return float64(l.dropped.Load()) })),
		r.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "sluice_audit_failing", Help: "1 while the audit log cannot be written.",
		}, func() float64 {
			if l.failing.Load() {
				return 1
			}
			return 0
		})),
	)
}
