package elastic

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// The outcomes of requests, as a label.
const (
	outcomeAnswered = "answered" // whatever the answer was
	outcomeBusy     = "busy"     // 429
	outcomeFailed   = "failed"   // no answer, or that the cluster cannot serve
	outcomeShed     = "shed"     // not sent: the breaker is open, or too many were running
	outcomeGivenUp  = "given_up" // the caller did not wait
)

// metrics are those of an engine.
type metrics struct {
	requests *prometheus.CounterVec
	retries  prometheus.Counter
}

// newMetrics registers them with r unless that is nil.
func newMetrics(r prometheus.Registerer, e *Engine) (metrics, error) {
	const namespace, subsystem = "sluice", "elasticsearch"
	set := metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "requests_total",
			Help: "Requests to Elasticsearch, by how they ended.",
		}, []string{"outcome"}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "retries_total",
			Help: "Requests that were sent again, since Elasticsearch had done nothing or they only read.",
		}),
	}
	if r == nil {
		return set, nil
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}, value)
	}
	return set, errors.Join(
		r.Register(set.requests),
		r.Register(set.retries),
		r.Register(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "outages_total", Help: "How often Elasticsearch was given up for a time.",
		}, func() float64 { return float64(e.client.breaker.opened.Load()) })),
		r.Register(gauge("running_requests", "Requests to Elasticsearch that run.", func() float64 { return float64(len(e.client.slots)) })),
		r.Register(gauge("waiting_operations", "Operations that wait to be sent together.", func() float64 {
			return float64(e.reads.waiting.Load() + e.writes.waiting.Load())
		})),
		r.Register(gauge("ready", "1 while Elasticsearch can read and write every collection.", func() float64 {
			if e.monitor.ready() == nil {
				return 1
			}
			return 0
		})),
	)
}
