package elastic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// client speaks with Elasticsearch. Document ids stand in bodies only, since not every id survives in a path.
type client struct {
	base      *elasticsearch.BaseClient
	transport *http.Transport
	timeout   time.Duration
}

// maxAnswerBytes bounds the memory of one answer.
const maxAnswerBytes = 512 << 20

func newClient(o Options) (*client, error) {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("the default transport was replaced")
	}
	c := &client{transport: transport.Clone(), timeout: o.Timeout}
	c.transport.MaxIdleConnsPerHost = maxIdle
	var err error
	c.base, err = elasticsearch.NewBaseClient(elasticsearch.Config{
		Addresses: o.Addresses, Username: o.Username, Password: o.Password, APIKey: o.APIKey, CACert: o.CACert,
		Transport:  c.transport,
		MaxRetries: len(o.Addresses) - 1,
		// Only what was never sent may be sent again.
		RetryOnError:  func(_ *http.Request, err error) bool { return neverSent(err) },
		RetryOnStatus: []int{neverStatus},
	})
	if err != nil {
		return nil, fmt.Errorf("set up the Elasticsearch client: %w", err)
	}
	return c, nil
}

const (
	// maxIdle is how many connections are kept for the next requests to one address.
	maxIdle = 64
	// neverStatus is no status: an empty list would stand for 502, 503 and 504.
	neverStatus = 1
)

// neverSent reports whether there was no connection to send over.
func neverSent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// request is one call.
type request struct {
	method string
	// path holds the parts between slashes, unescaped.
	path  []string
	query url.Values
	// body is JSON, or lines of JSON for _bulk; nil for none.
	body []byte
}

// pauses lie before the repetitions of a request that found no shard to answer it: that of an index that was just made needs
// a moment to start.
var pauses = []time.Duration{50 * time.Millisecond, 150 * time.Millisecond, 500 * time.Millisecond}

// reads reports whether the request may be repeated, since it changes nothing.
func (r request) reads() bool {
	if r.method == http.MethodGet || len(r.path) == 0 {
		return r.method == http.MethodGet
	}
	switch r.path[len(r.path)-1] {
	case "_search", "_count", "_mget":
		return true
	}
	return false
}

// wait reports whether the time has passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// do sends r and reads the answer into to, nil when it does not matter. What Elasticsearch refused is a *failure; ctx that
// ended is its own error; everything else is services.storage.not_connected.
func (c *client) do(ctx context.Context, r request, to any) error {
	within, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	status, body, err := c.send(within, r)
	for _, pause := range pauses {
		if status != http.StatusServiceUnavailable || !r.reads() || !wait(within, pause) {
			break
		}
		status, body, err = c.send(within, r)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return kerror.ServicesStorageNotConnected.Wrap(fmt.Errorf("%s /%s: %w", r.method, strings.Join(r.path, "/"), err))
	case status >= http.StatusBadRequest:
		return newFailure(status, body)
	case to == nil:
		return nil
	}
	if err := json.Unmarshal(body, to, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return unexpected(fmt.Sprintf("the answer to %s /%s cannot be read", r.method, strings.Join(r.path, "/")), err)
	}
	return nil
}

func (c *client) send(ctx context.Context, r request) (int, []byte, error) {
	u := url.URL{Path: "/" + strings.Join(r.path, "/"), RawQuery: r.query.Encode()}
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return 0, nil, err
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.base.Perform(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswerBytes))
	return res.StatusCode, answer, err
}

// close ends what watches over the addresses, and the connections.
func (c *client) close() {
	_ = c.base.Close(context.Background()) // it has nothing to wait for
	c.transport.CloseIdleConnections()
}

// encode writes v, which holds nothing that JSON cannot say but texts from callers: what is not UTF-8 in them becomes U+FFFD.
func encode(v any) []byte {
	b, err := json.Marshal(v, jsontext.AllowInvalidUTF8(true), json.Deterministic(true))
	if err != nil {
		panic(err) // only the shapes of this package come here
	}
	return b
}

// object is short for a JSON object that is sent.
type object = map[string]any

// decode reads v into to.
func decode(v jsontext.Value, to any) error {
	if err := json.Unmarshal(v, to); err != nil {
		return unexpected("JSON cannot be read", err)
	}
	return nil
}

// isObject reports whether v is one JSON object, in UTF-8, with no name twice.
func isObject(v jsontext.Value) bool { return v.Kind() == '{' && v.IsValid() }

// sameJSON compares two values without regard to the order of names and to white space.
func sameJSON(a, b jsontext.Value) bool {
	a, b = a.Clone(), b.Clone()
	return len(a) > 0 && len(b) > 0 && a.Canonicalize() == nil && b.Canonicalize() == nil && string(a) == string(b)
}
