package bridge_test

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/sluicehq/sluice/core/pluginhost/bridge"
	"github.com/sluicehq/sluice/protocol/pluginv1"
)

func good() *pluginv1.Manifest {
	return &pluginv1.Manifest{
		Id: "gvp", WireName: "gvp-uniapi", Version: "1", ApiVersion: 1,
		Actions: []*pluginv1.Action{
			{Controller: "gvp", Name: "a"},
			{Controller: "gvp-uniapi/aura", Name: "GetAuraToken", Profile: "kuzzle-v1", Auth: pluginv1.AuthMode_AUTH_MODE_REQUIRED},
		},
		Pipes: []string{"document:beforeCreate", "document:before*", "document:*"},
		Hooks: []string{"gvp-uniapi/aura:afterX"},
		Calls: []string{"document:get", "security:*", "aura-authentication-api/users:get"},
		Grants: []*pluginv1.Grant{
			{Role: "anonymous", Controller: "gvp", Action: "a"},
		},
		Mount: "/uniapi/v8.3",
		Refusals: []*pluginv1.Refusal{
			{Status: 400, Body: `{"StatusCode":2,"StatusMessage":$message,"Content":null}`},
			{Status: 404, Body: "no $", ContentType: "text/plain; charset=utf-8", AnswerStatus: 200, Headers: []*pluginv1.Header{{Name: "X-A", Values: []string{"$requestId"}}}},
			{Body: `{"a":$status}`, ContentType: "application/json"},
		},
		Collections: []*pluginv1.Collection{{Name: "gvp_users", Mapping: []byte(`{"properties":{}}`)}, {Index: "audit", Name: "gvp_users"}},
		Triggers:    []string{"identity:erased"},
		Strategies: []*pluginv1.Strategy{{
			Name: "badge", Fields: []string{"number"}, Methods: []pluginv1.StrategyMethod{pluginv1.StrategyMethod_STRATEGY_METHOD_INFO},
		}, {Name: "door"}},
	}
}

// raw gives the first action of a manifest, which then is a raw one.
func raw(m *pluginv1.Manifest) *pluginv1.Action {
	m.Actions[0].Profile, m.Actions[0].Auth = "raw", pluginv1.AuthMode_AUTH_MODE_PLUGIN
	m.Actions[0].RateLimit = &pluginv1.RateLimit{PerSecond: 0.5, Burst: 1}
	m.Actions[0].ContentTypes = []string{"application/json"}
	return m.Actions[0]
}

