package bridge

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// strategy is a way to log in that the plugin brings. While the plugin is down every method fails with
// plugin.runtime.unavailable: nobody logs in, and no user is made or deleted whose credentials there cannot be looked at.
//
// It has every optional method of a strategy. One that the manifest does not declare answers as the node does for strategies
// without it.
type strategy struct {
	bridge   *Bridge
	manifest *pluginv1.Strategy
}

// Strategies are the ways to log in that the plugin brings.
func (b *Bridge) Strategies(m *pluginv1.Manifest) []auth.Named {
	var list []auth.Named
	for _, s := range m.GetStrategies() {
		list = append(list, auth.Named{Name: s.GetName(), Owner: b.Plugin, Strategy: strategy{b, s}})
	}
	return list
}

// Fields implements auth.Strategy.
func (s strategy) Fields() []string { return append([]string{}, s.manifest.GetFields()...) }

// Account implements auth.AccountNamer.
func (s strategy) Account(login auth.Login) string { return login.Field(s.manifest.GetAccountField()) }

// Verify implements auth.Strategy. A plugin that refuses with an error of status 401 has refused: it must not evade the
// count of failed logins.
func (s strategy) Verify(ctx context.Context, login auth.Login) (auth.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, s.bridge.CallTimeout)
	defer cancel()
	var out *pluginv1.VerifyResponse
	err := s.bridge.call(ctx, s.call("verify", login.Request), func(t Transport, id uint64) error {
		in := &pluginv1.VerifyRequest{
			Strategy: s.manifest.GetName(), Request: codec.FromRequest(login.Request, s.bridge.Plugin), CallId: id,
		}
		err := s.bridge.fits(in)
		if err == nil {
			out, err = t.Verify(ctx, in)
		}
		return err
	}, func() bool { return out.GetError() != nil })
	if err != nil {
		return auth.Outcome{}, err
	}
	if failure := codec.ToError(out.GetError()); failure != nil {
		if failure.Status == kerror.UnauthorizedError.Status() {
			return auth.Outcome{Message: failure.Message}, nil
		}
		return auth.Outcome{}, failure
	}
	return toOutcome(s.manifest.GetName(), out.GetOutcome())
}

// Exists implements auth.Credentials.
func (s strategy) Exists(ctx context.Context, req *protocol.Request, kuid string) (bool, error) {
	result, err := s.manage(ctx, req, &pluginv1.ManageRequest{Method: pluginv1.StrategyMethod_STRATEGY_METHOD_EXISTS, Kuid: kuid})
	if err != nil {
		return false, err
	}
	switch result.Kind() {
	case 't':
		return true, nil
	case 'f':
		return false, nil
	default:
		return false, s.nonsense("exists must answer true or false")
	}
}

// Validate implements auth.Credentials.
func (s strategy) Validate(ctx context.Context, req *protocol.Request, kuid string, credentials jsontext.Value, update bool) (any, error) {
	return s.answer(ctx, req, &pluginv1.ManageRequest{
		Method: pluginv1.StrategyMethod_STRATEGY_METHOD_VALIDATE, Kuid: kuid, Credentials: credentials, Update: update,
	})
}

// Create implements auth.Credentials.
func (s strategy) Create(ctx context.Context, req *protocol.Request, kuid string, credentials jsontext.Value) (any, error) {
	return s.answer(ctx, req, &pluginv1.ManageRequest{
		Method: pluginv1.StrategyMethod_STRATEGY_METHOD_CREATE, Kuid: kuid, Credentials: credentials,
	})
}

// Update implements auth.Credentials.
func (s strategy) Update(ctx context.Context, req *protocol.Request, kuid string, credentials jsontext.Value) (any, error) {
	return s.answer(ctx, req, &pluginv1.ManageRequest{
		Method: pluginv1.StrategyMethod_STRATEGY_METHOD_UPDATE, Kuid: kuid, Credentials: credentials,
	})
}

// Delete implements auth.Credentials.
func (s strategy) Delete(ctx context.Context, req *protocol.Request, kuid string) error {
	_, err := s.manage(ctx, req, &pluginv1.ManageRequest{Method: pluginv1.StrategyMethod_STRATEGY_METHOD_DELETE, Kuid: kuid})
	return err
}

// Info implements auth.Describer.
func (s strategy) Info(ctx context.Context, req *protocol.Request, kuid string) (any, error) {
	return s.describe(ctx, req, &pluginv1.ManageRequest{Method: pluginv1.StrategyMethod_STRATEGY_METHOD_INFO, Kuid: kuid})
}

// ByID implements auth.Describer.
func (s strategy) ByID(ctx context.Context, req *protocol.Request, id string) (any, error) {
	return s.describe(ctx, req, &pluginv1.ManageRequest{Method: pluginv1.StrategyMethod_STRATEGY_METHOD_BY_ID, Id: id})
}

func (s strategy) describe(ctx context.Context, req *protocol.Request, in *pluginv1.ManageRequest) (any, error) {
	if !s.has(in.GetMethod()) {
		return struct{}{}, nil
	}
	return s.answer(ctx, req, in)
}

