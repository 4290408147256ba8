package audit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluicehq/sluice/core/audit"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

var (
	unauthorized = kerror.SecurityRightsUnauthorized.New("c", "a")
	forbidden    = kerror.SecurityRightsForbidden.New("c", "a", "ann")
	dropped      = kerror.APIProcessConnectionDropped.New()
)

// ask is a request of a user, nil for one whose token was not looked at, with the error it was answered with.
func ask(l *audit.Log, user *protocol.User, ip, action string, err error) {
	controller, action, _ := strings.Cut(action, ":")
	req := &protocol.Request{
		Controller: controller, Action: action, RequestID: "r", ID: "target", User: user,
		Connection: &protocol.Connection{ClientIP: ip, Protocol: "http"},
	}
	ctx, leave := context.WithCancel(context.Background())
	leave() // a client that is gone is no reason to forget what it did
	l.Request(ctx, req, protocol.NewResponse(req, nil, err), true)
}

var (
	nobody = &protocol.User{ID: protocol.AnonymousID}
	ann    = &protocol.User{ID: "ann", ProfileIDs: []string{"default"}}
)

// A flood of what anybody can send is counted, not written.
func TestRepeatsAreCounted(t *testing.T) {
	for name, first := range map[string]struct {
		user   *protocol.User
		action string
		err    error
	}{
		"a refusal":                {nobody, "document:get", unauthorized},
		"a bad token":              {nil, "document:get", kerror.SecurityTokenInvalid.New()},
		"a refusal of a user":      {ann, "security:deleteUser", forbidden},
		"too many of them":         {ann, "security:deleteUser", kerror.APIProcessTooManyRequests.New()},
		"while it is not recorded": {ann, "security:deleteUser", kerror.CoreFatalServiceUnavailable.New("x")},
		"what never began":         {nil, "security:deleteUser", dropped},
		"a failed login":           {nobody, "auth:login", kerror.SecurityRightsUnauthorized.New("c", "a")},
		"a login that was left":    {nobody, "auth:login", dropped},
		"a login that only begins": {nobody, "auth:login", nil},
		"a logout of nobody":       {nobody, "auth:logout", nil},
		"an account that is there": {nobody, "security:createFirstAdmin", kerror.APIProcessAdminExists.New()},
	} {
		o, _ := options(t)
		synctest.Test(t, func(t *testing.T) {
			l := open(t, o)
			for range 1000 {
				ask(l, first.user, "192.0.2.1", first.action, first.err)
			}
			ask(l, first.user, "192.0.2.2", first.action, first.err)
			synctest.Wait()
			if n := len(events(t, o)); n != 2 {
				t.Errorf("%s: %d lines, want one a kind", name, n)
			}
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			all := events(t, o)
			if last := all[len(all)-1]; len(all) != 3 || last.Count != 999 || last.IP != "192.0.2.1" || last.Since.IsZero() {
				t.Errorf("%s: %d lines, the last is %+v", name, len(all), last)
			}
			closeLog(t, l)
		})
	}
}

// What was done, or may have been, is written with its targets, however often.
func TestWhatMayHaveBeenDoneIsWrittenOneByOne(t *testing.T) {
	for name, x := range map[string]struct {
		user   *protocol.User
		action string
		err    error
	}{
		"a success":             {ann, "security:deleteUser", nil},
		"a logout":              {ann, "auth:logout", nil},
		"a client that left":    {ann, "security:deleteUser", dropped},
		"a timeout":             {ann, "security:deleteUser", kerror.Bare(kerror.GatewayTimeoutError, "x")},
		"the word of a plugin":  {ann, "security:deleteUser", kerror.Bare(kerror.ForbiddenError, "after the action")},
		"the action's own word": {ann, "security:deleteUser", kerror.SecurityUserNotFound.New("target")},
		"an open action":        {nobody, "security:createRestrictedUser", dropped},
		"one that broke":        {nobody, "security:createFirstAdmin", kerror.CoreFatalUnexpectedError.New("x")},
	} {
		o, _ := options(t)
		o.File.Sync = true
		l := open(t, o)
		for i := range 5 {
			ask(l, x.user, "192.0.2.1", x.action, x.err)
			if n := len(events(t, o)); n != i+1 {
				t.Fatalf("%s: %d lines after %d requests: it came back before its line was written", name, n, i+1)
			}
		}
		closeLog(t, l)
		for _, e := range events(t, o) {
			if x.action != "auth:logout" && !slices.Equal(e.Targets, []string{"target"}) {
				t.Fatalf("%s: %+v", name, e)
			}
		}
	}
}

// A plugin may call as nobody, and what it did counts as a user's.
func TestWhatPluginsMayHaveDoneIsWrittenOneByOne(t *testing.T) {
	o, _ := options(t)
	l := open(t, o)
	req := &protocol.Request{
		Controller: "security", Action: "deleteUser", ID: "target", Internal: &protocol.Internal{Plugin: "p"},
		Connection: &protocol.Connection{Protocol: "internal"},
	}
	for range 3 {
		l.Request(t.Context(), req, protocol.NewResponse(req, nil, dropped), true)
	}
	closeLog(t, l)
	if n := len(events(t, o)); n != 3 {
		t.Errorf("%d lines", n)
	}
}

// Who floods one budget hides nothing of the others.
func TestBudgetsAreApart(t *testing.T) {
	floods := map[string]func(l *audit.Log, ip string){
		"requests of anonymous":             func(l *audit.Log, ip string) { ask(l, nobody, ip, "document:get", unauthorized) },
		"requests of users and plugins":     func(l *audit.Log, ip string) { ask(l, ann, ip, "security:updateUser", forbidden) },
		"failed logins":                     func(l *audit.Log, ip string) { ask(l, nobody, ip, "auth:login", unauthorized) },
		"logins and logouts without a user": func(l *audit.Log, ip string) { ask(l, nobody, ip, "auth:login", nil) },
	}
	for name, flood := range floods {
		o, _ := options(t)
		l := open(t, o)
		for i := range 300 {
			flood(l, fmt.Sprint("2001:db8::", i))
		}
		for _, other := range floods {
			other(l, "192.0.2.1")
		}
		closeLog(t, l) // says at once what was counted
		all := events(t, o)
		if n := len(all); n != 64+3+1 {
			t.Errorf("%s: %d lines", name, n)
		}
		if last := all[len(all)-1]; last.Event != audit.Lost || last.Count != 301-64 || last.Facts["of"] != name {
			t.Errorf("%s: the last line is %+v", name, last)
		}
	}
}

// What anybody can send makes no long lines.
func TestRefusalsAreShort(t *testing.T) {
	o, _ := options(t)
	l := open(t, o)
	ids := strings.Repeat(`"`+strings.Repeat(`\u0001`, 300)+`",`, 500)
	req := &protocol.Request{
		Controller: "security", Action: "mDeleteUsers", RequestID: strings.Repeat("\x01", 256), User: nobody,
		Body:       []byte(`{"ids":[` + strings.TrimSuffix(ids, ",") + `]}`),
		Connection: &protocol.Connection{ClientIP: "192.0.2.1", Protocol: "http"},
	}
	l.Request(t.Context(), req, protocol.NewResponse(req, nil, unauthorized), true)
	closeLog(t, l)
	if n := len(read(t, o.File.Path)); n > 2<<10 {
		t.Errorf("the line has %d bytes", n)
	}
	if e := events(t, o)[0]; !e.Cut || len(e.Targets) != 5 || e.Targets[4] != "…" {
		t.Errorf("%v, %d targets", e.Cut, len(e.Targets))
	}
}
