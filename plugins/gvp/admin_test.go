package main

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/sdktest"
)

// try calls an admin action that may be refused.
func (s *service) try(action, body string, headers ...string) nodetest.Answer {
	s.T.Helper()
	return s.HTTP("POST", "/_query", `{"controller":"gvp-uniapi/admin","action":"`+action+`","body":`+body+`}`, headers...)
}

func TestWhoMayAdminister(t *testing.T) {
	s := start(t, options{})
	s.CreateUser("ann", `{"profileIds":["default"]}`, "ann", "ann-Secret-1", s.root)
	ann := "Authorization: Bearer " + s.Login("ann", "ann-Secret-1", "")
	for _, action := range []string{"createInstance", "createUser", "setUserStatus", "registerTrustedDevice", "setDeviceEnabled", "forget"} {
		if a := s.try(action, `{}`); a.Status != 401 {
			t.Errorf("%s, anonymous: %d %s", action, a.Status, a.Body)
		}
		if a := s.try(action, `{}`, ann); a.Status != 403 {
			t.Errorf("%s, a user: %d %s", action, a.Status, a.Body)
		}
	}
	for _, headers := range [][]string{nil, {ann}} {
		if a := s.HTTP("GET", "/uniapi/metrics", "", headers...); a.Status != 401 && a.Status != 403 || strings.Contains(a.Body, "gvp_") {
			t.Errorf("metrics: %d %s", a.Status, a.Body)
		}
	}
	if a := s.HTTP("GET", "/uniapi/metrics", "", s.root); a.Status != 200 || !strings.Contains(a.Body, "gvp_throttled_total 0") ||
		!strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Errorf("metrics: %d %v", a.Status, a.Header)
	}
}

