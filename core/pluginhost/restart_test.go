package pluginhost_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/pluginhost"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestCrashedPluginComesBack(t *testing.T) {
	n := start(t, nil, "ok")
	first := pidOf(t, n.call(t, "ok", "pid", ""))
	a := n.call(t, "ok", "crash", "")
	if a.Status != 503 || a.Error.Class != kerror.ServiceUnavailableError || !strings.Contains(a.Error.Message, "may have had its effect") {
		t.Errorf("%+v", a.Error)
	}
	eventually(t, "it is back", func() bool { return n.call(t, "ok", "pid", "").Error == nil })
	s := n.status("ok")
	if s.State != pluginhost.Running || s.Restarts != 1 || s.PID == first || !strings.Contains(s.LastError, "exit status 3") {
		t.Errorf("%+v", s)
	}
	if len(s.LastLines) == 0 || s.LastLines[0] != "about to crash" {
		t.Errorf("last lines %q", s.LastLines)
	}
	if a := n.call(t, "ok", "call", `{"what":"document:get"}`); a.Error != nil {
		t.Errorf("the new process cannot call the node: %v", a.Error)
	}
	// A panic that nobody can recover leaves its stack.
	n.call(t, "ok", "fatal", "")
	eventually(t, "it is back", func() bool { return n.status("ok").State == pluginhost.Running && n.status("ok").Restarts == 2 })
	if lines := strings.Join(n.status("ok").LastLines, "\n"); !strings.Contains(lines, "panic: in another goroutine") {
		t.Errorf("last lines %q", lines)
	}
}

func TestPluginThatCrashesTooOftenIsLeftAlone(t *testing.T) {
	n := start(t, nil, "ok", "empty")
	for range 4 { // MaxRestarts is 3
		eventually(t, "it runs", func() bool { return n.status("ok").State == pluginhost.Running })
		n.call(t, "ok", "crash", "")
		eventually(t, "it is noticed", func() bool {
			return n.status("ok").State != pluginhost.Running || n.call(t, "ok", "crash", "").Error == nil
		})
	}
	eventually(t, "it failed", func() bool { return n.status("ok").State == pluginhost.Failed })
	a := n.call(t, "ok", "pid", "")
	if a.Status != 503 || !strings.Contains(a.Error.Message, `"ok" is not available: failed`) {
		t.Errorf("%+v", a.Error)
	}
	s := n.status("ok")
	if s.Restarts != 3 || s.PID != 0 || !strings.Contains(s.LastError, "plugins.restart.maxRestarts") {
		t.Errorf("%+v", s)
	}
	if _, ok := n.registry.Current().Match("POST", "/_/ok/echo/1"); !ok {
		t.Error("the route is gone: it should answer 503")
	}
	if s := n.status("empty"); s.State != pluginhost.Running {
		t.Errorf("another plugin: %+v", s)
	}
}

func TestChildrenOfAPluginGoWithIt(t *testing.T) {
	n := start(t, nil, "ok")
	child := pidOf(t, n.call(t, "ok", "fork", ""))
	if !alive(child) {
		t.Fatal("no child")
	}
	n.call(t, "ok", "crash", "")
	eventually(t, "the child of the crashed plugin is gone", func() bool { return !alive(child) })
	eventually(t, "it is back", func() bool { return n.call(t, "ok", "pid", "").Error == nil })
	child = pidOf(t, n.call(t, "ok", "fork", ""))
	// A child that left the group lives on and holds the pipes: the crash is noticed all the same.
	escaped := pidOf(t, n.call(t, "ok", "fork", `{"ownSession":true}`))
	t.Cleanup(func() { kill(escaped) })
	n.call(t, "ok", "crash", "")
	eventually(t, "it is back", func() bool { return n.status("ok").Restarts == 2 && n.call(t, "ok", "pid", "").Error == nil })
	if alive(child) {
		t.Error("the child of the second process is left")
	}
	child = pidOf(t, n.call(t, "ok", "fork", ""))
	if err := n.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if alive(child) {
		t.Error("the child is left after Close")
	}
}

func TestCloseLetsCallsFinish(t *testing.T) {
	n := start(t, nil, "ok")
	var all sync.WaitGroup
	answers := make(chan *protocol.Response, 3)
	for range 3 {
		all.Go(func() { answers <- n.call(t, "ok", "sleep", `{"ms":400}`) })
	}
	time.Sleep(100 * time.Millisecond)
	if err := n.Close(context.Background()); err != nil {
		t.Error(err)
	}
	all.Wait()
	for range 3 {
		if a := <-answers; a.Error != nil {
			t.Errorf("a call was lost: %v", a.Error)
		}
	}
	if a := n.call(t, "ok", "pid", ""); a.Status != 503 || !strings.Contains(a.Error.Message, "stopped") {
		t.Errorf("%+v", a.Error)
	}
	if s := n.status("ok"); s.State != pluginhost.Stopped || s.PID != 0 {
		t.Errorf("%+v", s)
	}
	if !strings.Contains(n.log.String(), "msg=stopped") {
		t.Error("Plugin.Stop was not called")
	}
}

func TestCloseDoesNotWaitForever(t *testing.T) {
	n := start(t, func(_ *node, o *pluginhost.Options) { o.DrainTimeout = 200 * time.Millisecond }, "ok")
	answer := make(chan *protocol.Response, 1)
	go func() { answer <- n.call(t, "ok", "sleep", `{"ms":4000}`) }()
	time.Sleep(100 * time.Millisecond)
	began := time.Now()
	if err := n.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("took %s", took)
	}
	if a := <-answer; a.Status != 503 {
		t.Errorf("%+v", a.Error)
	}
	if !strings.Contains(n.log.String(), "plugins.drainTimeout") {
		t.Error("nobody says that calls were cut off")
	}
}

func TestCloseDuringARestart(t *testing.T) {
	n := start(t, func(_ *node, o *pluginhost.Options) { o.Restart.InitialDelay = time.Minute }, "ok")
	n.call(t, "ok", "crash", "")
	eventually(t, "it is down", func() bool { return n.status("ok").State == pluginhost.Restarting })
	began := time.Now()
	if err := n.Close(context.Background()); err != nil || time.Since(began) > 2*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}