func TestCheck(t *testing.T) {
	if err := bridge.Check("gvp", good()); err != nil {
		t.Fatal(err)
	}
	m := good()
	raw(m)
	if err := bridge.Check("gvp", m); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*pluginv1.Manifest){
		`it calls itself "x"`:                   func(m *pluginv1.Manifest) { m.Id = "x" },
		`wire name "a/b"`:                       func(m *pluginv1.Manifest) { m.WireName = "a/b" },
		`version 2 of the plugin protocol`:      func(m *pluginv1.Manifest) { m.ApiVersion = 2 },
		`belongs to a controller of the API`:    func(m *pluginv1.Manifest) { m.WireName = "DOCUMENT" },
		`action document:a`:                     func(m *pluginv1.Manifest) { m.Actions[0].Controller = "document" },
		`action gvp/:a`:                         func(m *pluginv1.Manifest) { m.Actions[0].Controller = "gvp/" },
		`action gvp/a/b:a`:                      func(m *pluginv1.Manifest) { m.Actions[0].Controller = "gvp/a/b" },
		`action gvpx:a`:                         func(m *pluginv1.Manifest) { m.Actions[0].Controller = "gvpx" },
		`action gvp:a b`:                        func(m *pluginv1.Manifest) { m.Actions[0].Name = "a b" },
		`action gvp:: `:                         func(m *pluginv1.Manifest) { m.Actions[0].Name = "" },
		`auth mode 7`:                           func(m *pluginv1.Manifest) { m.Actions[0].Auth = 7 },
		`unknown wire profile "v9"`:             func(m *pluginv1.Manifest) { m.Actions[0].Profile = "v9" },
		`event "document"`:                      func(m *pluginv1.Manifest) { m.Pipes = []string{"document"} },
		`event "document:cre*"`:                 func(m *pluginv1.Manifest) { m.Hooks = []string{"document:cre*"} },
		`event "*"`:                             func(m *pluginv1.Manifest) { m.Hooks = []string{"*"} },
		`call "*:*"`:                            func(m *pluginv1.Manifest) { m.Calls = []string{"*:*"} },
		`call "document:m*"`:                    func(m *pluginv1.Manifest) { m.Calls = []string{"document:m*"} },
		`grant to role "root"`:                  func(m *pluginv1.Manifest) { m.Grants[0].Role = "root" },
		`grant of security:createUser, which`:   func(m *pluginv1.Manifest) { m.Grants[0].Controller, m.Grants[0].Action = "security", "createUser" },
		`grant of gvp:b, which is no action of`: func(m *pluginv1.Manifest) { m.Grants[0].Action = "b" },
		`mount "uniapi"`:                        func(m *pluginv1.Manifest) { m.Mount = "uniapi" },
		`mount "/"`:                             func(m *pluginv1.Manifest) { m.Mount = "/" },
		`mount "/a/"`:                           func(m *pluginv1.Manifest) { m.Mount = "/a/" },
		`mount "/a/../b"`:                       func(m *pluginv1.Manifest) { m.Mount = "/a/../b" },
		`mount "/:a"`:                           func(m *pluginv1.Manifest) { m.Mount = "/:a" },
		`mount "/%41"`:                          func(m *pluginv1.Manifest) { m.Mount = "/%41" },
		`refusal of status 200`:                 func(m *pluginv1.Manifest) { m.Refusals[0].Status = 200 },
		`two refusals of status 404`:            func(m *pluginv1.Manifest) { m.Refusals[0].Status = 404 },
		`answer status from 200`:                func(m *pluginv1.Manifest) { m.Refusals[0].AnswerStatus = 99 },
		`the body is no JSON`:                   func(m *pluginv1.Manifest) { m.Refusals[0].Body = `{"m":"$message"}` },
		`the body is larger`:                    func(m *pluginv1.Manifest) { m.Refusals[0].Body = `"` + strings.Repeat("x", 64<<10) + `"` },
		`the header "X\nA"`:                     func(m *pluginv1.Manifest) { m.Refusals[1].Headers[0].Name = "X\nA" },
		`the header "X-A" is none`:              func(m *pluginv1.Manifest) { m.Refusals[1].Headers[0].Values[0] = "a\r\nb" },
		`refusal of status 404: mime`:           func(m *pluginv1.Manifest) { m.Refusals[1].ContentType = "text/" },
		`collection gvp/A`:                      func(m *pluginv1.Manifest) { m.Collections[0].Name = "A" },
		`collection %x/gvp_users`:               func(m *pluginv1.Manifest) { m.Collections[0].Index = "%x" },
		`collection gvp/gvp_users is there tw`:  func(m *pluginv1.Manifest) { m.Collections[1].Index = "gvp" },
		`the mapping is no JSON object`:         func(m *pluginv1.Manifest) { m.Collections[0].Mapping = []byte(`[]`) },
		`trigger "identity"`:                    func(m *pluginv1.Manifest) { m.Triggers = []string{"identity"} },
		`trigger "identity:*"`:                  func(m *pluginv1.Manifest) { m.Triggers = []string{"identity:*"} },
		`events of Document are the node's`:     func(m *pluginv1.Manifest) { m.Triggers = []string{"Document:beforeCreate"} },
		`events of request are the node's`:      func(m *pluginv1.Manifest) { m.Triggers = []string{"request:onSuccess"} },
		`trigger "generic:document:beforeW`:     func(m *pluginv1.Manifest) { m.Triggers = []string{"generic:document:beforeWrite"} },
		`strategy "": a name`:                   func(m *pluginv1.Manifest) { m.Strategies[0].Name = "" },
		`strategy "a/b": a name`:                func(m *pluginv1.Manifest) { m.Strategies[0].Name = "a/b" },
		`two strategies "badge"`:                func(m *pluginv1.Manifest) { m.Strategies[1].Name = "badge" },
		`"badge": a field without a name`:       func(m *pluginv1.Manifest) { m.Strategies[0].Fields[0] = "" },
		`"badge": 99 is no optional method`:     func(m *pluginv1.Manifest) { m.Strategies[0].Methods[0] = 99 },
		`METHOD_CREATE is no optional method`: func(m *pluginv1.Manifest) {
			m.Strategies[0].Methods[0] = pluginv1.StrategyMethod_STRATEGY_METHOD_CREATE
		},
		`rate limit needs more than 0`:  func(m *pluginv1.Manifest) { raw(m).RateLimit.PerSecond = 0 },
		`rate limit needs more than 0 `: func(m *pluginv1.Manifest) { raw(m).RateLimit.PerSecond = math.NaN() },
		`burst of at least 1`:           func(m *pluginv1.Manifest) { raw(m).RateLimit.Burst = 0 },
		`rate limit per 9`:              func(m *pluginv1.Manifest) { raw(m).RateLimit.Per = 9 },
		`content type "JSON"`:           func(m *pluginv1.Manifest) { raw(m).ContentTypes[0] = "JSON" },
		`content type "a/b;c"`:          func(m *pluginv1.Manifest) { raw(m).ContentTypes[0] = "a/b;c" },
	} {
		m := proto.CloneOf(good())
		change(m)
		if err := bridge.Check("gvp", m); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(want, ": ")) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// The node's own storage begins like that of a plugin whose name begins so.
func TestNamesOfTheNodesOwnStorage(t *testing.T) {
	m := good()
	m.Id, m.WireName, m.Grants = "kuzzle-plugin-auth-passport-local", "", nil
	m.Actions = nil
	m.Hooks = nil
	if err := bridge.Check(m.GetId(), m); err == nil || !strings.Contains(err.Error(), "names that begin with kuzzle-plugin-") {
		t.Error(err)
	}
}
