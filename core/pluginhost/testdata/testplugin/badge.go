package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// release is the version of the plugin badge; another build sets another.
var release = "1.0.0"

// badges is a plugin with two ways to log in: badge, a number with a PIN, and door, which sends the client elsewhere and lets
// it in when it comes back with what it was given there.
type badges struct {
	host *sdk.Host

	mu     sync.Mutex
	states map[string]bool // those given out and not used
}

func newBadges(id string) sdk.Plugin {
	b := &badges{states: map[string]bool{}}
	badge := sdk.Strategy{
		Name: "badge", Fields: []string{"number", "pin"}, Account: "number",
		Verify: b.verify, Exists: b.exists, Validate: b.validate, Create: b.put, Update: b.put, Delete: b.delete,
		Info: b.info, Holder: b.holder,
	}
	if release != "1.0.0" {
		badge.ByID, badge.Search = b.byID, b.search
	}
	door := badge
	door.Name, door.Account, door.Verify = "door", "", b.pass
	door.Exists = func(context.Context, *sdk.Request, string) (bool, error) { return false, nil }
	door.Info, door.ByID, door.Search, door.Holder = nil, nil, nil, nil
	p := sdk.Plugin{
		ID: id, Version: release, Description: "Knows badges.", Strategies: []sdk.Strategy{badge, door},
		Calls: []string{"auth:*", "security:*"}, Collections: []sdk.Collection{{Name: "badges"}, {Name: "numbers"}},
		Start: func(_ context.Context, h *sdk.Host, _ jsontext.Value) error {
			b.host = h
			return nil
		},
		Actions: []sdk.Action{{Controller: id, Name: "call", Handler: b.call}},
	}
	if strings.HasSuffix(id, "-steps") { // a pipe of a plugin that is down stops what it guards
		p.Pipes = map[string]sdk.PipeFunc{"auth:strategyAuthenticated": secondStep}
		p.Hooks = map[string]sdk.HookFunc{"core:auth:strategyAdded": func(_ context.Context, e *sdk.Event) {
			slog.Info("strategy added " + string(e.Data))
		}}
	}
	return p
}

// stored are the credentials of one user. A real plugin would hash the PIN.
type stored struct {
	Number string `json:"number"`
	PIN    string `json:"pin,omitempty"`
	KUID   string `json:"kuid"`
}

func (b *badges) verify(ctx context.Context, l *sdk.Login) (sdk.Outcome, error) {
	refused := sdk.Outcome{Message: "Wrong badge or PIN."}
	switch l.Field("number") {
	case "ghost":
		return sdk.Outcome{KUID: "nobody-of-that-name"}, nil
	case "crash":
		os.Exit(3)
	case "slow":
		time.Sleep(time.Hour) // deaf to ctx, as plugins are
	case "fail":
		return sdk.Outcome{KUID: "root"}, errors.New("the reader is broken")
	case "unauthorized":
		return sdk.Outcome{}, kerror.Bare(kerror.UnauthorizedError, "Not you.")
	case "panic":
		panic("ouch")
	}
	kuid, err := b.owner(ctx, l.Field("number"))
	if err != nil || kuid == "" {
		return refused, err
	}
	s, err := b.of(ctx, kuid)
	if err != nil || s == nil || s.PIN != l.Field("pin") {
		return refused, err
	}
	return sdk.Outcome{KUID: kuid}, nil
}

// pass is the login of door.
func (b *badges) pass(_ context.Context, l *sdk.Login) (sdk.Outcome, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	state := l.Field("state")
	if state == "" {
		b.states["s1"] = true
		return sdk.Outcome{Redirect: &sdk.Redirect{
			StatusCode: http.StatusFound, Header: http.Header{"Location": {"https://door.example/?state=s1"}},
			More: map[string]any{"state": "s1"},
		}}, nil
	}
	if !b.states[state] {
		return sdk.Outcome{Message: "The door does not know this visit."}, nil
	}
	delete(b.states, state)
	return sdk.Outcome{KUID: l.Field("user")}, nil
}

// secondStep asks for more where a user is stored with twoSteps.
func secondStep(_ context.Context, e *sdk.Event) error {
	var data struct {
		Content struct {
			Source struct{ TwoSteps bool } `json:"_source"`
		} `json:"content"`
		Strategy string `json:"strategy"`
	}
	if err := json.Unmarshal(e.Data, &data, json.MatchCaseInsensitiveNames(true)); err != nil {
		return err
	}
	if data.Content.Source.TwoSteps {
		e.Data = jsontext.Value(`{"content":{"next":"the code that was sent"},"strategy":"` + data.Strategy + `"}`)
	}
	return nil
}

func (b *badges) exists(ctx context.Context, _ *sdk.Request, kuid string) (bool, error) {
	s, err := b.of(ctx, kuid)
	return s != nil, err
}

