package elastic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/gate"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Options say where Elasticsearch is and who asks.
type Options struct {
	// Addresses are the URLs of one or more nodes of one cluster. Required.
	Addresses []string
	// Username and Password, or APIKey (as Elasticsearch gives it, in base64), which counts before them.
	Username, Password, APIKey string
	// CACert are the PEM-encoded authorities that may have signed the server's certificate; nil for those of the machine.
	CACert []byte
	// Timeout is how long one request may take. 0 means 30 s.
	Timeout time.Duration
}

const defaultTimeout = 30 * time.Second

// Engine is the document engine on Elasticsearch. All methods are safe for concurrent use.
type Engine struct {
	client  *client
	gate    gate.Gate
	schemas schemas
	scrolls scrolls
	version string
}

// Open connects to Elasticsearch. It fails with services.storage.not_connected when nobody answers, and with
// services.storage.version_mismatch when it is not Elasticsearch 8.
func Open(ctx context.Context, o Options) (*Engine, error) {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	e := &Engine{client: c}
	var root struct {
		Version struct {
			Number string `json:"number"`
		} `json:"version"`
	}
	if err := c.do(ctx, request{method: http.MethodGet}, &root); err != nil {
		c.close()
		err = errors.Join(err, errors.Unwrap(err)) // the text of err is for clients, its cause for the operator
		return nil, fmt.Errorf("connect to Elasticsearch at %s: %w", strings.Join(addressesOf(o), ", "), err)
	}
	e.version = root.Version.Number
	if !strings.HasPrefix(e.version, "8.") {
		c.close()
		return nil, kerror.ServicesStorageVersionMismatch.New(e.version)
	}
	return e, nil
}

// addressesOf gives the addresses without the passwords that may stand in them.
func addressesOf(o Options) []string {
	var list []string
	for _, a := range o.Addresses {
		if u, err := url.Parse(a); err == nil {
			list = append(list, u.Redacted())
		}
	}
	return list
}

// Info reports the version of Elasticsearch and what the collections of both scopes take on its disks.
func (e *Engine) Info(ctx context.Context) (storage.Info, error) {
	if err := e.gate.Enter(ctx); err != nil {
		return storage.Info{}, err
	}
	defer e.gate.Leave()
	all := aliases(storage.Public, "") + "," + aliases(storage.Internal, "")
	size, err := e.stored(ctx, all)
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
	var health struct {
		Status string `json:"status"`
	}
	names := aliases(storage.Public, "") + "," + aliases(storage.Internal, "")
	if err := e.client.do(ctx, request{method: http.MethodGet, path: []string{"_cluster", "health", names}}, &health); err != nil {
		return public(err)
	}
	if health.Status == "red" {
		return kerror.ServicesStorageUnexpectedError.New("Elasticsearch is red: some collections cannot be read or written")
	}
	return nil
}

// Close refuses new operations, waits for running ones and closes the connections. It must not be called from visit of Scan
// or Select. A second Close fails with services.storage.not_connected.
func (e *Engine) Close() error {
	if !e.gate.Close() {
		return kerror.ServicesStorageNotConnected.New()
	}
	e.client.close()
	return nil
}

var _ storage.Engine = (*Engine)(nil)
