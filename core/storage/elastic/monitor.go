package elastic

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// monitor asks Elasticsearch again and again how it is: for the readiness of the node, and to close the breaker.
type monitor struct {
	client *client
	logger *slog.Logger
	pause  time.Duration

	state atomic.Pointer[state]
	away  bool // what was logged last; only who asks uses it
	stop  context.CancelFunc
	done  chan struct{}
}

// state is how the cluster was when it answered last.
type state struct {
	problem error // nil when every collection can be read and written
	yellow  bool
}

// probeTimeout bounds the questions how Elasticsearch is.
const probeTimeout = 3 * time.Second

func newMonitor(c *client, o Options) *monitor {
	m := &monitor{client: c, logger: o.Logger, pause: o.ProbeInterval, done: make(chan struct{})}
	m.state.Store(&state{})
	return m
}

// start lets it ask until close.
func (m *monitor) start() {
	ctx, cancel := context.WithCancel(context.Background())
	m.stop = cancel
	go func() {
		defer close(m.done)
		for pause := m.pause; wait(ctx, pause); {
			pause = m.ask(ctx)
		}
	}()
}

// close waits for the last question.
func (m *monitor) close() {
	m.stop()
	<-m.done
}

// ask asks once, and gives the time until the next question, which comes soon while an outage is suspected and not yet certain.
func (m *monitor) ask(ctx context.Context) (pause time.Duration) {
	status, err := m.client.health(ctx, allNames(), true)
	if ctx.Err() != nil {
		return m.pause
	}
	lost := errors.Is(err, kerror.ServicesStorageNotConnected)
	f, refused := errors.AsType[*failure](err)
	if !lost && (!refused || !f.busy()) { // else the breaker knows, or nobody
		m.state.Store(&state{problem: healthy(status, err), yellow: status == "yellow"})
	}
	m.tell()
	if lost && m.client.breaker.refusal() == nil {
		return m.pause / 10
	}
	return m.pause
}

// tell logs what has changed since it logged last. The breaker changes between two questions too.
func (m *monitor) tell() {
	now := m.ready()
	switch {
	case now != nil && !m.away:
		m.logger.Error("Elasticsearch cannot serve", "reason", now, "cause", errors.Unwrap(now))
	case now == nil && m.away:
		m.logger.Info("Elasticsearch serves again")
	}
	m.away = now != nil
}

// ready is nil, or says why not every collection can be read and written.
func (m *monitor) ready() error {
	if err := m.client.breaker.refusal(); err != nil {
		return err
	}
	return m.state.Load().problem
}

// healthy judges what health gave.
func healthy(status string, err error) error {
	switch {
	case err != nil:
		return public(err)
	case status == "red":
		return kerror.ServicesStorageUnexpectedError.New("Elasticsearch is red: some collections cannot be read or written; its operator finds out why with GET _cluster/allocation/explain")
	}
	return nil
}

// allNames stands for the collections of both scopes.
func allNames() string { return aliases(storage.Public, "") + "," + aliases(storage.Internal, "") }

// redTime is how long an index may be red that was just made.
const redTime = "1s"

// health gives the color of the named indexes. probes pass the breaker.
func (c *client) health(ctx context.Context, names string, probe bool) (status string, err error) {
	var answer struct {
		Status string `json:"status"`
	}
	query := values("wait_for_status", "yellow", "timeout", redTime, "filter_path", "status")
	r := request{method: http.MethodGet, path: []string{"_cluster", "health", names}, query: query, probe: probe}
	err = c.do(ctx, r, &answer)
	if f, ok := errors.AsType[*failure](err); ok && f.status == http.StatusRequestTimeout {
		return "red", nil
	}
	return answer.Status, err
}