func TestAdministration(t *testing.T) {
	s := start(t, options{})
	id := s.user("ana", 25).ID
	for _, c := range []struct {
		name, action, body string
		status             int
		want               string
	}{
		{
			"an instance with defaults", "createInstance", `{"id":40,"countries":["ES"],"deviceTypes":[{"code":8601,"max":2}]}`, 200,
			`"result":{"id":40,"name":"","active":true,"countries":["ES"],"allowLoginBeforeEmailConfirmationFlag":false,"geoBlockingEnabled":true,` +
				`"tokenTTL":86400,"trustedDeviceCheck":"strict","deviceTypes":[{"code":8601,"name":"","enabled":true,"max":2}]}`,
		},
		{"again", "createInstance", `{"id":40}`, 409, `"id":"gvp.alreadyExists"`},
		{"a country that is none", "createInstance", `{"id":41,"countries":["es"]}`, 400, "country"},
		{"a check that is none", "createInstance", `{"id":41,"trustedDeviceCheck":"maybe"}`, 400, "trustedDeviceCheck"},
		{"a lifetime that is none", "createInstance", `{"id":41,"tokenTTL":-1}`, 400, `"id":"gvp.invalidParameter","code":7,"message":"tokenTTL`},
		{"a type twice", "createInstance", `{"id":41,"deviceTypes":[{"code":1},{"code":1}]}`, 400, "twice"},
		{"a member that is none", "createInstance", `{"id":41,"tokenTtl":1}`, 400, `"id":"api.assert.forbidden_argument","code":33619979,"message":"The argument \"body.tokenTtl\"`},
		{"a member of another type", "createInstance", `{"id":"41"}`, 400, `"id":"api.assert.invalid_type","code":33619969,"message":"Wrong type for argument \"body.id\"`},
		{"a user", "createUser", `{"instanceId":40,"userName":" Bob@Example.org ","password":"x"}`, 200, `"result":{"userId":"`},
		{"again in another case", "createUser", `{"instanceId":40,"userName":"bob@example.org","password":"x"}`, 409, `"gvp.alreadyExists"`},
		{"at no instance", "createUser", `{"instanceId":999,"userName":"bob@example.org","password":"x"}`, 404, `"gvp.instanceNotFound"`},
		{"without an address", "createUser", `{"instanceId":40,"userName":"bob@","password":"x"}`, 400, "e-mail"},
		{"without a password", "createUser", `{"instanceId":40,"userName":"eve@example.org"}`, 400, "password"},
		{"with a status that is none", "createUser", `{"instanceId":40,"userName":"eve@example.org","password":"x","status":5}`, 400, "status"},
		{"to await the e-mail again", "setUserStatus", `{"userId":"` + id + `","status":2}`, 409, `"gvp.statusNotReachable"`},
		{"of nobody", "setUserStatus", `{"userId":"x","status":3}`, 404, `"gvp.userNotFound"`},
		{"of no id", "setUserStatus", `{"status":3}`, 404, `"gvp.userNotFound"`},
		{"a device of nobody", "registerTrustedDevice", `{"userId":"x","deviceType":1}`, 404, `"gvp.userNotFound"`},
		{"a device of an unknown type", "registerTrustedDevice", `{"userId":"` + id + `","deviceType":7}`, 400, "deviceType"},
		{"a device of somebody else", "registerTrustedDevice", `{"userId":"` + id + `","deviceType":1,"deviceId":"l-1"}`, 409, `"gvp.alreadyExists"`},
		{"his own device", "registerTrustedDevice", `{"userId":"` + id + `","deviceType":1,"deviceId":"ana-1"}`, 200, `"result":{"deviceId":"ana-1"}`},
		{"a device that is made", "registerTrustedDevice", `{"userId":"` + id + `","deviceType":2}`, 200, `"result":{"deviceId":"`},
		{"a device that is not there", "setDeviceEnabled", `{"deviceId":"x","enabled":true}`, 404, `"gvp.deviceNotFound"`},
		{"forget nobody", "forget", `{}`, 400, "auraId"},
		{"no body", "forget", `null`, 400, `"api.assert.body_required"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a := s.try(c.action, c.body, s.root); a.Status != c.status || !strings.Contains(a.Body, c.want) {
				t.Errorf("%d %s\nwant %d %s", a.Status, a.Body, c.status, c.want)
			}
		})
	}
	if types := stored[namedType](s, deviceTypes); len(types) != 4 {
		t.Errorf("device types %+v", types)
	}
	rows := stored[auditRow](s, audit)
	if len(rows) != 25 || rows[0].Actor != "user root" || rows[0].Action != "createInstance" || rows[0].Outcome != "ok" || rows[1].Outcome != "gvp.alreadyExists" {
		t.Errorf("%d rows, the first are %+v", len(rows), rows[:2])
	}
}

func TestTransitions(t *testing.T) {
	reachable := map[status][]status{
		unknown: {active, awaitingEmailConfirmation, excluded}, active: {suspended, excluded}, awaitingEmailConfirmation: {active, excluded},
		suspended: {active, excluded}, excluded: {active},
	}
	for from := unknown; from <= excluded; from++ {
		for to := unknown; to <= excluded; to++ {
			want := from == to
			for _, r := range reachable[from] {
				want = want || r == to
			}
			if got := from.leadsTo(to); got != want {
				t.Errorf("%d to %d: %v", from, to, got)
			}
		}
	}
}

// Many devices registered at once do not get past the instance's bound, and none that is refused stays.
func TestTheNumberOfDevices(t *testing.T) {
	s := start(t, options{})
	s.admin("createInstance", `{"id":40,"deviceTypes":[{"code":1,"max":3}]}`)
	id := s.admin("createUser", `{"instanceId":40,"userName":"bob@example.org","password":"x"}`).Get("result.userId").(string)
	before := len(stored[device](s, devices))
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() { s.try("registerTrustedDevice", `{"userId":"`+id+`","deviceType":1}`, s.root) })
	}
	wait.Wait()
	if own, all := len(s.user("bob", 40).Devices), len(stored[device](s, devices))-before; own != 3 || all != 3 {
		t.Errorf("%d devices of his, %d new ones", own, all)
	}
}

// forget is called by another plugin through the node, and what is lost of that the event says again.
func TestErasuresOfAnotherPlugin(t *testing.T) {
	var host *sdk.Host
	eraser := sdk.Plugin{
		ID: "eraser", Version: "1.0.0", Description: "Erases.",
		Calls: []string{"gvp-uniapi/admin:forget"}, Triggers: []string{"identity:erased"},
		Start: func(_ context.Context, h *sdk.Host, _ jsontext.Value) error { host = h; return nil },
	}
	c := connect(t, options{node: nodetest.Options{InProcess: sdktest.InProcess(t, eraser)}})
	expectConversation(t, c.ask(c.token))
	result, err := host.Call(t.Context(), sdk.Call{
		Controller: "gvp-uniapi/admin", Action: "forget", Body: map[string]string{"auraId": "aura-1", "phoneHmac": "00"},
	})
	if err != nil || string(result.Value) != `{"auraId":"aura-1","cleared":1}` || len(c.bound()) != 0 {
		t.Errorf("%s %v, still stored: %q", result.Value, err, c.bound())
	}
	if rows := stored[auditRow](c.service, audit); len(rows) != 1 || rows[0].Actor != "plugin eraser" {
		t.Errorf("audit %+v", rows)
	}
	expectConversation(t, c.ask(c.token))
	event := map[string]string{"auraId": "aura-2", "auraIdGlobal": "g", "phoneHmac": "00"}
	if _, err := host.Trigger(t.Context(), "identity:erased", event); err != nil {
		t.Fatal(err)
	}
	eventually(t, "cleared", func() bool { return len(c.bound()) == 0 })
}