// Holder implements auth.Holder.
func (s strategy) Holder(ctx context.Context, req *protocol.Request, credentials jsontext.Value) (string, error) {
	in := &pluginv1.ManageRequest{Method: pluginv1.StrategyMethod_STRATEGY_METHOD_HOLDER, Credentials: credentials}
	if !s.has(in.GetMethod()) {
		return "", nil
	}
	result, err := s.manage(ctx, req, in)
	if err != nil {
		return "", err
	}
	var kuid *string
	if json.Unmarshal(result, &kuid) != nil {
		return "", s.nonsense("holder must answer a kuid or null")
	}
	if kuid == nil {
		return "", nil
	}
	return *kuid, nil
}

// Search implements auth.Searcher.
func (s strategy) Search(ctx context.Context, req *protocol.Request, search auth.CredentialSearch) (auth.CredentialsFound, error) {
	in := &pluginv1.ManageRequest{Method: pluginv1.StrategyMethod_STRATEGY_METHOD_SEARCH, Search: &pluginv1.CredentialSearch{
		Query: search.Query, Sort: search.Sort,
		From: uint32(max(search.From, 0)), Size: uint32(max(search.Size, 0)), //nolint:gosec // the controller bounded them
	}}
	if !s.has(in.GetMethod()) {
		return auth.CredentialsFound{}, kerror.PluginStrategyMissingOptionalMethod.New("search", s.manifest.GetName())
	}
	result, err := s.manage(ctx, req, in)
	if err != nil {
		return auth.CredentialsFound{}, err
	}
	return s.toFound(result, search.Size)
}

// toFound reads what a search found: no more than was asked for, and each with its user.
func (s strategy) toFound(result jsontext.Value, size int) (auth.CredentialsFound, error) {
	var found struct {
		Hits  []jsontext.Value `json:"hits"`
		Total int              `json:"total"`
	}
	if json.Unmarshal(result, &found) != nil || len(found.Hits) > max(size, 0) || found.Total < len(found.Hits) {
		return auth.CredentialsFound{}, s.nonsense("search must answer {hits, total}, with no more hits than were asked for")
	}
	list := auth.CredentialsFound{Hits: []any{}, Total: found.Total}
	for _, hit := range found.Hits {
		var who struct {
			KUID string `json:"kuid"`
		}
		if json.Unmarshal(hit, &who) != nil || who.KUID == "" {
			return auth.CredentialsFound{}, s.nonsense("each hit of a search must be an object with the user in kuid")
		}
		list.Hits = append(list.Hits, hit)
	}
	return list, nil
}

// answer is manage for a result that goes to the client, null when there is none.
func (s strategy) answer(ctx context.Context, req *protocol.Request, in *pluginv1.ManageRequest) (any, error) {
	result, err := s.manage(ctx, req, in)
	if err != nil || len(result) == 0 {
		return nil, err
	}
	return result, nil
}

// manage runs a method; the result is JSON or empty. The body of the request stays here: it may hold credentials of other
// strategies, and those that are for this one are in in.
func (s strategy) manage(ctx context.Context, req *protocol.Request, in *pluginv1.ManageRequest) (jsontext.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, s.bridge.CallTimeout)
	defer cancel()
	in.Strategy, in.Request = s.manifest.GetName(), codec.FromRequest(req, s.bridge.Plugin)
	in.Request.Body, in.Request.RawBody = nil, nil
	var out *pluginv1.ManageResponse
	err := s.bridge.call(ctx, s.call(methodNames[in.GetMethod()], req), func(t Transport, id uint64) error {
		in.CallId = id
		err := s.bridge.fits(in)
		if err == nil {
			out, err = t.Manage(ctx, in)
		}
		return err
	}, func() bool { return out.GetError() != nil })
	if err != nil {
		return nil, err
	}
	if failure := codec.ToError(out.GetError()); failure != nil {
		return nil, failure
	}
	if result := jsontext.Value(out.GetResult()); len(result) == 0 || result.IsValid() {
		return result, nil
	}
	return nil, s.nonsense(methodNames[in.GetMethod()] + " must answer JSON")
}

var methodNames = map[pluginv1.StrategyMethod]string{
	pluginv1.StrategyMethod_STRATEGY_METHOD_EXISTS:   "exists",
	pluginv1.StrategyMethod_STRATEGY_METHOD_VALIDATE: "validate",
	pluginv1.StrategyMethod_STRATEGY_METHOD_CREATE:   "create",
	pluginv1.StrategyMethod_STRATEGY_METHOD_UPDATE:   "update",
	pluginv1.StrategyMethod_STRATEGY_METHOD_DELETE:   "delete",
	pluginv1.StrategyMethod_STRATEGY_METHOD_INFO:     "info",
	pluginv1.StrategyMethod_STRATEGY_METHOD_BY_ID:    "byId",
	pluginv1.StrategyMethod_STRATEGY_METHOD_SEARCH:   "search",
	pluginv1.StrategyMethod_STRATEGY_METHOD_HOLDER:   "holder",
}

func (s strategy) call(method string, req *protocol.Request) call {
	return call{kind: "strategy", what: "the strategy " + s.manifest.GetName() + ":" + method, request: req}
}

func (s strategy) has(method pluginv1.StrategyMethod) bool {
	return slices.Contains(s.manifest.GetMethods(), method)
}

func (s strategy) nonsense(text string) error {
	return kerror.PluginRuntimeUnexpectedError.New("strategy " + s.manifest.GetName() + ": " + text)
}

var (
	_ auth.Strategy     = strategy{}
	_ auth.Describer    = strategy{}
	_ auth.Holder       = strategy{}
	_ auth.AccountNamer = strategy{}
	_ auth.Searcher     = strategy{}
)
