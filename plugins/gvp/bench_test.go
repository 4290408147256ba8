package main

import (
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/plugins/sdk/sdktest"
)

// BenchmarkGetAuraToken is a call with a good token and a stored Aura ID, over a real socket to a stand-in of Aura.
func BenchmarkGetAuraToken(b *testing.B) {
	p := newPlugin()
	c := connect(b, options{node: nodetest.Options{InProcess: sdktest.InProcess(b, p.describe())}})
	c.ask(c.token)
	for b.Loop() {
		if a := c.ask(c.token); a.Get("StatusCode") != 0.0 {
			b.Fatal(a.Body)
		}
	}
}

func BenchmarkLogin(b *testing.B) {
	p := newPlugin()
	c := start(b, options{node: nodetest.Options{InProcess: sdktest.InProcess(b, p.describe())}})
	for b.Loop() {
		if a := c.login(body("ana", 25, password), fromES); a.Get("StatusCode") != 0.0 {
			b.Fatal(a.Body)
		}
	}
}
