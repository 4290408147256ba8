package bridge_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// every is a strategy with all that one can have.
func every(t *testing.T, f *fake, methods ...pluginv1.StrategyMethod) auth.Named {
	t.Helper()
	b, _ := newBridge(t, f)
	return b.Strategies(&pluginv1.Manifest{Strategies: []*pluginv1.Strategy{{
		Name: "s", Fields: []string{"a"}, AccountField: "name", Methods: methods,
	}}})[0]
}

func answering(outcome string) *fake {
	return &fake{verify: func(*pluginv1.VerifyRequest) (*pluginv1.VerifyResponse, error) {
		return &pluginv1.VerifyResponse{Outcome: []byte(outcome)}, nil
	}}
}

func managed(result string) *fake {
	return &fake{manage: func(*pluginv1.ManageRequest) (*pluginv1.ManageResponse, error) {
		return &pluginv1.ManageResponse{Result: []byte(result)}, nil
	}}
}

func login() auth.Login {
	body, _ := protocol.ParseArgs(jsontext.Value(`{"name":"ann"}`), "")
	return auth.Login{Request: &protocol.Request{RequestID: "r"}, Body: body}
}

func TestOutcomes(t *testing.T) {
	for outcome, want := range map[string]struct {
		err     error
		kuid    string
		message string
		status  int
	}{
		`{"kuid":"ann"}`:                {kuid: "ann"},
		`{"kuid":"ann","more":[1]}`:     {kuid: "ann"},
		`false`:                         {},
		`{}`:                            {},
		`{"kuid":null,"message":"not"}`: {message: "not"},
		`{"statusCode":302,"headers":{"Location":"https://a.example/"}}`: {status: 302},
		`{"kuid":null,"statusCode":401,"headers":{}}`:                    {status: 401},
		``:                                {err: kerror.PluginStrategyInvalidVerifyReturn},
		`{"kuid":"ann"`:                   {err: kerror.PluginStrategyInvalidVerifyReturn},
		`{"kuid":"ann","kuid":"root"}`:    {err: kerror.PluginStrategyInvalidVerifyReturn},
		`true`:                            {err: kerror.PluginStrategyInvalidVerifyResolve},
		`null`:                            {err: kerror.PluginStrategyInvalidVerifyResolve},
		`"ann"`:                           {err: kerror.PluginStrategyInvalidVerifyResolve},
		`["ann"]`:                         {err: kerror.PluginStrategyInvalidVerifyResolve},
		`{"kuid":"ann","message":1}`:      {err: kerror.PluginStrategyInvalidVerifyResolve},
		`{"kuid":"ann","statusCode":302}`: {err: kerror.PluginStrategyInvalidVerifyResolve},
		`{"statusCode":99}`:               {err: kerror.PluginStrategyInvalidVerifyResolve},
		`{"headers":{"Location":"/"}}`:    {err: kerror.PluginStrategyInvalidVerifyResolve},
		`{"statusCode":302,"headers":[]}`: {err: kerror.PluginStrategyInvalidVerifyResolve},
		`{"statusCode":1e99}`:             {err: kerror.PluginStrategyInvalidVerifyResolve},
		`{"kuid":1}`:                      {err: kerror.PluginStrategyInvalidKuid},
		`{"kuid":""}`:                     {err: kerror.PluginStrategyInvalidKuid},
		`{"kuid":{"$ne":null}}`:           {err: kerror.PluginStrategyInvalidKuid},
		`{"kuid":true}`:                   {err: kerror.PluginStrategyInvalidKuid},
		`{"statusCode":302,"headers":{"A":"a\r\nSet-Cookie: b"}}`: {err: kerror.PluginStrategyInvalidVerifyResolve},
		`{"statusCode":302,"headers":{"A b":"a"}}`:                {err: kerror.PluginStrategyInvalidVerifyResolve},
	} {
		got, err := every(t, answering(outcome)).Verify(t.Context(), login())
		if want.err != nil || err != nil {
			if !errors.Is(err, want.err) || got.KUID != "" || got.Redirect != nil {
				t.Errorf("%s: %+v, %v", outcome, got, err)
			}
			continue
		}
		code := 0
		if got.Redirect != nil {
			code = got.Redirect.StatusCode
		}
		if got.KUID != want.kuid || got.Message != want.message || code != want.status {
			t.Errorf("%s: %+v", outcome, got)
		}
	}
}

func FuzzOutcome(f *testing.F) {
	for _, seed := range []string{`{"kuid":"ann"}`, `false`, `{"statusCode":302,"headers":{"Location":"/"}}`, `{"kuid":null,"message":"m"}`, `[`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, outcome []byte) {
		got, err := every(t, answering(string(outcome))).Verify(t.Context(), login())
		switch {
		case err != nil && (got.KUID != "" || got.Redirect != nil):
			t.Errorf("a user beside the error %v: %+v", err, got)
		case got.KUID != "" && !strings.Contains(string(outcome), "kuid"):
			t.Errorf("a user out of nowhere: %+v", got)
		case got.Redirect != nil && (got.KUID != "" || got.Redirect.StatusCode < 200 || got.Redirect.StatusCode > 599):
			t.Errorf("%+v", got)
		}
	})
}

