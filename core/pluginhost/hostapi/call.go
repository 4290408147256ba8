package hostapi

import (
	"context"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// ofCaller are the actions of auth that are about who calls. A plugin itself is nobody, and would be answered as if it were
// anonymous.
var ofCaller = []string{
	"checkRights", "createMyCredentials", "credentialsExist", "deleteApiKey", "deleteMyCredentials", "getCurrentUser",
	"getMyCredentials", "getMyRights", "searchApiKeys", "updateMyCredentials", "updateSelf", "validateMyCredentials",
}

// ofToken are the actions of auth that end or make tokens of who calls. A plugin has no token of its user and gets none: with it
// it could do on every action what the user may, whatever its manifest says.
var ofToken = []string{"createApiKey", "createToken", "logout", "refreshToken"}

// Call implements pluginv1.HostServer.
func (s *Server) Call(ctx context.Context, in *pluginv1.CallRequest) (*pluginv1.CallResponse, error) {
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	case <-ctx.Done():
		return refused(kerror.APIProcessOverloaded.Wrap(ctx.Err())), nil
	}
	r, err := s.request(in)
	if err != nil {
		return refused(err), nil
	}
	ctx, cancel := s.limited(ctx)
	defer cancel()
	a := s.Executor.Execute(ctx, r)
	out := &pluginv1.CallResponse{Status: int32(a.Status), Result: a.Result, Error: codec.FromError(a.Error)} //nolint:gosec // an HTTP status
	if a.Raw {
		out.Result = a.Content
	}
	return out, nil
}

// request makes the request of a call, when the plugin may make it.
func (s *Server) request(in *pluginv1.CallRequest) (*protocol.Request, error) {
	own := !in.GetAsUser() && codec.Owns(s.Manifest, in.GetController(), in.GetIndex())
	if !own && !codec.Lists(s.Manifest.GetCalls(), in.GetController(), in.GetAction()) {
		return nil, kerror.PluginRuntimeCallNotListed.New(s.Plugin, in.GetController(), in.GetAction())
	}
	if err := notForPlugins(in); err != nil {
		return nil, err
	}
	r := new(protocol.Request)
	if err := codec.ToCall(in, r); err != nil {
		return nil, err
	}
	if err := s.storage(r, own); err != nil {
		return nil, err
	}
	from, serving := s.Calls.find(in.GetCallId())
	s.originate(r, from)
	if r.Internal.Hops > s.MaxHops {
		return nil, kerror.PluginRuntimeCallLoop.New(s.Plugin, in.GetController(), in.GetAction(), strconv.Itoa(s.MaxHops))
	}
	if in.GetAsUser() {
		if !serving || from.user == nil {
			return nil, kerror.PluginRuntimeCallWithoutUser.New(s.Plugin, in.GetController(), in.GetAction())
		}
		r.User = from.user
	}
	return r, nil
}

// notForPlugins refuses actions about a caller or a token that is not there.
func notForPlugins(in *pluginv1.CallRequest) error {
	hint := ""
	switch {
	case in.GetController() != "auth":
	case slices.Contains(ofToken, in.GetAction()):
		hint = "Leave it to the client: a plugin has no token of its user."
	case !in.GetAsUser() && slices.Contains(ofCaller, in.GetAction()):
		hint = "Call it as the user."
	}
	if hint == "" {
		return nil
	}
	return kerror.APIProcessForbiddenEmbeddedSDKAction.New(in.GetController(), in.GetAction(), hint)
}

// originate says where a request comes from.
func (s *Server) originate(r *protocol.Request, from origin) {
	r.RequestID = from.requestID
	if r.RequestID == "" {
		r.RequestID = uuid.NewString()
	}
	r.Internal.Plugin, r.Internal.Hops = s.Plugin, from.hops+1
}

// limited gives a context without a deadline that of CallTimeout.
func (s *Server) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, limited := ctx.Deadline(); limited {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.CallTimeout)
}

func refused(err error) *pluginv1.CallResponse {
	e := protocol.AsError(err)
	return &pluginv1.CallResponse{Status: int32(e.Status), Error: codec.FromError(e)} //nolint:gosec // an HTTP status
}
