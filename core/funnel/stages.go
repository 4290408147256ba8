package funnel

import (
	"errors"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluicehq/sluice/core/router"
)

// stage is a part of a request's way whose duration is measured.
type stage int

const (
	stageAdmission stage = iota
	stageToken
	stageRights
	stageBefore
	stageAction
	stageAfter
	stageCount
)

var stageNames = [stageCount]string{"admission", "token", "rights", "before", "action", "after"}

// stages are the funnel's metrics.
type stages struct {
	duration [stageCount]prometheus.Observer
	requests *prometheus.CounterVec
}

func newStages(r prometheus.Registerer, a *admission) (*stages, error) {
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "sluice_funnel_stage_duration_seconds", Help: "What each stage of the funnel took.",
		Buckets: []float64{1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10},
	}, []string{"stage"})
	s := &stages{requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sluice_requests_total", Help: "Requests answered, by action and status.",
	}, []string{"controller", "action", "status"})}
	for i, name := range stageNames {
		s.duration[i] = durations.WithLabelValues(name)
	}
	return s, errors.Join(
		r.Register(durations),
		r.Register(s.requests),
		r.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "sluice_requests_running", Help: "Requests running now.",
		}, func() float64 { return float64(len(a.places)) })),
		r.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "sluice_requests_waiting", Help: "Requests waiting for a place.",
		}, func() float64 { return float64(a.waiting.Load()) })),
	)
}

// answered counts an answer. Actions that do not exist share one line, so that nobody can fill the registry with names.
func (s *stages) answered(e *router.Entry, status int) {
	controller, action := "", ""
	if e != nil {
		controller, action = e.Controller, e.Name
	}
	s.requests.WithLabelValues(controller, action, strconv.Itoa(status)).Inc()
}