func (b *badges) validate(_ context.Context, r *sdk.Request, c sdk.Credentials) error {
	var s stored
	if r.Body != nil {
		return errors.New("the body of the request is not for strategies")
	}
	if err := json.Unmarshal(c.Value, &s); err != nil || len(s.PIN) < 4 {
		return kerror.SecurityCredentialsRejected.New("a PIN has 4 digits or more")
	}
	return nil
}

func (b *badges) put(ctx context.Context, r *sdk.Request, c sdk.Credentials) (any, error) {
	var s stored
	if err := json.Unmarshal(c.Value, &s); err != nil {
		return nil, err
	}
	if s.Number == "late" {
		return nil, kerror.Bare(kerror.PreconditionError, "The printer has no paper.")
	}
	s.KUID = c.KUID
	holder, err := b.owner(ctx, s.Number)
	if err != nil {
		return nil, err
	}
	if holder != "" && holder != c.KUID {
		return nil, kerror.Bare(kerror.PreconditionError, "The badge is somebody else's.")
	}
	if err := b.delete(ctx, r, c.KUID); err != nil {
		return nil, err
	}
	if _, err := b.host.Store("badges").Put(ctx, c.KUID, s); err != nil {
		return nil, err
	}
	_, err = b.host.Store("numbers").Put(ctx, s.Number, s)
	return public(s), err
}

func (b *badges) delete(ctx context.Context, _ *sdk.Request, kuid string) error {
	s, err := b.of(ctx, kuid)
	if err != nil || s == nil {
		return err
	}
	if err := b.host.Store("numbers").Delete(ctx, s.Number); err != nil {
		return err
	}
	return b.host.Store("badges").Delete(ctx, kuid)
}

func (b *badges) info(ctx context.Context, _ *sdk.Request, kuid string) (any, error) {
	s, err := b.of(ctx, kuid)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, kerror.Bare(kerror.NotFoundError, "This user has no badge.")
	}
	return public(*s), nil
}

func (b *badges) byID(ctx context.Context, r *sdk.Request, id string) (any, error) {
	kuid, err := b.owner(ctx, id)
	if err != nil {
		return nil, err
	}
	return b.info(ctx, r, kuid)
}

// search finds by number alone.
func (b *badges) search(ctx context.Context, _ *sdk.Request, s sdk.CredentialSearch) (sdk.CredentialsFound, error) {
	var query struct {
		Term struct {
			Number string `json:"number"`
		} `json:"term"`
	}
	found := sdk.CredentialsFound{Hits: []any{}}
	if err := json.Unmarshal(s.Query, &query, json.RejectUnknownMembers(true)); err != nil {
		return found, kerror.Bare(kerror.ForbiddenError, "Badges are found by their number.")
	}
	kuid, err := b.owner(ctx, query.Term.Number)
	if kuid != "" {
		found.Hits, found.Total = append(found.Hits, stored{Number: query.Term.Number, KUID: kuid}), 1
	}
	return found, err
}

func (b *badges) holder(ctx context.Context, _ *sdk.Request, c sdk.Credentials) (string, error) {
	var s stored
	if err := json.Unmarshal(c.Value, &s); err != nil || s.Number == "" {
		return "", nil // validate says so
	}
	return b.owner(ctx, s.Number)
}

// owner is who has the number, "" for nobody.
func (b *badges) owner(ctx context.Context, number string) (string, error) {
	s, err := b.read(ctx, "numbers", number)
	if s == nil {
		return "", err
	}
	return s.KUID, err
}

// of is what a user has, nil for nothing.
func (b *badges) of(ctx context.Context, kuid string) (*stored, error) {
	return b.read(ctx, "badges", kuid)
}

func (b *badges) read(ctx context.Context, collection, id string) (*stored, error) {
	if id == "" {
		return nil, nil
	}
	doc, err := b.host.Store(collection).Get(ctx, id)
	if errors.Is(err, kerror.ServicesStorageNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := new(stored)
	return s, json.Unmarshal(doc.Source, s)
}

func public(s stored) any { return map[string]string{"number": s.Number, "kuid": s.KUID} }

// call runs the action in the arguments what, id and asUser with the body of the request.
func (b *badges) call(ctx context.Context, r *sdk.Request) (any, error) {
	c := sdk.Call{ID: r.ID}
	var err error
	if c.Controller, err = r.Args.String("of"); err != nil {
		return nil, err
	}
	if c.Action, err = r.Args.String("what"); err != nil {
		return nil, err
	}
	if r.Body != nil {
		c.Body = r.Body
	}
	if strategy, err := r.Args.OptString("strategy", ""); err == nil && strategy != "" {
		c.Args = map[string]string{"strategy": strategy}
	}
	asUser, err := r.Args.Bool("asUser")
	if err != nil {
		return nil, err
	}
	f := b.host.Call
	if asUser {
		f = b.host.CallAsUser
	}
	out, err := f(ctx, c)
	if out.Value == nil {
		return protocol.Absent, err
	}
	return out.Value, err
}
