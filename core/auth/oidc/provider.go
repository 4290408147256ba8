package oidc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	oidclib "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/sluicehq/sluice/protocol/kerror"
)

const (
	// maxAnswerBytes bounds what is read of one answer of a provider.
	maxAnswerBytes = 1 << 20
	// rediscoverAfter is how long a discovery document is good for.
	rediscoverAfter = time.Hour
	// After a failed discovery the provider is left alone, the first time this long and never longer than that.
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// provider knows where the provider has what. It asks when a login needs it: the node starts without. Once it was found, a
// provider that is down for a while stays found.
type provider struct {
	options Options
	client  *http.Client
	log     *slog.Logger
	now     func() time.Time
	// asking is held by whoever asks the provider; the others wait for what he finds.
	asking chan struct{}

	mu      sync.Mutex
	found   *endpoints
	foundAt time.Time
	pause   time.Duration
	retryAt time.Time
}

// endpoints are what discovery found.
type endpoints struct {
	*oidclib.Provider
	oauth   oauth2.Config
	idToken *oidclib.IDTokenVerifier
}

func newProvider(o Options, client *http.Client) *provider {
	return &provider{options: o, client: client, log: o.Logger.With("strategy", o.Name), now: time.Now, asking: make(chan struct{}, 1)}
}

// get gives the endpoints; core.fatal.service_unavailable while the provider cannot be reached.
func (p *provider) get(ctx context.Context) (*endpoints, error) {
	if found, err := p.known(); found != nil || err != nil {
		return found, err
	}
	select {
	case p.asking <- struct{}{}:
		defer func() { <-p.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if found, err := p.known(); found != nil || err != nil { // while this call waited
		return found, err
	}
	// Not with the end of ctx: a client that goes away must not look like a provider that is down.
	found, err := p.discover(oidclib.ClientContext(context.WithoutCancel(ctx), p.client))
	return p.remember(found, err)
}

// known gives what is known without asking, nil when it is time to ask.
func (p *provider) known() (*endpoints, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	switch {
	case p.found != nil && (now.Sub(p.foundAt) < rediscoverAfter || now.Before(p.retryAt)):
		return p.found, nil
	case now.Before(p.retryAt):
		return nil, p.unavailable(errors.New("it did not answer a moment ago"))
	default:
		return nil, nil
	}
}

func (p *provider) remember(found *endpoints, err error) (*endpoints, error) {
	if err != nil {
		err = shortened(err)
		p.log.Warn("an OpenID provider could not be asked where it has what; it will be asked again at a later login",
			"issuer", p.options.Issuer, "error", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.found, p.foundAt, p.pause, p.retryAt = found, p.now(), 0, time.Time{}
		return found, nil
	}
	p.pause = min(max(2*p.pause, firstPause), longestPause)
	p.retryAt = p.now().Add(p.pause)
	if p.found != nil {
		return p.found, nil
	}
	return nil, p.unavailable(err)
}

// unavailable is what a client is told when the provider does not answer.
func (p *provider) unavailable(cause error) error {
	return kerror.CoreFatalServiceUnavailable.Wrap(fmt.Errorf("OpenID provider %s: %w", p.options.Issuer, cause),
		"the OpenID provider of the strategy "+p.options.Name)
}

func (p *provider) discover(ctx context.Context) (*endpoints, error) {
	found, err := oidclib.NewProvider(ctx, p.options.Issuer)
	if err != nil {
		return nil, err
	}
	var document struct {
		KeysURL     string   `json:"jwks_uri"`
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := found.Claims(&document); err != nil {
		return nil, fmt.Errorf("parse the discovery document: %w", err)
	}
	endpoint := found.Endpoint()
	endpoint.AuthStyle = p.authStyle(document.AuthMethods)
	for _, address := range []string{endpoint.AuthURL, endpoint.TokenURL, document.KeysURL} {
		if err := p.trustworthy(address); err != nil {
			return nil, err
		}
	}
	if address := found.UserInfoEndpoint(); address != "" {
		if err := p.trustworthy(address); err != nil {
			return nil, err
		}
	}
	scopes := append([]string{oidclib.ScopeOpenID}, p.options.Scopes...)
	slices.Sort(scopes)
	return &endpoints{
		Provider: found,
		oauth: oauth2.Config{
			ClientID: p.options.ClientID, ClientSecret: p.options.ClientSecret, RedirectURL: p.options.RedirectURL,
			Endpoint: endpoint, Scopes: slices.Compact(scopes),
		},
		// The algorithms are those of the provider that have a public key: never none, never HS256.
		idToken: found.VerifierContext(ctx, &oidclib.Config{ClientID: p.options.ClientID}),
	}, nil
}

// authStyle is how the secret is sent. The library's own way is to try both, which spends a code on the wrong one.
func (p *provider) authStyle(methods []string) oauth2.AuthStyle {
	basic := len(methods) == 0 || slices.Contains(methods, "client_secret_basic") // the default of the standard
	if p.options.ClientSecret != "" && basic {
		return oauth2.AuthStyleInHeader
	}
	return oauth2.AuthStyleInParams
}

// trustworthy wants TLS wherever the issuer has it.
func (p *provider) trustworthy(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && !strings.HasPrefix(p.options.Issuer, "http:") {
		return fmt.Errorf("the discovery document names the address %q, which is no https URL", address)
	}
	return nil
}

// newClient makes the client for one provider. It follows no redirects: a provider says where it has what.
func newClient(o Options) (*http.Client, error) {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("the transport of net/http was replaced")
	}
	transport = transport.Clone()
	transport.MaxConnsPerHost, transport.MaxResponseHeaderBytes = 32, 64<<10
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CAFile != "" {
		pool, err := authorities(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("security.oidc: provider %q: %w", o.Name, err)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	return &http.Client{
		Transport: bounded{transport}, Timeout: o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// authorities are those of the system and of the file.
func authorities(caFile string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("read the certificates of the system: %w", err)
	}
	pem, err := os.ReadFile(caFile) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("read caFile: %w", err)
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("caFile %s holds no certificate; give one in PEM form", caFile)
	}
	return pool, nil
}

// bounded is a transport whose answers have a bound.
type bounded struct{ *http.Transport }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.Transport.RoundTrip(r)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswerBytes)
	}
	return resp, err
}

// shortened cuts a text that may hold a whole answer.
func shortened(err error) error {
	if text := err.Error(); len(text) > maxLoggedBytes {
		return errors.New(printable(text, maxLoggedBytes) + "…")
	}
	return err
}

const maxLoggedBytes = 512
