package funnel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluicehq/sluice/core/audit"
	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Options are what a funnel is made of.
type Options struct {
	Registry *router.Registry
	Tokens   *auth.Service
	Users    *security.Service
	Bus      *events.Bus
	// Audit records what matters to security; nil for nothing.
	Audit *audit.Log
	// Concurrent requests run at once, Waiting more may queue for a place.
	Concurrent int
	Waiting    int
	// WarnWaiting is how many waiting requests the node warns of; 0 for never.
	WarnWaiting int
	// StrictSDKVersion refuses SDKs older than the API supports.
	StrictSDKVersion bool
	// AcceptUnprefixed lets clients of the kuzzle-v1 profile send a token without its prefix.
	AcceptUnprefixed bool
	// NodeID is written into every answer.
	NodeID string
	// Dev adds causes and deprecations to answers.
	Dev     bool
	Logger  *slog.Logger
	Metrics prometheus.Registerer
}

// Funnel runs requests. It is safe for concurrent use.
type Funnel struct {
	Options
	admission *admission
	rates     *rates
	metrics   *stages
}

// New makes a funnel.
func New(o Options) (*Funnel, error) {
	rates, err := newRates()
	if err != nil {
		return nil, err
	}
	f := &Funnel{Options: o, admission: newAdmission(o.Concurrent, o.Waiting), rates: rates}
	f.metrics, err = newStages(o.Metrics, f.admission)
	return f, err
}

// Execute runs one request and gives its answer, never nil. It takes over req.
func (f *Funnel) Execute(ctx context.Context, req *protocol.Request) *protocol.Response {
	r := run{funnel: f, req: req, snapshot: f.Registry.Current(), last: time.Now()}
	r.entry, r.knownController = r.snapshot.Action(req.Controller, req.Action)
	r.keepPrivate()
	result, err := r.execute(ctx)
	err = outOfTime(ctx, err)
	if err != nil && isInternal(err) {
		f.logFailure(req, err)
	}
	a := protocol.NewResponse(req, result, err)
	a.Node, a.Dev = f.NodeID, f.Dev
	if f.Dev {
		a.Deprecations = req.Deprecations
	}
	if r.entry != nil {
		a.Profile = r.entry.Profile
	}
	f.metrics.answered(r.entry, a.Status)
	f.Audit.Request(ctx, req, a, r.entry != nil)
	return a
}

// Drain refuses every new request with 503 from now on, and waits until those that run have ended, or ctx has.
func (f *Funnel) Drain(ctx context.Context) error { return f.admission.drain(ctx) }

// Overloaded reports whether so many requests wait that a load balancer should look elsewhere.
func (f *Funnel) Overloaded() bool { return f.admission.waiting.Load() > int64(f.Waiting)/2 }

// run is one request on its way.
type run struct {
	funnel          *Funnel
	req             *protocol.Request
	snapshot        *router.Snapshot
	entry           *router.Entry // nil when there is no such action
	knownController bool
	user            *security.User
	payload         events.Payload
	// last is when the stage that is running began.
	last time.Time
}

func (r *run) execute(ctx context.Context) (any, error) {
	if err := r.wellFormed(); err != nil {
		return nil, err
	}
	r.payload.Request = r.req
	if r.req.Internal != nil {
		return r.executeInternal(ctx)
	}
	r.overload(ctx)
	if err := r.funnel.admission.enter(ctx); err != nil {
		return nil, err
	}
	defer r.funnel.admission.leave()
	r.passed(stageAdmission)
	result, err := r.authorizeAndAct(ctx)
	return r.finish(ctx, result, err)
}

// executeInternal is the way of calls from inside the node: no admission, which could wait for itself, and no token.
func (r *run) executeInternal(ctx context.Context) (any, error) {
	user, err := r.internalUser(ctx)
	if err != nil {
		return nil, err
	}
	r.user = user
	if r.req.Internal.CheckRights {
		if err := r.rights(ctx); err != nil {
			return nil, err
		}
	}
	if !r.req.Internal.TriggerEvents {
		return r.act(ctx)
	}
	result, err := r.actWithEvents(ctx)
	return r.finish(ctx, result, err)
}

func (r *run) authorizeAndAct(ctx context.Context) (any, error) {
	if err := r.fire(ctx, "request:beforeExecution"); err != nil {
		return nil, err
	}
	if err := r.authorize(ctx); err != nil {
		return nil, err
	}
	if err := r.actionLimits(); err != nil {
		return nil, err
	}
	if err := r.sdkVersion(); err != nil {
		return nil, err
	}
	r.passed(stageRights)
	return r.actWithEvents(ctx)
}

