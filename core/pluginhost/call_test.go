package pluginhost_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/pluginhost"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestActionSeesTheRequest(t *testing.T) {
	n := start(t, nil, "ok")
	r := &protocol.Request{
		RequestID: "r1", Controller: "ok", Action: "echo", Index: "i", Args: protocol.TextArgs(), Body: jsontext.Value(`{"n":9007199254740993}`),
		User:       &protocol.User{ID: "ann"},
		Connection: &protocol.Connection{ClientIP: "9.9.9.9", Header: http.Header{"Authorization": {"Bearer secret"}}},
	}
	r.Args.AddText("x", "1")
	a := n.Execute(t.Context(), r)
	want := `{"args":{"x":"1"},"authorization":"","body":{"n":9007199254740993},"hops":0,"index":"i","ip":"9.9.9.9","user":"ann"}`
	var got any
	if err := json.Unmarshal(a.Result, &got); err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(strings.Trim(want, "{}"), `,"`) {
		if !strings.Contains(string(a.Result), part) {
			t.Errorf("%s lacks %s", a.Result, part)
		}
	}
}

func TestErrorsOfActions(t *testing.T) {
	n := start(t, func(_ *node, o *pluginhost.Options) { o.MaxMessageBytes = 100_000 }, "ok")
	a := n.call(t, "ok", "fail", "")
	if !errors.Is(a.Error, kerror.APIAssertMissingArgument) || a.Error.V1 != "v1 text" || len(a.Error.Errors) != 1 || a.Status != 400 || a.Error.Props[0] != "x" {
		t.Errorf("%+v", a.Error)
	}
	if a := n.call(t, "ok", "panic", ""); !errors.Is(a.Error, kerror.PluginRuntimeUnexpectedError) || !strings.Contains(a.Error.Message, "ouch") {
		t.Errorf("%+v", a.Error)
	}
	if a := n.call(t, "ok", "big", `{"n":200000}`); a.Status != 500 || !strings.Contains(a.Error.Message, "plugins.maxMessageSize") {
		t.Errorf("big answer: %+v", a.Error)
	}
	if a := n.call(t, "ok", "echo", `{"x":"`+strings.Repeat("x", 200_000)+`"}`); a.Status != 413 || !strings.Contains(a.Error.Message, "plugins.maxMessageSize") {
		t.Errorf("big request: %+v", a.Error)
	}
	if a := n.call(t, "ok", "big", `{"n":90000}`); a.Error != nil {
		t.Errorf("within the limit: %+v", a.Error)
	}
	if s := n.status("ok"); s.Restarts != 0 {
		t.Errorf("%+v", s)
	}
	if n.metric(t, "sluice_plugin_call_errors_total") == nil {
		t.Error("no errors counted")
	}
}

