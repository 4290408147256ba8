// Package upstream is the HTTP client with which plugins call services outside: a fixed base address, time limits, one retry
// where that is safe, a circuit breaker, a bound on the answer, and a correlator that follows the request. Plugins import it.
package upstream

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// Options of a Client. Only Name and BaseURL are needed.
type Options struct {
	// Name says which service it is, in errors and to Observe.
	Name string
	// BaseURL is absolute; calls add paths to it. It is https unless its host is this machine.
	BaseURL string
	// AllowInsecure lets BaseURL be http anywhere.
	AllowInsecure bool
	// CAFile holds the certificates, in PEM, that may have signed the service's; "" trusts those of the system.
	CAFile string

	ConnectTimeout time.Duration // 2 s when 0
	// Timeout is for a whole call with its retry; 5 s when 0.
	Timeout          time.Duration
	MaxResponseBytes int64 // 1 MiB when 0

	// BreakerFailures is how many failures in a row open the breaker; 5 when 0. Failures are transport errors and statuses of
	// 500 and above.
	BreakerFailures uint
	// BreakerDelay is how long it stays open before one call may try; 30 s when 0.
	BreakerDelay time.Duration

	// Observe is told how each attempt ended; nil for nobody. It must be fast.
	Observe func(outcome Outcome, took time.Duration)
}

// Outcome is how an attempt ended. There are few, so that they can be labels of metrics.
type Outcome string

// The outcomes. A status is one of the first three.
const (
	OK          Outcome = "ok"           // below 400
	ClientError Outcome = "client_error" // 4xx
	ServerError Outcome = "server_error" // 5xx
	Unreachable Outcome = "unreachable"  // name, connection or TLS; a connection that broke before the first byte of an answer
	Timeout     Outcome = "timeout"
	Malformed   Outcome = "malformed" // no HTTP, cut off, too large
	Open        Outcome = "open"      // the breaker let nothing through
	Cancelled   Outcome = "cancelled" // the caller gave up
)

// Error is a call that brought no answer. It never shows the URL's query, headers or bodies.
type Error struct {
	Upstream string
	// Outcome is Unreachable, Timeout, Malformed, Open or Cancelled.
	Outcome Outcome
	// RetryAfter is when the breaker lets a call through again; 0 unless Outcome is Open.
	RetryAfter time.Duration
	cause      error
	// sent says that the service may have seen the call.
	sent bool
}

// Error implements error.
func (e *Error) Error() string {
	text := "call " + e.Upstream + ": " + string(e.Outcome)
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Call is one request.
type Call struct {
	Method string
	// Path is escaped already and appended to the base: "/v3/directline/tokens/generate".
	Path   string
	Query  url.Values
	Header http.Header
	// Body is sent with ContentType; nil for none.
	Body        []byte
	ContentType string
	// Correlator goes as x-correlator when not "".
	Correlator string
	// Idempotent lets a call be repeated after 502, 503 and 504, and when the connection breaks before an answer. After a
	// failure to connect every call is.
	Idempotent bool
}

// Answer is what came back, whatever the status. Redirects are not followed.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Client calls one service. It is safe for concurrent use.
type Client struct {
	options Options
	base    string
	http    *http.Client
	breaker circuitbreaker.CircuitBreaker[any]
}

// New makes a client. Nothing is sent yet.
func New(o Options) (*Client, error) {
	o.fill()
	base, err := parseBase(o.BaseURL, o.AllowInsecure)
	if err != nil {
		return nil, fmt.Errorf("upstream %s: %w", o.Name, err)
	}
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CAFile != "" {
		if tlsConfig.RootCAs, err = readPool(o.CAFile); err != nil {
			return nil, fmt.Errorf("upstream %s: %w", o.Name, err)
		}
	}
	dialer := &net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: 30 * time.Second}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSClientConfig: tlsConfig,
		TLSHandshakeTimeout: o.ConnectTimeout, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 32, IdleConnTimeout: 60 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
	return &Client{
		options: o, base: base,
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		breaker: circuitbreaker.NewBuilder[any]().
			WithFailureThreshold(o.BreakerFailures).WithSuccessThreshold(1).WithDelay(o.BreakerDelay).Build(),
	}, nil
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Do calls the service. An error is always an *Error.
func (c *Client) Do(ctx context.Context, call Call) (Answer, error) {
	limited, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	answer, err := c.attempt(limited, ctx, call)
	if !again(call, answer, err) || !pause(limited) {
		return answer, err
	}
	return c.attempt(limited, ctx, call)
}

// again reports whether a second attempt is safe and of use.
func again(call Call, a Answer, err error) bool {
	var failed *Error
	if errors.As(err, &failed) {
		return failed.Outcome == Unreachable && (!failed.sent || call.Idempotent)
	}
	return call.Idempotent && (a.Status == http.StatusBadGateway || a.Status == http.StatusServiceUnavailable || a.Status == http.StatusGatewayTimeout)
}

// pause waits a moment that differs from caller to caller, and reports whether there is time left.
func pause(ctx context.Context) bool {
	wait := time.NewTimer(50*time.Millisecond + rand.N(100*time.Millisecond)) //nolint:gosec // jitter is no secret
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// attempt sends the call once. limited is caller with the time limit: when caller was cancelled, the service is not to blame.
func (c *Client) attempt(limited, caller context.Context, call Call) (Answer, error) {
	if !c.breaker.TryAcquirePermit() {
		c.observe(Open, 0)
		return Answer{}, &Error{Upstream: c.options.Name, Outcome: Open, RetryAfter: c.breaker.RemainingDelay()}
	}
	started := time.Now()
	var w way
	answer, outcome, err := c.send(limited, caller, call, &w)
	c.observe(outcome, time.Since(started))
	c.record(outcome)
	if err != nil {
		return Answer{}, &Error{Upstream: c.options.Name, Outcome: outcome, cause: err, sent: w.connected.Load()}
	}
	return answer, nil
}

// way is how far a call came. The transport may begin anew with another connection.
type way struct{ connected, answered atomic.Bool }

func (w *way) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:              func(string) { w.connected.Store(false) },
		GotConn:              func(httptrace.GotConnInfo) { w.connected.Store(true) },
		GotFirstResponseByte: func() { w.answered.Store(true) },
	}
}

