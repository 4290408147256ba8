package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The secrets that stand-ins expect, and those that they give out.
const (
	clientSecret  = "client/secret of gvp"
	serviceToken  = "service-token-secret"
	accessOfUser  = "user-access-secret"
	wssKey        = "key-of-device-type-1"
	internalKey   = "internal-key-secret"
	kernelKey     = "kernel-key-secret"
	lineSecret    = "direct-line-secret"
	conversations = "conversation-token-secret"
)

// standIn is the fourth platform, Aura and Direct Line in one server. It refuses what they would refuse, and keeps what it
// was asked.
type standIn struct {
	*httptest.Server
	t   testing.TB
	key *rsa.PrivateKey

	mu sync.Mutex
	// answers replace the usual one, by method and path.
	answers     map[string]reply
	seen        []string // method and path
	correlators []string
	assertions  []jwt.MapClaims
	texts       []string // of the assertions
	identities  int
	dead        map[string]bool // Aura IDs that are nobody's
}

type reply struct {
	status int
	body   string
	hang   bool
}

func newStandIn(t testing.TB) *standIn {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := &standIn{t: t, key: key, answers: map[string]reply{}, dead: map[string]bool{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.CloseClientConnections)
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	name := r.Method + " " + r.URL.Path
	if strings.HasPrefix(name, "POST /auth/token") {
		name += " " + r.PostForm.Get("grant_type")
	}
	s.mu.Lock()
	s.seen = append(s.seen, name)
	s.correlators = append(s.correlators, r.Header.Get("x-correlator"))
	own, replaced := s.answers[name]
	s.mu.Unlock()
	if own.hang {
		select {
		case <-r.Context().Done():
		case <-time.After(20 * time.Second):
		}
		return
	}
	status, body := s.answer(name, r)
	if replaced {
		status, body = own.status, own.body
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func (s *standIn) answer(name string, r *http.Request) (int, string) {
	authorization := r.Header.Get("Authorization")
	s.mu.Lock()
	defer s.mu.Unlock()
	switch path := r.URL.Path; {
	case name == "POST /auth/token client_credentials":
		return s.grant(r, serviceToken)
	case name == "POST /auth/token "+grantBearer:
		if err := s.verify(r.PostForm.Get("assertion")); err != nil {
			s.t.Errorf("assertion: %v", err)
			return 400, `{"error":"invalid_grant"}`
		}
		return s.grant(r, accessOfUser)
	case name == "POST /auth/introspect": // the plugin aura asks
		if status, refused := s.grant(r, ""); status != 200 || r.PostForm.Get("token") != accessOfUser {
			return status, refused
		}
		return 200, `{"active":true,"sub":"4p-unique-ana","authorization_id":"authorization-ana","channel_id":"` + auraChannel + `"}`
	case strings.HasPrefix(path, "/api/userprofile/v3/users/"):
		if authorization != "Bearer "+serviceToken {
			return 401, `{"code":"UNAUTHENTICATED","message":"no"}`
		}
		return 200, `{"id":"4p-` + strings.TrimPrefix(path, "/api/userprofile/v3/users/") + `","other":1}`
	case path == "/kernel/aura-services/v1/users/aura-id":
		byKey := authorization == "APIKEY "+kernelKey && r.URL.Query().Get("userId") == "4p-unique-ana" &&
			r.URL.Query().Get("channelId") == "c-1" && r.URL.Query().Get("authorizationId") != ""
		if authorization != "Bearer "+accessOfUser && !byKey {
			return 401, `{"code":"UNAUTHENTICATED","message":"no"}`
		}
		s.identities++
		return 200, fmt.Sprintf(`{"auraId":"aura-%d","auraIdGlobal":"g","channelId":"c"}`, s.identities)
	case path == "/aura/token/wss" && authorization == "APIKEY "+wssKey:
		return 200, s.conversation()
	case path == "/line/v3/directline/conversations" && authorization == "Bearer "+lineSecret:
		return 201, strings.Replace(s.conversation(), `,"referenceGrammarId":"4fcf85f0-4838-b45f-8290-6619774f88a8"`, "", 1)
	case strings.HasPrefix(path, "/aura/users/") && authorization == "APIKEY "+internalKey:
		if s.dead[strings.TrimPrefix(path, "/aura/users/")] {
			return 404, `{"code":"NOT_FOUND","message":"no"}`
		}
		return 200, `{"auraId":"x"}`
	}
	return 401, `{"code":"UNAUTHENTICATED","message":"no"}`
}

// conversation is like the documentation's example, with one member that it has not.
func (s *standIn) conversation() string {
	n := len(s.seen)
	return fmt.Sprintf(`{"conversationId":"conv-%d","token":"%s-%d","expires_in":3600,`+
		`"streamUrl":"wss://directline.botframework.com/v3/directline/conversations/conv-%d-a/stream?watermark=&t=stream-secret","eTag":"x"`+
		`,"referenceGrammarId":"4fcf85f0-4838-b45f-8290-6619774f88a8"}`, n, conversations, n, n)
}

func (s *standIn) grant(r *http.Request, token string) (int, string) {
	id, secret, _ := r.BasicAuth()
	secret, _ = url.QueryUnescape(secret)
	if id != "gvp" || secret != clientSecret || r.Header.Get("Content-Type") != typeForm {
		return 401, `{"error":"invalid_client"}`
	}
	return 200, `{"access_token":"` + token + `","token_type":"Bearer","expires_in":3600}`
}

// verify checks an assertion as the platform would, and that it was never used before.
func (s *standIn) verify(text string) error {
	claims := jwt.MapClaims{}
	token, err := jwt.ParseWithClaims(text, claims, func(*jwt.Token) (any, error) { return &s.key.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer("gvp"), jwt.WithAudience(s.URL+"/auth"), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	if err != nil {
		return err
	}
	issued, _ := claims.GetIssuedAt()
	expires, _ := claims.GetExpirationTime()
	if issued == nil || expires.Sub(issued.Time) != assertionLifetime || token.Header["kid"] != thumbprint(&s.key.PublicKey) || token.Header["typ"] != "JWT" {
		return fmt.Errorf("header %v, claims %v", token.Header, claims)
	}
	for _, other := range s.assertions {
		if other["jti"] == claims["jti"] {
			return fmt.Errorf("jti %v is used twice", claims["jti"])
		}
	}
	s.assertions, s.texts = append(s.assertions, claims), append(s.texts, text)
	return nil
}

// instead makes the stand-in answer something else, or as usual with a status of 0.
func (s *standIn) instead(name string, r reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r == (reply{}) {
		delete(s.answers, name)
		return
	}
	s.answers[name] = r
}

// asked gives what it was asked since the last time.
func (s *standIn) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}

// correlatorsSeen gives those of the calls since the last time.
func (s *standIn) correlatorsSeen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.correlators
	s.correlators = nil
	return seen
}

func (s *standIn) kill(auraID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead[auraID] = true
}

// The calls of one GetAuraToken for a device without Aura ID, in their order, the service token being known or not.
var (
	callsFor4P = []string{"GET /api/userprofile/v3/users/unique-ana", "POST /auth/token " + grantBearer, "GET /kernel/aura-services/v1/users/aura-id"}
	callsAtAll = slices.Concat([]string{"POST /auth/token client_credentials"}, callsFor4P, []string{"GET /aura/token/wss"})
)

// connected is a node whose plugin has the stand-in for everything, and ana's token.
type connected struct {
	*service
	*standIn
	token   string
	keyFile string
}

func connect(t testing.TB, o options) connected {
	t.Helper()
	return connectTo(t, newStandIn(t), o)
}

func connectTo(t testing.TB, up *standIn, o options) connected {
	t.Helper()
	keyFile := filepath.Join(t.TempDir(), "key.pem")
	writeFile(t, keyFile, keyPEM(t, up.key))
	settings := map[string]any{
		"fourthPlatform": map[string]any{
			"authURL": up.URL + "/auth", "apiURL": up.URL + "/api", "clientId": "gvp", "scope": "aura", "purpose": "identify", "acr": "2",
			"identifierType": "uid", "privateKeyFile": keyFile,
		},
		"auraId": map[string]any{"url": up.URL + "/kernel"}, "auraToken": map[string]any{"url": up.URL + "/aura"},
		"callsPerMinute": 0, "upstream": map[string]any{"breakerFailures": 1000},
	}
	maps.Copy(settings, o.settings)
	if o.outside != nil {
		maps.Copy(settings, o.outside(up.URL))
	}
	o.settings = settings
	secrets := map[string]string{
		secret4PClient: clientSecret, secretAuraKeys: `{"1":"` + wssKey + `"}`, secretAuraInternal: internalKey,
		secretAuraKernel: kernelKey, secretDirectLine: lineSecret,
	}
	maps.Copy(secrets, o.secrets)
	o.secrets = secrets
	s := start(t, o)
	return connected{s, up, s.token("ana", 25), keyFile}
}

func keyPEM(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
