package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/oauth2"

	oidclib "github.com/coreos/go-oidc/v3/oidc"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// Options are what a Strategy is made of.
type Options struct {
	// Name is the name of the strategy.
	Name string
	// Issuer, ClientID, ClientSecret and RedirectURL are what provider and node know each other by. The secret is "" for a
	// public client.
	Issuer, ClientID, ClientSecret, RedirectURL string
	// Scopes are asked for beside openid.
	Scopes []string
	// CreateUser makes a user with ProfileIDs at the first login of an unknown subject. UserFields are copied into it: the
	// claim by the field.
	CreateUser bool
	ProfileIDs []string
	UserFields map[string]string
	// AllowedDomains, when there are any, are those that a verified e-mail address must be of.
	AllowedDomains []string
	// LoginTimeout is how long a login may take; 0 is ten minutes.
	LoginTimeout time.Duration
	// CAFile is a PEM file of further authorities, "" for none.
	CAFile string
	// Timeout bounds one call of the provider; 0 is ten seconds.
	Timeout time.Duration

	Engine storage.Engine
	Users  Users
	// Logger is told why a login could not be verified; nil is slog.Default.
	Logger *slog.Logger
}

// Users makes the users of first logins.
type Users interface {
	CreateUser(ctx context.Context, req *protocol.Request, n auth.NewUser) (security.Stored, error)
}

// credentialsCollection holds a record for each subject of an issuer, for all providers.
var credentialsCollection = storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "oidc-credentials"}

// Strategy is login with one provider. It is safe for concurrent use.
//
// Life: Open, then Close. It asks nothing of the provider before the first login.
type Strategy struct {
	options  Options
	engine   storage.Engine
	log      *slog.Logger
	provider *provider
	logins   *logins
	// writing is held by the one change of credentials in progress: that a user has one subject only is checked, then
	// written. In a cluster two nodes could give one user two subjects at the same moment; both would belong to that user.
	writing chan struct{}
	// making is held by the one first login that makes a user.
	making chan struct{}
}

