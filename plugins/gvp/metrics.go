package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/sluicehq/sluice/plugins/sdk"
)

// metrics are the plugin's own. Their labels never hold who or what somebody is.
type metrics struct {
	registry         *prometheus.Registry
	requests         *prometheus.CounterVec
	duration         *prometheus.HistogramVec
	upstreamCalls    *prometheus.CounterVec
	upstreamDuration *prometheus.HistogramVec
	logins           *prometheus.CounterVec
	throttled        prometheus.Counter
	rowFailures      prometheus.Counter
	rowsDropped      prometheus.Counter
	rowsSpared       prometheus.Counter
}

func newMetrics() *metrics {
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "gvp", Name: name, Help: help}
	}
	histogram := func(name, help string) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Namespace: "gvp", Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.002, 2, 12)}
	}
	m := &metrics{
		registry:         prometheus.NewRegistry(),
		requests:         prometheus.NewCounterVec(counter("requests_total", "Requests by route and StatusCode."), []string{"route", "code"}),
		duration:         prometheus.NewHistogramVec(histogram("request_duration_seconds", "Time to answer."), []string{"route"}),
		upstreamCalls:    prometheus.NewCounterVec(counter("upstream_requests_total", "Attempts to call a service."), []string{"upstream", "outcome"}),
		upstreamDuration: prometheus.NewHistogramVec(histogram("upstream_duration_seconds", "Time of one attempt."), []string{"upstream"}),
		logins:           prometheus.NewCounterVec(counter("logins_total", "Logins by outcome."), []string{"result"}),
		throttled:        prometheus.NewCounter(counter("throttled_total", "Requests refused as too many.")),
		rowFailures:      prometheus.NewCounter(counter("log_login_write_failures_total", "Failed attempts to write a row of GVP_LogLogin.")),
		rowsDropped:      prometheus.NewCounter(counter("log_login_dropped_total", "Rows of GVP_LogLogin that were given up.")),
		rowsSpared:       prometheus.NewCounter(counter("log_login_spared_total", "Refused logins that have no row in GVP_LogLogin: their address has too many.")),
	}
	m.registry.MustRegister(m.requests, m.duration, m.upstreamCalls, m.upstreamDuration, m.logins, m.throttled, m.rowFailures, m.rowsDropped, m.rowsSpared)
	return m
}

func (m *metrics) waitingRows(count func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "gvp", Name: "log_login_waiting", Help: "Rows of GVP_LogLogin that wait to be written.",
	}, count))
}

func (m *metrics) hashes(count func() int64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Namespace: "gvp", Name: "password_hashes_total", Help: "Password hashes computed.",
	}, func() float64 { return float64(count()) }))
}

func (m *metrics) answered(route string, o outcome, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(o.code)).Inc()
	m.duration.WithLabelValues(route).Observe(took.Seconds())
}

func (m *metrics) upstream(name, outcome string, took time.Duration) {
	m.upstreamCalls.WithLabelValues(name, outcome).Inc()
	m.upstreamDuration.WithLabelValues(name).Observe(took.Seconds())
}

// text answers all metrics in the text format 0.0.4.
func (m *metrics) text(_ context.Context, r *sdk.Request) (any, error) {
	families, err := m.registry.Gather()
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	encoder := expfmt.NewEncoder(&out, format)
	for _, f := range families {
		if err := encoder.Encode(f); err != nil {
			return nil, err
		}
	}
	r.Reply.Raw, r.Reply.ContentType = true, string(format)
	return out.String(), nil
}
