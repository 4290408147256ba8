package pluginhost

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluicehq/sluice/core/pluginhost/bridge"
)

// metrics are those of all plugins. What a plugin counts itself is read when somebody looks.
type metrics struct {
	host     *Host
	duration *prometheus.HistogramVec
	errors   *prometheus.CounterVec
}

var states = []State{Starting, Running, Restarting, Failed, Stopped}

func describeMetric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("sluice_plugin_"+name, help, append([]string{"plugin"}, labels...), nil)
}

var (
	stateDesc    = describeMetric("state", "1 for the state that the plugin is in.", "state")
	degradedDesc = describeMetric("degraded", "1 while the plugin says that it cannot do all it should.")
	restartsDesc = describeMetric("restarts_total", "Starts after a crash, or after a start that failed.")
	runningDesc  = describeMetric("calls_running", "Calls in the plugin now.")
	waitingDesc  = describeMetric("calls_waiting", "Calls waiting for a place in the plugin.")
	droppedDesc  = describeMetric("hooks_dropped_total", "Events that the plugin's hooks were not told of.")
	memoryDesc   = describeMetric("resident_memory_bytes", "Memory of the plugin's process.")
	cpuDesc      = describeMetric("cpu_seconds_total", "Processor time of the plugin's process.")
)

func newMetrics(h *Host) *metrics {
	return &metrics{
		host: h,
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sluice_plugin_call_duration_seconds", Help: "What calls of the plugin took.",
			Buckets: []float64{1e-4, 2.5e-4, 1e-3, 2.5e-3, 1e-2, 2.5e-2, 1e-1, 2.5e-1, 1, 2.5, 10},
		}, []string{"plugin", "kind"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sluice_plugin_call_errors_total", Help: "Calls of the plugin that gave an error (refused), or no answer.",
		}, []string{"plugin", "kind", "reason"}),
	}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	m.duration.Describe(ch)
	m.errors.Describe(ch)
	for _, d := range []*prometheus.Desc{stateDesc, degradedDesc, restartsDesc, runningDesc, waitingDesc, droppedDesc, memoryDesc, cpuDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	m.duration.Collect(ch)
	m.errors.Collect(ch)
	for _, p := range m.host.plugins {
		s := p.Status()
		for _, state := range states {
			value := 0.0
			if s.State == state {
				value = 1
			}
			ch <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, value, s.ID, string(state))
		}
		put := func(d *prometheus.Desc, kind prometheus.ValueType, value float64) {
			ch <- prometheus.MustNewConstMetric(d, kind, value, s.ID)
		}
		degraded := 0.0
		if s.Degraded != "" {
			degraded = 1
		}
		put(degradedDesc, prometheus.GaugeValue, degraded)
		put(restartsDesc, prometheus.CounterValue, float64(s.Restarts))
		put(runningDesc, prometheus.GaugeValue, float64(p.bridge.Running()))
		put(waitingDesc, prometheus.GaugeValue, float64(p.bridge.WaitingCalls()))
		put(droppedDesc, prometheus.CounterValue, float64(p.bridge.DroppedHooks()))
		if usage, ok := usageOf(s.PID); ok {
			put(memoryDesc, prometheus.GaugeValue, float64(usage.residentBytes))
			put(cpuDesc, prometheus.CounterValue, usage.cpu.Seconds())
		}
	}
}

// usage is what a process takes of the machine.
type usage struct {
	residentBytes int64
	cpu           time.Duration
}

// callMetrics observe the calls of one plugin.
type callMetrics struct {
	plugin   string
	duration map[string]prometheus.Observer
	errors   *prometheus.CounterVec
}

func (m *metrics) of(plugin string) *callMetrics {
	c := &callMetrics{plugin: plugin, errors: m.errors, duration: map[string]prometheus.Observer{}}
	for _, kind := range []string{"action", "pipe", "hooks", "strategy"} {
		c.duration[kind] = m.duration.WithLabelValues(plugin, kind)
	}
	return c
}

// Called implements bridge.Observer.
func (c *callMetrics) Called(kind, outcome string, took time.Duration) {
	c.duration[kind].Observe(took.Seconds())
	if outcome != "ok" {
		c.errors.WithLabelValues(c.plugin, kind, outcome).Inc()
	}
}

var (
	_ prometheus.Collector = (*metrics)(nil)
	_ bridge.Observer      = (*callMetrics)(nil)
)
