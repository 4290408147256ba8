package elastic

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
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
)

// client speaks with Elasticsearch. Document ids stand in bodies only, since not every id survives in a path.
type client struct {
	base      *elasticsearch.BaseClient
	transport *http.Transport
	timeout   time.Duration
	breaker   breaker
	// slots are taken by the requests that run.
	slots   chan struct{}
	metrics metrics
}

func newClient(o Options) (*client, error) {
	transport, err := newTransport(o)
	if err != nil {
		return nil, err
	}
	c := &client{
		transport: transport, timeout: o.Timeout, slots: make(chan struct{}, o.MaxRequests),
		breaker: breaker{most: o.BreakerFailures, pause: o.ProbeInterval},
	}
	c.base, err = elasticsearch.NewBaseClient(elasticsearch.Config{
		Addresses: o.Addresses, CloudID: o.CloudID, Username: o.Username, Password: o.Password, APIKey: o.APIKey,
		Transport:  c.transport,
		MaxRetries: max(0, len(o.Addresses)-1),
		RetryOnError: func(r *http.Request, err error) bool {
			return r.Context().Err() == nil && (neverSent(err) || repeatable(r))
		},
		RetryOnStatus: []int{neverStatus},
	})
	if err != nil {
		return nil, fmt.Errorf("set up the Elasticsearch client: %w", err)
	}
	return c, nil
}

func newTransport(o Options) (*http.Transport, error) {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("the default transport was replaced")
	}
	t := standard.Clone()
	t.MaxIdleConnsPerHost, t.MaxIdleConns = o.MaxRequests, 0
	t.DisableCompression = o.CloudID == "" // nearby it costs both sides more than it saves
	t.DialContext = (&net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: 30 * time.Second}).DialContext
	if o.dial != nil {
		t.DialContext = o.dial
	}
	t.TLSHandshakeTimeout = o.ConnectTimeout
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if o.Certificate != nil {
		t.TLSClientConfig.Certificates = []tls.Certificate{*o.Certificate}
	}
	if o.CACert != nil {
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(o.CACert) {
			return nil, errors.New("the authorities for the certificate of Elasticsearch are no certificates in PEM")
		}
	}
	return t, nil
}

// neverStatus is no status: an empty list would stand for 502, 503 and 504.
const neverStatus = 1

// neverSent reports whether there was no connection to send over.
func neverSent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// onlyReads is a header that is never sent, as it has no value: to net/http it says that the request may be repeated when its
// connection breaks, and here the same about other addresses.
const onlyReads = "X-Idempotency-Key"

func repeatable(r *http.Request) bool {
	_, ok := r.Header[onlyReads]
	return ok
}

// request is one call.
type request struct {
	method string
	// path holds the parts between slashes, unescaped.
	path  []string
	query url.Values
	// body is JSON, or lines of JSON for _bulk; nil for none.
	body []byte
	// probe says that the request finds out whether Elasticsearch is there: neither the breaker nor those that run hold it up.
	probe bool
}

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

func (r request) String() string { return r.method + " /" + strings.Join(r.path, "/") }

// advances reports whether the request is answered differently when it is repeated: it may have taken a page of a scroll.
func (r request) advances() bool {
	return r.method == http.MethodPost && len(r.path) > 0 && r.path[len(r.path)-1] == "scroll"
}

// do sends r and reads the answer into to, nil when it does not matter. What Elasticsearch refused is a *failure; ctx that
// ended is its own error; when the breaker is open, or there is no answer, it is services.storage.not_connected, and when too
// many requests run all the time, services.storage.too_many_operations.
func (c *client) do(ctx context.Context, r request, to any) error {
	err := c.attempt(ctx, r, to)
	for try := 0; try < maxTriesOf(r, err) && wait(ctx, backoff(try)); try++ {
		c.metrics.retries.Inc()
		err = c.attempt(ctx, r, to)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// attempt sends r once. Its time begins when it may be sent, so that a queue here is not taken for a server that does not answer.
func (c *client) attempt(ctx context.Context, r request, to any) error {
	limit := c.timeout
	if r.probe {
		limit = min(limit, probeTimeout)
	} else {
		if err := c.enter(ctx); err != nil {
			c.count(outcomeShed)
			return err
		}
		defer func() { <-c.slots }()
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	refusal, err := c.send(within, r, to)
	_, unread := errors.AsType[*unreadable](err)
	switch {
	case err != nil && ctx.Err() != nil: // the server may be slow, or the caller short of time: the monitor finds out
		c.count(outcomeGivenUp)
		return ctx.Err()
	case err != nil && !unread:
		err = fmt.Errorf("%s: %w", r, err)
		c.breaker.fail(err)
		c.count(outcomeFailed)
		return notConnected(err, "")
	case refusal != nil:
		return c.refused(refusal)
	}
	c.breaker.succeed()
	c.count(outcomeAnswered)
	if unread {
		return unexpected("the answer to "+r.String()+" cannot be read", err)
	}
	return nil
}

// refused takes note of a refusal, and gives it.
func (c *client) refused(f *failure) error {
	outcome := outcomeAnswered
	switch {
	case f.away():
		outcome = outcomeFailed
	case f.busy():
		outcome = outcomeBusy
	}
	c.count(outcome)
	if outcome == outcomeFailed {
		c.breaker.fail(f)
	} else {
		c.breaker.succeed()
	}
	return f
}

func (c *client) count(outcome string) { c.metrics.requests.WithLabelValues(outcome).Inc() }

// enter waits until a request may be sent, as long as one may take.
func (c *client) enter(ctx context.Context) error {
	if err := c.breaker.refusal(); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	select {
	case c.slots <- struct{}{}:
	case <-within.Done():
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return tooMany()
	}
	if err := c.breaker.refusal(); err != nil { // it has opened in the meantime
		<-c.slots
		return err
	}
	return nil
}

// send sends r and reads the answer into to. An error means that there was no answer, unless it is an *unreadable.
func (c *client) send(ctx context.Context, r request, to any) (*failure, error) {
	u := url.URL{Path: "/" + strings.Join(r.path, "/"), RawQuery: r.query.Encode()}
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.reads() {
		req.Header[onlyReads] = nil
	}
	res, err := c.base.Perform(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	a := &reply{body: res.Body, left: maxAnswerBytes}
	if res.StatusCode >= http.StatusBadRequest {
		text, err := io.ReadAll(a)
		return newFailure(res.StatusCode, text), err
	}
	return nil, a.decode(to)
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
