package elastic

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/gate"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Options say where Elasticsearch is and who asks.
type Options struct {
	// Addresses are the URLs of one or more nodes of one cluster. Required, unless there is a CloudID.
	Addresses []string
	// CloudID names a deployment in Elastic Cloud, in the place of Addresses.
	CloudID string
	// Username and Password, or APIKey (as Elasticsearch gives it, in base64), which counts before them.
	Username, Password, APIKey string
	// CACert are the PEM-encoded authorities that may have signed the server's certificate; nil for those of the machine.
	CACert []byte
	// Certificate is what this client shows when the server asks for one; nil for none.
	Certificate *tls.Certificate
	// Timeout is how long one request may take. 0 means 30 s.
	Timeout time.Duration
	// ConnectTimeout is for a connection to be made. 0 means 3 s.
	ConnectTimeout time.Duration
	// MaxRequests is how many requests run at once; others wait, as long as one may take. 0 means 128.
	MaxRequests int
	// BreakerFailures is how many requests in a row must remain unanswered for the next ones to fail at once. 0 means 5.
	BreakerFailures int
	// ProbeInterval lies between two questions how Elasticsearch is, which also let requests through again. 0 means 2 s.
	ProbeInterval time.Duration
	// StartTimeout is how long Open waits for Elasticsearch. 0 means that it does not.
	StartTimeout time.Duration
	// Logger is told when Elasticsearch goes and comes; nil for nobody.
	Logger *slog.Logger
	// Metrics gets the figures of the engine; nil for none.
	Metrics prometheus.Registerer

	// dial makes connections in tests.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (o *Options) fill() {
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 3*time.Second)
	o.MaxRequests = cmp.Or(o.MaxRequests, 128)
	o.BreakerFailures = cmp.Or(o.BreakerFailures, 5)
	o.ProbeInterval = cmp.Or(o.ProbeInterval, 2*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Engine is the document engine on Elasticsearch. All methods are safe for concurrent use.
type Engine struct {
	client  *client
	reads   joiner[string, stored]
	writes  joiner[[]byte, item]
	monitor *monitor
	gate    gate.Gate
	schemas schemas
	scrolls scrolls
	version string
	place   string
}

// Open connects to Elasticsearch. It fails with services.storage.not_connected when nobody answers within o.StartTimeout or the
// collections of the node's own cannot be read by then, and with services.storage.version_mismatch when it is not
// Elasticsearch 8.
func Open(ctx context.Context, o Options) (*Engine, error) {
	o.fill()
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	e := &Engine{client: c, monitor: newMonitor(c, o), place: o.place()}
	e.reads = joiner[string, stored]{client: c, flights: maxFlights, size: func(id string) int { return len(id) }, send: c.mget}
	e.writes = joiner[[]byte, item]{client: c, flights: maxFlights, size: func(lines []byte) int { return len(lines) }, send: c.bulk}
	if c.metrics, err = newMetrics(o.Metrics, e); err == nil {
		e.version, err = c.connect(ctx, o)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	e.monitor.start()
	return e, nil
}

// Place tells people where Elasticsearch is.
func (e *Engine) Place() string { return e.place }

// Info reports the version of Elasticsearch and what the collections of both scopes take on its disks.
func (e *Engine) Info(ctx context.Context) (storage.Info, error) {
	if err := e.gate.Enter(ctx); err != nil {
		return storage.Info{}, err
	}
	defer e.gate.Leave()
	size, err := e.stored(ctx, allNames())
	return storage.Info{Type: "elasticsearch", Version: e.version, SpaceBytes: size}, err
}

// stored is how much the named indexes take on the disks.
func (e *Engine) stored(ctx context.Context, names string) (int64, error) {
	var stats struct {
		All struct {
			Total struct {
				Store struct {
					Bytes int64 `json:"size_in_bytes"`
				} `json:"store"`
			} `json:"total"`
		} `json:"_all"`
	}
	err := e.client.do(ctx, request{method: http.MethodGet, path: []string{names, "_stats", "store"}}, &stats)
	return stats.All.Total.Store.Bytes, public(err)
}

// Healthy asks Elasticsearch whether every collection can be read and written.
func (e *Engine) Healthy(ctx context.Context) error {
	if err := e.gate.Enter(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	return healthy(e.client.health(ctx, allNames(), false))
}

// Ready is nil, or says why Elasticsearch could not read and write every collection when it was asked last. It costs nothing.
func (e *Engine) Ready() error { return e.monitor.ready() }

// Impaired reports whether some collection was not kept in as many copies as its settings want when Elasticsearch was asked
// last.
func (e *Engine) Impaired() bool { return e.monitor.state.Load().yellow }

// maxFlights is how many requests of a kind are under way to one collection before others are joined. Fewer than 2 leave
// Elasticsearch idle between them, and more than 8 join too little.
const maxFlights = 4

// Close refuses new operations, waits for running ones and closes the connections. It must not be called from visit of Scan
// or Select. A second Close fails with services.storage.not_connected.
func (e *Engine) Close() error {
	if !e.gate.Close() {
		return kerror.ServicesStorageNotConnected.New()
	}
	e.reads.wait() // for those whose callers did not
	e.writes.wait()
	e.monitor.close()
	e.client.close()
	return nil
}

var _ storage.Engine = (*Engine)(nil)
