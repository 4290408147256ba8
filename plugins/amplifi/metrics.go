package main

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sluicehq/sluice/plugins/sdk"
)

// metrics are what the plugin counts. Labels hold routes, channels and codes, never what clients send.
type metrics struct {
	registry   *prometheus.Registry
	requests   *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	logins     *prometheus.CounterVec
	replayable prometheus.Counter
	throttled  prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "afi_requests_total", Help: "Requests by route and error code, ok for none.",
		}, []string{"route", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "afi_request_duration_seconds", Help: "How long requests took in the plugin.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"route"}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "afi_logins_total", Help: "Well-formed requests for a token by channel and result.",
		}, []string{"channel", "result"}),
		replayable: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "afi_replayable_logins_total", Help: "Android signatures without a time, which can be replayed.",
		}),
		throttled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "afi_throttled_total", Help: "Requests refused because of too many failures before.",
		}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.logins, m.replayable, m.throttled)
	return m
}

func (m *metrics) served(route, code string, took time.Duration) {
	m.requests.WithLabelValues(route, code).Inc()
	m.duration.WithLabelValues(route).Observe(took.Seconds())
}

func (m *metrics) login(channel string, err error) {
	result := "ok"
	if err != nil {
		f, _ := asFailure(err)
		result = f.code
	}
	m.logins.WithLabelValues(channel, result).Inc()
}

// showMetrics answers in the text format of Prometheus.
func (p *plugin) showMetrics(ctx context.Context, r *sdk.Request) (any, error) {
	scrape, err := http.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	if err != nil {
		return nil, err
	}
	page := &page{header: http.Header{}}
	promhttp.HandlerFor(p.metrics.registry, promhttp.HandlerOpts{DisableCompression: true}).ServeHTTP(page, scrape)
	r.Reply.Raw, r.Reply.ContentType = true, page.header.Get("Content-Type")
	return page.String(), nil
}

// page keeps what a handler writes.
type page struct {
	bytes.Buffer
	header http.Header
}

// Header implements http.ResponseWriter.
func (p *page) Header() http.Header { return p.header }

// WriteHeader implements http.ResponseWriter.
func (p *page) WriteHeader(int) {}

var _ http.ResponseWriter = (*page)(nil)
