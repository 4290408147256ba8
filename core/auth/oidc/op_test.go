package oidc_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	examplestorage "github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// What node and provider know each other by.
const (
	strategy     = "op"
	clientID     = "sluice"
	clientSecret = "secret-of-the-client"
	redirectURL  = "http://sluice.test/_login/op"
	password     = "verysecure" // of the users id1 and id2
)

// openIDProvider is a real one, with a login form, that can be told to misbehave.
type openIDProvider struct {
	*httptest.Server
	storage *rotatingStorage
	handler http.Handler
	// down closes every connection without an answer.
	down atomic.Bool
	// stalled never answers a code; asked says that there was one.
	stalled atomic.Bool
	asked   chan struct{}
	// tamper, when not nil, gives another ID token for the claims of a right one.
	tamper atomic.Pointer[func(claims map[string]any) string]
	// tokens are the bodies of all answers of the token endpoint.
	mu     sync.Mutex
	tokens []string
}

func newOP(t *testing.T) *openIDProvider {
	t.Helper()
	p := &openIDProvider{asked: make(chan struct{})}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	clients := map[string]*examplestorage.Client{clientID: examplestorage.WebClient(clientID, clientSecret, redirectURL)}
	p.storage = &rotatingStorage{Storage: examplestorage.NewStorageWithClients(examplestorage.NewUserStore(p.URL), clients)}
	p.storage.rotate(t)
	p.handler = exampleop.SetupServer(p.URL, p.storage, slog.New(slog.DiscardHandler), false)
	return p
}

func (p *openIDProvider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.down.Load() {
		panic(http.ErrAbortHandler)
	}
	if r.URL.Path != "/oauth/token" {
		p.handler.ServeHTTP(w, r)
		return
	}
	if p.stalled.Load() {
		_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that the node gives up
		p.asked <- struct{}{}
		<-r.Context().Done()
		return
	}
	answer := httptest.NewRecorder()
	p.handler.ServeHTTP(answer, r)
	body := answer.Body.Bytes()
	if tamper := p.tamper.Load(); tamper != nil && answer.Code == http.StatusOK {
		body = tampered(body, *tamper)
	}
	p.mu.Lock()
	p.tokens = append(p.tokens, string(body))
	p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body)
}

func tampered(body []byte, tamper func(map[string]any) string) []byte {
	var answer, claims map[string]any
	_ = json.Unmarshal(body, &answer)
	payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(answer["id_token"].(string), ".")[1])
	_ = json.Unmarshal(payload, &claims)
	answer["id_token"] = tamper(claims)
	body, _ = json.Marshal(answer)
	return body
}

// sign makes an ID token of claims as the provider does.
func (p *openIDProvider) sign(claims map[string]any) string {
	key := p.storage.current.Load()
	return signed(key.SignatureAlgorithm(), key.key, key.id, claims)
}

func signed(algorithm jose.SignatureAlgorithm, key any, id string, claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		panic(err)
	}
	payload, _ := json.Marshal(claims)
	token, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	text, _ := token.CompactSerialize()
	return text
}

// rotatingStorage is a storage whose key can be replaced.
type rotatingStorage struct {
	*examplestorage.Storage
	current atomic.Pointer[signingKey]
}

func (s *rotatingStorage) rotate(t *testing.T) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s.current.Store(&signingKey{id: uuid.NewString(), key: key})
}

func (s *rotatingStorage) SigningKey(context.Context) (op.SigningKey, error) {
	return s.current.Load(), nil
}

func (s *rotatingStorage) KeySet(context.Context) ([]op.Key, error) {
	return []op.Key{publicKey{s.current.Load()}}, nil
}

type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

func (k *signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k *signingKey) Key() any                                    { return k.key }
func (k *signingKey) ID() string                                  { return k.id }

type publicKey struct{ *signingKey }

func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k publicKey) Use() string                        { return "sig" }
func (k publicKey) Key() any                           { return &k.key.PublicKey }

// browser is one with its cookies. The name sluice.test leads to the node.
type browser struct {
	t    *testing.T
	http *http.Client
	// host and scheme are those of callbacks: a redirect there is not followed.
	home string
}

func newBrowser(t *testing.T, node string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var dialer net.Dialer
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "sluice.test:80" {
			address = node
		}
		return dialer.DialContext(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: t, home: "sluice.test", http: &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "sluice.test" {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
}

// page is what a browser shows.
type page struct {
	status int
	header http.Header
	body   string
}

func (p page) get(path string) any {
	var envelope map[string]any
	_ = json.Unmarshal([]byte(p.body), &envelope)
	return nodetest.Answer{Envelope: envelope}.Get(path)
}

// location is where a page sends the browser.
func (p page) location() string { return p.header.Get("Location") }

func (b *browser) do(method, address, contentType, body string) page {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, address, bytes.NewReader([]byte(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, address, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{resp.StatusCode, resp.Header, string(text)}
}

func (b *browser) get(address string) page { b.t.Helper(); return b.do("GET", address, "", "") }

// leave asks for a page and goes away once the provider was given the code.
func (b *browser) leave(address string, p *openIDProvider) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	go func() {
		select {
		case <-p.asked:
			cancel()
		case <-ctx.Done():
		}
	}()
	if resp, err := b.http.Do(req); err == nil {
		_ = resp.Body.Close()
		b.t.Errorf("answered %s", resp.Status)
	}
}

// begin asks the node for a login without going where it sends the browser.
func (b *browser) begin() page {
	b.t.Helper()
	follow := b.http.CheckRedirect
	b.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { b.http.CheckRedirect = follow }()
	return b.get(redirectURL)
}

var formID = regexp.MustCompile(`name="id" value="([^"]*)"`)

// authorize logs in at the provider, where a redirect led to, and gives the address that the provider sends the browser
// back to.
func (b *browser) authorize(location, username string) string {
	b.t.Helper()
	form := b.get(location)
	id := formID.FindStringSubmatch(form.body)
	if id == nil {
		b.t.Fatalf("no login form: %d %s", form.status, form.body)
	}
	at, err := url.Parse(location)
	if err != nil {
		b.t.Fatal(err)
	}
	fields := url.Values{"id": {id[1]}, "username": {username}, "password": {password}}
	back := b.do("POST", at.Scheme+"://"+at.Host+"/login/username", "application/x-www-form-urlencoded", fields.Encode())
	if !strings.HasPrefix(back.location(), redirectURL) {
		b.t.Fatalf("the provider answered %d %s %s", back.status, back.location(), back.body)
	}
	return back.location()
}

// user is the name of a user of the provider, whose subject is id1.
const user = "test-user@127.0.0.1"

// callback begins a login and logs in at the provider.
func (b *browser) callback() string {
	b.t.Helper()
	return b.authorize(b.begin().location(), user)
}

// login is a whole login.
func (b *browser) login() page {
	b.t.Helper()
	return b.get(b.callback())
}

// must gives the kuid of a login that succeeds.
func (b *browser) must() string {
	b.t.Helper()
	p := b.login()
	kuid, ok := p.get("result._id").(string)
	if !ok || p.status != http.StatusOK {
		b.t.Fatalf("%d %s", p.status, p.body)
	}
	return kuid
}

// refused checks an answer of 401 that says why.
func refused(t *testing.T, p page, text string) {
	t.Helper()
	if p.status != http.StatusUnauthorized || p.get("error.id") != "plugin.strategy.missing_user" || !strings.Contains(p.body, text) ||
		strings.Contains(p.body, "jwt") {
		t.Errorf("got %d %s, want a refusal with %s", p.status, p.body, strconv.Quote(text))
	}
}
