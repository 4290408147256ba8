package router_test

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol"
)

// A plugin's literal route would win over a built-in one with a parameter, so it may not begin like one of the node.
func TestPluginsKeepOffTheNodesPaths(t *testing.T) {
	handler := func(context.Context, *protocol.Request) (any, error) { return nil, nil }
	for _, c := range []struct {
		path    string
		refused bool
	}{
		{"/_login/local", true},
		{"//_login//local", true},
		{"/_login", true},
		{"/users/admin", true},
		{"/", true},
		{"/:index/x", true},
		{"/_plugin/hello/say", false},
		{"/_/hello/:name", false},
		{"/_plugin/bundled/password/resetToken/joe", true},
		{"/_/bundled", true},
		{"/uniapi/GetAuraToken", false},
		{"/_login2/local", false},
	} {
		r := router.NewRegistry()
		if err := r.Set(router.Contribution{Owner: "node", Actions: []router.Action{{Controller: "auth", Name: "login", Handler: handler, Routes: []router.Route{
			{Verb: "POST", Path: "/_login/:strategy"},
			{Verb: "DELETE", Path: "/users/:_id"},
			{Verb: "GET", Path: "/:index/:collection"},
			{Verb: "GET", Path: "/_plugin/bundled/password/resetToken/:_id"},
			{Verb: "POST", Path: "/_/bundled/password/reset"},
		}}}}); err != nil {
			t.Fatal(err)
		}
		err := r.Set(router.Contribution{Owner: "p", Actions: []router.Action{{
			Controller: "hello", Name: "say", Handler: handler, Plugin: "hello", Routes: []router.Route{{Verb: "POST", Path: c.path}},
		}}})
		if (err != nil) != c.refused {
			t.Errorf("%s: %v, want refused %v", c.path, err, c.refused)
		}
	}
}