// authorize finds the user and decides whether he may call the action, and how often, unless the action looks at credentials
// itself.
func (r *run) authorize(ctx context.Context) error {
	if r.ownCredentials() {
		return r.leaveToPlugin(ctx)
	}
	if err := r.identify(ctx); err != nil {
		return err
	}
	r.passed(stageToken)
	if err := r.rights(ctx); err != nil {
		return err
	}
	return r.rateLimit()
}

// actWithEvents runs the action between its pipes.
func (r *run) actWithEvents(ctx context.Context) (any, error) {
	if r.entry == nil {
		return nil, r.notFound()
	}
	if err := r.fire(ctx, r.entry.Before); err != nil {
		return nil, err
	}
	r.passed(stageBefore)
	result, err := r.act(ctx)
	r.passed(stageAction)
	r.payload.Result, r.payload.Err = result, err
	if err != nil {
		if fired := r.fire(ctx, r.entry.Error); fired != nil {
			return result, fired
		}
	} else if fired := r.fire(ctx, r.entry.After); fired != nil {
		return nil, fired
	}
	return r.payload.Result, r.payload.Err
}

// act runs the action itself. What a built-in action panics with is an internal error of this request alone.
func (r *run) act(ctx context.Context) (result any, err error) {
	if r.entry == nil {
		return nil, r.notFound()
	}
	if err := r.funnel.Audit.Admit(r.entry.Controller, r.entry.Name); err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			result, err = nil, fmt.Errorf("action %s:%s panicked: %v\n%s", r.entry.Controller, r.entry.Name, p, debug.Stack())
		}
	}()
	return r.entry.Handler(ctx, r.req)
}

// finish tells everybody how the request ended. A pipe may still change the outcome.
func (r *run) finish(ctx context.Context, result any, err error) (any, error) {
	r.payload.Result, r.payload.Err = result, err
	event := "request:onSuccess"
	if err != nil {
		event = "request:onError"
	}
	if fired := r.fire(ctx, event); fired != nil {
		return nil, fired
	}
	if fired := r.fire(ctx, "request:afterExecution"); fired != nil {
		return nil, fired
	}
	r.passed(stageAfter)
	return r.payload.Result, r.payload.Err
}

// overload warns, once a second, while many requests wait, and tells hooks on core:overload how full the buffer is, in
// percent.
func (r *run) overload(ctx context.Context) {
	f := r.funnel
	waiting := f.admission.waiting.Load()
	if f.WarnWaiting <= 0 || waiting < int64(f.WarnWaiting) || !f.admission.mayWarn(r.last) {
		return
	}
	percent := 100 * float64(waiting) / float64(f.Waiting)
	f.Logger.Warn("many requests wait: the node is overloaded", "waiting", waiting, "limits.requestsBufferSize", f.Waiting)
	if err := f.Bus.Fire(ctx, r.snapshot.Events, "core:overload", &events.Payload{Data: percent}); err != nil {
		f.Logger.Warn("event failed", "event", "core:overload", "error", err)
	}
}

// fire runs the pipes of an event and tells its hooks.
func (r *run) fire(ctx context.Context, event string) error {
	return r.funnel.Bus.Fire(ctx, r.snapshot.Events, event, &r.payload)
}

// passed ends a stage: what it took goes into the metrics.
func (r *run) passed(stage stage) {
	now := time.Now()
	r.funnel.metrics.duration[stage].Observe(now.Sub(r.last).Seconds())
	r.last = now
}

// outOfTime names the reason of an error that comes from the end of ctx, which is nobody's fault.
func outOfTime(ctx context.Context, err error) error {
	var ke *kerror.Error
	switch {
	case err == nil || ctx.Err() == nil || errors.As(err, &ke):
		return err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return kerror.Bare(kerror.GatewayTimeoutError, "The request took longer than limits.requestTimeout allows.")
	default:
		return kerror.APIProcessConnectionDropped.Wrap(err)
	}
}

// logFailure logs an error that somebody must look into, with what an error of the catalogue keeps from clients.
func (f *Funnel) logFailure(req *protocol.Request, err error) {
	facts := []any{"requestId", req.RequestID, "controller", req.Controller, "action", req.Action, "error", err}
	var ke *kerror.Error
	if errors.As(err, &ke) && ke.Unwrap() != nil {
		facts = append(facts, "cause", ke.Unwrap())
	}
	f.Logger.Error("request failed", facts...)
}

// isInternal reports whether err is a fault of the node that somebody must look into, not an answer to a client.
func isInternal(err error) bool {
	var ke *kerror.Error
	if !errors.As(err, &ke) {
		return true
	}
	return ke.Status >= 500 && ke.Status != 503 && ke.Unwrap() != nil
}