// Open makes the collection and reads the certificates.
func Open(ctx context.Context, o Options) (*Strategy, error) {
	if o.LoginTimeout == 0 {
		o.LoginTimeout = 10 * time.Minute
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	client, err := newClient(o)
	if err != nil {
		return nil, err
	}
	s := &Strategy{
		options: o, engine: o.Engine, log: o.Logger.With("strategy", o.Name), writing: make(chan struct{}, 1), making: make(chan struct{}, 1),
		provider: newProvider(o, client),
	}
	if s.logins, err = newLogins(o.LoginTimeout); err != nil {
		return nil, err
	}
	spec := storage.Spec{
		Keywords: []string{"kuid"},
		Mapping:  jsontext.Value(`{"dynamic":"false","properties":{"kuid":{"type":"keyword"},"issuer":{"type":"keyword"},"subject":{"type":"keyword"}}}`),
	}
	if err := s.engine.Ensure(ctx, credentialsCollection, spec); err != nil {
		return nil, fmt.Errorf("make collection %s: %w", credentialsCollection.Name, err)
	}
	return s, nil
}

// Check reports what Open would say of the certificates, without asking anybody.
func Check(o Options) error {
	_, err := newClient(o)
	return err
}

// Close gives up the connections to the provider.
func (s *Strategy) Close() { s.provider.client.CloseIdleConnections() }

// Fields names the members of credentials.
func (s *Strategy) Fields() []string { return []string{"subject"} }

// refusal is why a login is refused, in words for the client.
type refusal string

func (r refusal) Error() string { return string(r) }

const (
	notBegun     refusal = "This login was not begun here, was finished already or took too long. Begin it again."
	unverified   refusal = "The answer of the OpenID provider could not be verified. Begin the login again; if that does not help, the log of the node says why."
	notAllowed   refusal = "This account of the OpenID provider may not log in here: its e-mail address is not verified or of another domain."
	noAccount    refusal = "No user here belongs to this account of the OpenID provider. Ask an administrator for one."
	noWayToBind  refusal = "A login with an OpenID provider needs HTTP, WebSocket or MQTT."
	codeIsNoGood refusal = "The OpenID provider does not accept the code. Begin the login again."
	notAccepted  refusal = "The OpenID provider does not accept the code. Begin the login again; if that does not help, the log of the node says why."
	wentAway     refusal = "The client was gone before the OpenID provider answered. Begin the login again."
)

// Verify sends the client to the provider, or logs it in with the code or error that came back from there. What came back is
// in the fields code, state, error, error_description and iss.
func (s *Strategy) Verify(ctx context.Context, login auth.Login) (auth.Outcome, error) {
	outcome, err := s.verify(ctx, login)
	var r refusal
	if errors.As(err, &r) {
		return auth.Outcome{Message: string(r)}, nil
	}
	return outcome, err
}

func (s *Strategy) verify(ctx context.Context, login auth.Login) (auth.Outcome, error) {
	if !cameBack(login) {
		return s.begin(ctx, login.Request)
	}
	l, err := s.resume(login)
	if err != nil {
		return auth.Outcome{}, err
	}
	kuid, err := s.finish(ctx, login, l)
	if kuid == "" {
		s.logins.drop(l)
	}
	return auth.Outcome{KUID: kuid}, err
}

// cameBack reports whether the provider has answered.
func cameBack(login auth.Login) bool {
	for _, name := range []string{"code", "state", "error"} {
		if login.Body.Has(name) || login.Args.Has(name) {
			return true
		}
	}
	return false
}

// begin sends the client to the provider.
func (s *Strategy) begin(ctx context.Context, req *protocol.Request) (auth.Outcome, error) {
	found, err := s.provider.get(ctx)
	if err != nil {
		return auth.Outcome{}, err
	}
	client, err := s.bind(req)
	if err != nil {
		return auth.Outcome{}, err
	}
	l, err := s.logins.begin(client)
	if err != nil {
		return auth.Outcome{}, err
	}
	return auth.Outcome{Redirect: &auth.Redirect{
		StatusCode: http.StatusFound,
		Headers: map[string]string{
			"Location": found.oauth.AuthCodeURL(l.state, oidclib.Nonce(l.nonce), oauth2.S256ChallengeOption(l.verifier)),
		},
	}}, nil
}

// resume finds the login that the client began. It cannot be resumed again while it is being finished, nor after it succeeded.
func (s *Strategy) resume(login auth.Login) (pending, error) {
	client, err := s.bound(login.Request)
	if err != nil {
		return pending{}, err
	}
	return s.logins.take(login.Field("state"), client, auth.Network(login.Request.Connection.ClientIP))
}

// finish gives the user that a login is for, from what the provider made of it.
func (s *Strategy) finish(ctx context.Context, login auth.Login, l pending) (string, error) {
	if iss := login.Field("iss"); iss != "" && iss != s.options.Issuer { // RFC 9207: the answer of another provider
		return "", notBegun
	}
	if code := login.Field("error"); code != "" {
		return "", refusedBy(code, login.Field("error_description"))
	}
	id, err := s.identify(ctx, l, login.Field("code"))
	if err != nil {
		return "", err
	}
	return s.account(ctx, login, id)
}

// refusedBy is the refusal of a provider, of which no more is shown than a client needs.
func refusedBy(code, description string) refusal {
	text := "The OpenID provider refused the login: " + printable(code, maxErrorBytes)
	if description != "" {
		text += " (" + printable(description, maxDescriptionBytes) + ")"
	}
	return refusal(text + ".")
}

// How much is shown of an error of the provider.
const (
	maxErrorBytes       = 64
	maxDescriptionBytes = 256
)

// printable gives the printable ASCII of text, which is all that errors may consist of (RFC 6749, 4.1.2.1).
func printable(text string, most int) string {
	shown := make([]byte, 0, min(len(text), most))
	for i := 0; i < len(text) && len(shown) < most; i++ {
		if c := text[i]; c >= ' ' && c <= '~' {
			shown = append(shown, c)
		}
	}
	return string(shown)
}

var (
	_ auth.Strategy  = (*Strategy)(nil)
	_ auth.Describer = (*Strategy)(nil)
	_ auth.Holder    = (*Strategy)(nil)
	_ auth.Forget    = Forget
)
