// Package metrics is the node's own Prometheus registry and the HTTP page that shows it.
//
// Parts register what they count through the prometheus.Registerer they are given; nothing is global. Labels never hold
// ids of users or documents, paths with values, or e-mails. core/node imports it.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// New makes a registry with the figures of the Go runtime and of the process.
func New() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}

// Handler shows r in the text formats of Prometheus.
func Handler(r *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Registry: r})
}
