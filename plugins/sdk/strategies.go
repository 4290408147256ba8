package sdk

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

type strategies struct {
	pluginv1.UnimplementedStrategiesServer
	*running
}

// Verify implements pluginv1.StrategiesServer.
func (s strategies) Verify(ctx context.Context, in *pluginv1.VerifyRequest) (*pluginv1.VerifyResponse, error) {
	var outcome Outcome
	failure, err := s.serve(ctx, in, "verify", func(ctx context.Context, strategy *Strategy, r *Request) (err error) {
		outcome, err = strategy.Verify(ctx, &Login{r})
		return err
	})
	if err != nil || failure != nil {
		return &pluginv1.VerifyResponse{Error: codec.FromError(failure)}, err
	}
	b, err := json.Marshal(toWire(outcome))
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &pluginv1.VerifyResponse{Outcome: b}, nil
}

// toWire is an outcome as VerifyResponse has it.
func toWire(o Outcome) any {
	switch {
	case o.Redirect != nil:
		headers := map[string]string{}
		for name := range o.Redirect.Header {
			headers[name] = o.Redirect.Header.Get(name)
		}
		wire := map[string]any{}
		maps.Copy(wire, o.Redirect.More)
		wire["statusCode"], wire["headers"] = o.Redirect.StatusCode, headers
		return wire
	case o.KUID != "":
		return map[string]any{"kuid": o.KUID}
	default:
		return map[string]any{"kuid": nil, "message": o.Message}
	}
}

// Manage implements pluginv1.StrategiesServer.
func (s strategies) Manage(ctx context.Context, in *pluginv1.ManageRequest) (*pluginv1.ManageResponse, error) {
	var result any
	what := in.GetMethod().String()
	failure, err := s.serve(ctx, in, what, func(ctx context.Context, strategy *Strategy, r *Request) (err error) {
		result, err = strategy.manage(ctx, r, in)
		return err
	})
	if err != nil || failure != nil {
		return &pluginv1.ManageResponse{Error: codec.FromError(failure)}, err
	}
	b, err := codec.FromResult(result)
	if err != nil {
		return nil, status.Error(codes.Internal, what+" of "+in.GetStrategy()+" answered what does not encode to JSON: "+err.Error())
	}
	return &pluginv1.ManageResponse{Result: b}, nil
}

// strategyCall is what both calls have in common.
type strategyCall interface {
	GetStrategy() string
	GetRequest() *pluginv1.Request
	GetCallId() uint64
}

// serve runs what a strategy does in a call: failure is the author's, err that of the call.
func (s strategies) serve(ctx context.Context, in strategyCall, what string, do func(context.Context, *Strategy, *Request) error) (failure *kerror.Error, err error) {
	host, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.calls.Done()
	strategy := s.strategies[in.GetStrategy()]
	if strategy == nil {
		return nil, status.Errorf(codes.Unimplemented, "no strategy %q", in.GetStrategy())
	}
	req := new(Request)
	if err := codec.ToRequest(in.GetRequest(), &req.Request); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	ctx = withServed(ctx, served{in.GetCallId(), req.RequestID})
	return guard(ctx, host, what+" of the strategy "+strategy.Name, func() error { return do(ctx, strategy, req) }), nil
}

// manage runs one method. The node asks for no optional one that the manifest does not declare.
func (s *Strategy) manage(ctx context.Context, r *Request, in *pluginv1.ManageRequest) (any, error) {
	c := Credentials{KUID: in.GetKuid(), Value: in.GetCredentials(), Update: in.GetUpdate()}
	switch in.GetMethod() {
	case pluginv1.StrategyMethod_STRATEGY_METHOD_EXISTS:
		return s.Exists(ctx, r, c.KUID)
	case pluginv1.StrategyMethod_STRATEGY_METHOD_VALIDATE:
		return true, s.Validate(ctx, r, c)
	case pluginv1.StrategyMethod_STRATEGY_METHOD_CREATE:
		return s.Create(ctx, r, c)
	case pluginv1.StrategyMethod_STRATEGY_METHOD_UPDATE:
		return s.Update(ctx, r, c)
	case pluginv1.StrategyMethod_STRATEGY_METHOD_DELETE:
		return nil, s.Delete(ctx, r, c.KUID)
	default:
		return s.optional(ctx, r, c, in)
	}
}

func (s *Strategy) optional(ctx context.Context, r *Request, c Credentials, in *pluginv1.ManageRequest) (any, error) {
	switch in.GetMethod() {
	case pluginv1.StrategyMethod_STRATEGY_METHOD_INFO:
		return s.Info(ctx, r, c.KUID)
	case pluginv1.StrategyMethod_STRATEGY_METHOD_BY_ID:
		return s.ByID(ctx, r, in.GetId())
	case pluginv1.StrategyMethod_STRATEGY_METHOD_SEARCH:
		return s.Search(ctx, r, CredentialSearch{
			Query: orNil(in.GetSearch().GetQuery()), Sort: orNil(in.GetSearch().GetSort()),
			From: int(in.GetSearch().GetFrom()), Size: int(in.GetSearch().GetSize()),
		})
	case pluginv1.StrategyMethod_STRATEGY_METHOD_HOLDER:
		kuid, err := s.Holder(ctx, r, c)
		if kuid == "" {
			return nil, err
		}
		return kuid, err
	default:
		return nil, fmt.Errorf("a method that this plugin does not know: %v", in.GetMethod())
	}
}

func orNil(b []byte) jsontext.Value {
	if len(b) == 0 {
		return nil
	}
	return b
}

// toManifest says what the strategy is; what it must have and has not is an error.
func (s *Strategy) toManifest() (*pluginv1.Strategy, error) {
	m := &pluginv1.Strategy{Name: s.Name, Fields: s.Fields, AccountField: s.Account}
	var problems []error
	for _, method := range []struct {
		name  string
		isNil bool
	}{
		{"Verify", s.Verify == nil},
		{"Exists", s.Exists == nil},
		{"Validate", s.Validate == nil},
		{"Create", s.Create == nil},
		{"Update", s.Update == nil},
		{"Delete", s.Delete == nil},
	} {
		if method.isNil {
			problems = append(problems, fmt.Errorf("strategy %s has no %s", s.Name, method.name))
		}
	}
	for _, method := range []struct {
		method pluginv1.StrategyMethod
		has    bool
	}{
		{pluginv1.StrategyMethod_STRATEGY_METHOD_INFO, s.Info != nil},
		{pluginv1.StrategyMethod_STRATEGY_METHOD_BY_ID, s.ByID != nil},
		{pluginv1.StrategyMethod_STRATEGY_METHOD_SEARCH, s.Search != nil},
		{pluginv1.StrategyMethod_STRATEGY_METHOD_HOLDER, s.Holder != nil},
	} {
		if method.has {
			m.Methods = append(m.Methods, method.method)
		}
	}
	return m, errors.Join(problems...)
}

var _ pluginv1.StrategiesServer = strategies{}
