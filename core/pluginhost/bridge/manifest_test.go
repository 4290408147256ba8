package bridge_test

import (
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
	}
}

func TestCheck(t *testing.T) {
	if err := bridge.Check("gvp", good()); err != nil {
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
	} {
		m := proto.CloneOf(good())
		change(m)
		if err := bridge.Check("gvp", m); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(want, ": ")) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