// Whatever goes wrong on the way, nobody logs in.
func TestVerifyFailsClosed(t *testing.T) {
	failing := func(err error) *fake {
		return &fake{verify: func(*pluginv1.VerifyRequest) (*pluginv1.VerifyResponse, error) {
			return &pluginv1.VerifyResponse{Outcome: []byte(`{"kuid":"ann"}`)}, err
		}}
	}
	for name, c := range map[string]struct {
		fake *fake
		want error
	}{
		"down":                {nil, kerror.PluginRuntimeUnavailable},
		"crashed":             {failing(status.Error(codes.Unavailable, "EOF")), kerror.PluginRuntimeInterrupted},
		"late":                {failing(status.Error(codes.DeadlineExceeded, "")), kerror.PluginRuntimeActionTimeout},
		"without the service": {failing(status.Error(codes.Unimplemented, "unknown service")), kerror.PluginRuntimeUnexpectedError},
		"an error and a user": {&fake{verify: func(*pluginv1.VerifyRequest) (*pluginv1.VerifyResponse, error) {
			return &pluginv1.VerifyResponse{
				Outcome: []byte(`{"kuid":"ann"}`), Error: codec.FromError(kerror.ServicesStorageNotFound.New("x", "y", "z")),
			}, nil
		}}, kerror.ServicesStorageNotFound},
	} {
		got, err := every(t, c.fake).Verify(t.Context(), login())
		if !errors.Is(err, c.want) || got != (auth.Outcome{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	refused := &fake{verify: func(*pluginv1.VerifyRequest) (*pluginv1.VerifyResponse, error) {
		return &pluginv1.VerifyResponse{Outcome: []byte(`{"kuid":"ann"}`), Error: codec.FromError(kerror.Bare(kerror.UnauthorizedError, "Not you."))}, nil
	}}
	if got, err := every(t, refused).Verify(t.Context(), login()); err != nil || got != (auth.Outcome{Message: "Not you."}) {
		t.Errorf("refused with an error, which must count as a failed login: %+v, %v", got, err)
	}
}

// What is asked of a strategy, and what of its answers is believed.
func TestManage(t *testing.T) {
	all := []pluginv1.StrategyMethod{
		pluginv1.StrategyMethod_STRATEGY_METHOD_INFO, pluginv1.StrategyMethod_STRATEGY_METHOD_BY_ID,
		pluginv1.StrategyMethod_STRATEGY_METHOD_SEARCH, pluginv1.StrategyMethod_STRATEGY_METHOD_HOLDER,
	}
	ctx, req := context.Background(), &protocol.Request{Body: jsontext.Value(`{"credentials":{"local":{"password":"x"}}}`)}
	search := func(s auth.Strategy) (any, error) {
		return s.(auth.Searcher).Search(ctx, req, auth.CredentialSearch{Size: 1})
	}
	exists := func(s auth.Strategy) (any, error) { return s.Exists(ctx, req, "ann") }
	holder := func(s auth.Strategy) (any, error) { return s.(auth.Holder).Holder(ctx, req, nil) }
	for _, c := range []struct {
		name, result string
		call         func(auth.Strategy) (any, error)
		good         bool
	}{
		{"exists", `true`, exists, true},
		{"exists, a text", `"true"`, exists, false},
		{"exists, nothing", ``, exists, false},
		{"exists, no JSON", `tru`, exists, false},
		{"holder", `"ann"`, holder, true},
		{"nobody holds", `null`, holder, true},
		{"holder, a number", `1`, holder, false},
		{"search", `{"hits":[{"kuid":"ann"}],"total":3}`, search, true},
		{"search, more than asked for", `{"hits":[{"kuid":"ann"},{"kuid":"bob"}],"total":3}`, search, false},
		{"search, nobody", `{"hits":[{"name":"ann"}],"total":1}`, search, false},
		{"search, a wrong total", `{"hits":[{"kuid":"ann"}],"total":0}`, search, false},
		{"search, a list", `[]`, search, false},
		{"info, no JSON", `{`, func(s auth.Strategy) (any, error) { return s.(auth.Describer).Info(ctx, req, "ann") }, false},
	} {
		got, err := c.call(every(t, managed(c.result), all...).Strategy)
		if (err == nil) != c.good || err != nil && !errors.Is(err, kerror.PluginRuntimeUnexpectedError) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}

	var asked []*pluginv1.ManageRequest
	s := every(t, &fake{manage: func(in *pluginv1.ManageRequest) (*pluginv1.ManageResponse, error) {
		asked = append(asked, in)
		return &pluginv1.ManageResponse{}, nil
	}}, all...)
	if err := s.Delete(ctx, req, "ann"); err != nil || len(asked) != 1 || asked[0].GetKuid() != "ann" || asked[0].GetStrategy() != "s" {
		t.Errorf("%v, asked %v", err, asked)
	}
	if body := asked[0].GetRequest().GetBody(); body != nil {
		t.Errorf("credentials of another strategy crossed: %s", body)
	}
	if account := s.Strategy.(auth.AccountNamer).Account(login()); account != "ann" {
		t.Errorf("account %q", account)
	}
}

// A strategy is not asked for what it does not declare.
func TestUndeclaredMethods(t *testing.T) {
	s := every(t, &fake{manage: func(in *pluginv1.ManageRequest) (*pluginv1.ManageResponse, error) {
		t.Errorf("asked for %v", in.GetMethod())
		return &pluginv1.ManageResponse{}, nil
	}}).Strategy
	if info, err := s.(auth.Describer).Info(t.Context(), nil, "ann"); err != nil || info != struct{}{} {
		t.Errorf("%v, %v", info, err)
	}
	if holder, err := s.(auth.Holder).Holder(t.Context(), nil, nil); err != nil || holder != "" {
		t.Errorf("%v, %v", holder, err)
	}
	if _, err := s.(auth.Searcher).Search(t.Context(), nil, auth.CredentialSearch{}); !errors.Is(err, kerror.PluginStrategyMissingOptionalMethod) {
		t.Error(err)
	}
	if !slices.Equal(s.Fields(), []string{"a"}) {
		t.Error(s.Fields())
	}
}
