package main

import (
	"bytes"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// metrics are the plugin's own. Labels are route templates, codes and names of services: never what a client sent.
type metrics struct {
	registry         *prometheus.Registry
	requests         *prometheus.CounterVec
	duration         *prometheus.HistogramVec
	upstreamRequests *prometheus.CounterVec
	upstreamDuration *prometheus.HistogramVec
	logins           *prometheus.CounterVec
	throttled        prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aura_requests_total", Help: "Requests by route and outcome.",
		}, []string{"route", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "aura_request_duration_seconds", Help: "Time to answer, by route.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"route"}),
		upstreamRequests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aura_upstream_requests_total", Help: "Calls of services outside, by service and outcome.",
		}, []string{"upstream", "outcome"}),
		upstreamDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "aura_upstream_duration_seconds", Help: "Time that services outside took.",
		}, []string{"upstream"}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aura_logins_total", Help: "API keys presented, by what became of them.",
		}, []string{"result"}),
		throttled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "aura_throttled_total", Help: "Requests refused because of too many failures before.",
		}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.upstreamRequests, m.upstreamDuration, m.logins, m.throttled)
	return m
}

func (m *metrics) served(route, code string, took time.Duration) {
	m.requests.WithLabelValues(route, code).Inc()
	m.duration.WithLabelValues(route).Observe(took.Seconds())
}

func (m *metrics) called(name, outcome string, took time.Duration) {
	m.upstreamRequests.WithLabelValues(name, outcome).Inc()
	m.upstreamDuration.WithLabelValues(name).Observe(took.Seconds())
}

// text writes the metrics in a format that the header Accept allows.
func (m *metrics) text(header http.Header) (text, contentType string, err error) {
	families, err := m.registry.Gather()
	if err != nil {
		return "", "", err
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	if wanted := expfmt.NegotiateAccept(header, expfmt.DefaultOpenMetricsAcceptedFormats()...); wanted.FormatType() == expfmt.TypeOpenMetrics {
		format = wanted
	}
	var out bytes.Buffer
	encoder := expfmt.NewEncoder(&out, format)
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return "", "", err
		}
	}
	if closer, ok := encoder.(expfmt.Closer); ok {
		if err := closer.Close(); err != nil {
			return "", "", err
		}
	}
	return out.String(), string(format), nil
}