// record tells the breaker. A caller that gave up says nothing about the service; but the one trial of a half-open breaker
// must end somehow, and did not succeed.
func (c *Client) record(o Outcome) {
	switch o {
	case OK, ClientError:
		c.breaker.RecordSuccess()
	case Cancelled:
		if c.breaker.IsHalfOpen() {
			c.breaker.RecordFailure()
		}
	default:
		c.breaker.RecordFailure()
	}
}

func (c *Client) observe(o Outcome, took time.Duration) {
	if c.options.Observe != nil {
		c.options.Observe(o, took)
	}
}

func (c *Client) send(limited, caller context.Context, call Call, w *way) (Answer, Outcome, error) {
	request, err := c.request(httptrace.WithClientTrace(limited, w.trace()), call)
	if err != nil {
		return Answer{}, Malformed, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{}, classify(limited, caller, w.answered.Load()), withoutURL(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, c.options.MaxResponseBytes+1))
	if err != nil {
		return Answer{}, classify(limited, caller, true), withoutURL(err)
	}
	if int64(len(body)) > c.options.MaxResponseBytes {
		return Answer{}, Malformed, fmt.Errorf("the answer is larger than %d bytes", c.options.MaxResponseBytes)
	}
	return Answer{response.StatusCode, response.Header, body}, outcomeOf(response.StatusCode), nil
}

func (c *Client) request(ctx context.Context, call Call) (*http.Request, error) {
	target := c.base + call.Path
	if len(call.Query) > 0 {
		target += "?" + call.Query.Encode()
	}
	var body io.Reader
	if call.Body != nil {
		body = bytes.NewReader(call.Body)
	}
	request, err := http.NewRequestWithContext(ctx, call.Method, target, body)
	if err != nil {
		return nil, withoutURL(err)
	}
	if call.Header != nil {
		request.Header = call.Header.Clone()
	}
	if call.ContentType != "" {
		request.Header.Set("Content-Type", call.ContentType)
	}
	if call.Correlator != "" {
		request.Header.Set(CorrelatorHeader, call.Correlator)
	}
	return request, nil
}

// classify names a failure. What ends without a byte of an answer ends for want of a service: whether the connection was new
// or kept is a matter of luck.
func classify(limited, caller context.Context, answered bool) Outcome {
	switch {
	case caller.Err() != nil && !errors.Is(caller.Err(), context.DeadlineExceeded):
		return Cancelled
	case limited.Err() != nil:
		return Timeout
	case answered:
		return Malformed
	default:
		return Unreachable
	}
}

func outcomeOf(status int) Outcome {
	switch {
	case status >= http.StatusInternalServerError:
		return ServerError
	case status >= http.StatusBadRequest:
		return ClientError
	default:
		return OK
	}
}

// withoutURL drops the URL that net/http puts into its errors: queries carry secrets.
func withoutURL(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return withURL.Err
	}
	return err
}

func (o *Options) fill() {
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 2*time.Second)
	o.Timeout = cmp.Or(o.Timeout, 5*time.Second)
	o.MaxResponseBytes = cmp.Or(o.MaxResponseBytes, 1<<20)
	o.BreakerFailures = cmp.Or(o.BreakerFailures, 5)
	o.BreakerDelay = cmp.Or(o.BreakerDelay, 30*time.Second)
}

// parseBase checks where calls go, and gives the base without a slash at its end.
func parseBase(text string, allowInsecure bool) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", errors.New("the base URL cannot be read")
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return "", errors.New("the base URL must be an absolute http or https URL")
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return "", errors.New("the base URL must have no user, query or fragment")
	case u.Scheme == "http" && !allowInsecure && !isLoopback(u.Hostname()):
		return "", errors.New("the base URL must be https: only services on this machine, or with allowInsecure, may be called without")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

func readPool(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("read the CA file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the CA file %s holds no certificate", file)
	}
	return pool, nil
}