func TestDeadline(t *testing.T) {
	n := start(t, func(_ *node, o *pluginhost.Options) {
		o.CallTimeout, o.SlowCallWarning = 200*time.Millisecond, 50*time.Millisecond
	}, "ok")
	began := time.Now()
	a := n.call(t, "ok", "sleep", `{"ms":1000}`)
	if a.Status != 504 || a.Error.Class != kerror.GatewayTimeoutError || !strings.Contains(a.Error.Message, "plugins.callTimeout") {
		t.Errorf("%+v", a.Error)
	}
	if took := time.Since(began); took > 900*time.Millisecond {
		t.Errorf("took %s", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	a = n.Execute(ctx, &protocol.Request{Controller: "ok", Action: "sleep", Args: args(t, `{"ms":1000}`), Connection: &protocol.Connection{}})
	if a.Error == nil || a.Error.ID != "api.process.connection_dropped" {
		t.Errorf("%+v", a.Error)
	}
	if a := n.call(t, "ok", "sleep", `{"ms":80}`); a.Error != nil {
		t.Error(a.Error)
	}
	if !strings.Contains(n.log.String(), "slow plugin call") {
		t.Error("nobody says that it is slow")
	}
}

func TestOverload(t *testing.T) {
	n := start(t, func(_ *node, o *pluginhost.Options) { o.MaxConcurrentCalls, o.MaxWaitingCalls = 2, 1 }, "ok")
	var all sync.WaitGroup
	answers := make(chan *protocol.Response, 6)
	for range 6 {
		all.Go(func() { answers <- n.call(t, "ok", "sleep", `{"ms":300}`) })
	}
	all.Wait()
	close(answers)
	good, refused := 0, 0
	for a := range answers {
		switch {
		case a.Error == nil:
			good++
		case errors.Is(a.Error, kerror.APIProcessOverloaded):
			refused++
		default:
			t.Error(a.Error)
		}
	}
	if good != 3 || refused != 3 {
		t.Errorf("%d answered, %d refused; want 3 and 3", good, refused)
	}
	if a := n.call(t, "ok", "pid", ""); a.Error != nil {
		t.Errorf("afterwards: %v", a.Error)
	}
}

func TestOutputOfAPluginHarmsNobody(t *testing.T) {
	n := start(t, nil, "ok")
	if a := n.call(t, "ok", "print", ""); a.Error != nil {
		t.Fatal(a.Error)
	}
	for _, want := range []string{"printed after the handshake", "long long", "raw raw", "msg=logged", "fields."} {
		eventually(t, want+" is in the log", func() bool { return strings.Contains(n.log.String(), want) })
	}
	for line := range strings.Lines(n.log.String()) {
		if len(line) > 12<<10 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	if !strings.Contains(n.log.String(), "plugin=ok") {
		t.Error("the log does not name the plugin")
	}
}

func TestHostCalls(t *testing.T) {
	n := start(t, func(_ *node, o *pluginhost.Options) { o.MaxHops = 4 }, "ok")
	if a := n.call(t, "ok", "call", `{"what":"document:get"}`); string(a.Result) != `{"as":false,"body":{"n":1}}` {
		t.Errorf("as the plugin: %v %s", a.Error, a.Result)
	}
	last := n.requests[len(n.requests)-1]
	if last.Internal.Plugin != "ok" || last.Internal.CheckRights || last.Internal.Hops != 1 || last.RequestID != "r1" || last.Connection == nil {
		t.Errorf("%+v %+v", last, last.Internal)
	}
	if a := n.call(t, "ok", "call", `{"what":"document:get","user":true}`); string(a.Result) != `{"as":true,"body":{"n":1}}` {
		t.Errorf("as the user: %v %s", a.Error, a.Result)
	}
	if last = n.requests[len(n.requests)-1]; last.User.ID != "ann" || !last.Internal.CheckRights {
		t.Errorf("%+v %+v", last.User, last.Internal)
	}
	before := len(n.requests)
	a := n.call(t, "ok", "call", `{"what":"document:delete"}`)
	if a.Status != 403 || !strings.Contains(a.Error.Message, "manifest") || len(n.requests) != before+1 {
		t.Errorf("not in the manifest: %+v", a.Error)
	}
	a = n.call(t, "ok", "call", `{"what":"document:get","user":true,"detached":true}`)
	if a.Status != 403 || len(n.requests) != before+2 {
		t.Errorf("as a user outside of a request: %+v", a.Error)
	}
	if a := n.call(t, "ok", "call", `{"what":"missing:x"}`); !errors.Is(a.Error, kerror.APIProcessActionNotFound) {
		t.Errorf("the error of an action: %+v", a.Error)
	}
	before = len(n.requests)
	a = n.call(t, "ok", "loop", "")
	if a.Error == nil || !strings.Contains(a.Error.Message, "circle") || len(n.requests) != before+5 {
		t.Errorf("loop after %d: %+v", len(n.requests)-before, a.Error)
	}
}

func TestPipes(t *testing.T) {
	n := start(t, func(_ *node, o *pluginhost.Options) { o.CallTimeout = 300 * time.Millisecond }, "ok")
	bus, table := events.NewBus(10, slog.Default()), n.registry.Current().Events
	defer bus.Close(t.Context())
	fire := func(event string) (*events.Payload, error) {
		p := &events.Payload{Request: &protocol.Request{Index: "old", Body: jsontext.Value(`{}`)}}
		return p, bus.Fire(t.Context(), table, event, p)
	}
	if p, err := fire("test:beforeChange"); err != nil || p.Request.Index != "new" || string(p.Request.Body) != `{"changed":true}` {
		t.Errorf("%v %+v", err, p.Request)
	}
	if _, err := fire("test:beforeStop"); !errors.Is(err, kerror.APIProcessActionLocked) {
		t.Errorf("%v", err)
	}
	if _, err := fire("test:beforeSleep"); !errors.Is(err, kerror.PluginRuntimePipeTimeout) {
		t.Errorf("%v", err)
	}
	p := &events.Payload{Request: &protocol.Request{}, Err: kerror.APIProcessActionNotFound.New("a", "b")}
	if err := bus.Fire(t.Context(), table, "test:errorX", p); err != nil || p.Err != nil || fmt.Sprintf("%s", p.Result) != `"recovered"` {
		t.Errorf("%v %+v", err, p)
	}
	if err := bus.Fire(t.Context(), table, "test:nobody", p); err != nil {
		t.Error(err)
	}
	// A pipe that cannot answer stops the request: it may be the one that checks something.
	if _, err := fire("test:beforeCrash"); kindOf(err) != kerror.ServiceUnavailableError {
		t.Errorf("%v", err)
	}
	eventually(t, "it is back", func() bool { return n.status("ok").State == pluginhost.Running && n.status("ok").Restarts == 1 })
}

func TestPipeOfADownPluginStopsTheRequest(t *testing.T) {
	n := start(t, func(_ *node, o *pluginhost.Options) { o.Restart.InitialDelay = time.Minute }, "ok")
	n.call(t, "ok", "crash", "")
	bus := events.NewBus(10, slog.Default())
	defer bus.Close(t.Context())
	p := &events.Payload{Request: &protocol.Request{}}
	eventually(t, "it stops", func() bool {
		err := bus.Fire(t.Context(), n.registry.Current().Events, "test:beforeChange", p)
		return kindOf(err) == kerror.ServiceUnavailableError && strings.Contains(err.Error(), "restarting")
	})
}

func TestHooks(t *testing.T) {
	n := start(t, func(_ *node, o *pluginhost.Options) { o.HookQueueSize = 200 }, "ok")
	table := n.registry.Current().Events
	bus := events.NewBus(1000, slog.Default())
	for i := range 100 {
		if err := bus.Fire(t.Context(), table, "test:afterX", &events.Payload{Request: &protocol.Request{}, Data: i}); err != nil {
			t.Fatal(err)
		}
	}
	bus.Close(t.Context())
	for _, want := range []string{"hooked", "fields.data=0\n", "fields.data=99\n"} {
		eventually(t, want+" is in the log", func() bool { return strings.Contains(n.log.String(), want) })
	}
}

func TestHooksOfASlowPluginAreDropped(t *testing.T) {
	n := start(t, func(_ *node, o *pluginhost.Options) { o.HookQueueSize, o.DrainTimeout = 5, 100*time.Millisecond }, "ok")
	bus := events.NewBus(1000, slog.Default())
	for range 200 {
		if err := bus.Fire(t.Context(), n.registry.Current().Events, "test:slow", &events.Payload{}); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	bus.Close(t.Context())
	if took := time.Since(began); took > time.Second {
		t.Errorf("the slow plugin kept the others waiting: %s", took)
	}
	if !strings.Contains(n.log.String(), "plugins.hookQueueSize") {
		t.Error("nobody says that events were dropped")
	}
}

func TestMetrics(t *testing.T) {
	n := start(t, nil, "ok")
	n.call(t, "ok", "pid", "")
	for _, name := range []string{
		"sluice_plugin_call_duration_seconds", "sluice_plugin_state", "sluice_plugin_restarts_total", "sluice_plugin_calls_running",
		"sluice_plugin_calls_waiting", "sluice_plugin_hooks_dropped_total", "sluice_plugin_resident_memory_bytes", "sluice_plugin_cpu_seconds_total",
	} {
		if n.metric(t, name) == nil {
			t.Errorf("no %s", name)
		}
	}
	if v := n.metric(t, "sluice_plugin_resident_memory_bytes").GetMetric()[0].GetGauge().GetValue(); v < 1<<20 || v > 1<<30 {
		t.Errorf("memory %v", v)
	}
}

func pidOf(t *testing.T, a *protocol.Response) int {
	t.Helper()
	pid, err := strconv.Atoi(string(a.Result))
	if err != nil {
		t.Fatalf("pid: %v %v", a.Error, err)
	}
	return pid
}

func args(t *testing.T, object string) protocol.Args {
	t.Helper()
	a, err := protocol.ParseArgs(jsontext.Value(object), "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func kindOf(err error) kerror.Class {
	var e *kerror.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Class
}
