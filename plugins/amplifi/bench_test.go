package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/plugins/sdk/passwords"
)

// The benchmarks go from 64 clients through the node's binary to the plugin's and the store and back; nodetest.Load says what
// they report. Each client is a user of his own.

// serveLoad has the throttle of failures off, and lets a demo user come into being for each client.
func serveLoad(b *testing.B) *nodetest.Process {
	b.Helper()
	var users []any
	for i := range nodetest.Clients {
		users = append(users, map[string]any{"userName": fmt.Sprintf("user%d", i), "password": "qa"})
	}
	fixture := filepath.Join(b.TempDir(), "fixture.json")
	if err := os.WriteFile(fixture, []byte(object(map[string]any{"users": users})), 0o600); err != nil {
		b.Fatal(err)
	}
	return binaries.ServeLoad(b, id, map[string]any{
		"fixture":     fixture,
		"testChannel": map[string]any{"enabled": true, "newUsersPerMinute": 10_000},
		"throttle":    map[string]any{"failuresPerMinute": 0, "failuresInARow": 0, "failuresPerHour": 0},
	}, map[string]string{"keyRing": keyRing})
}

// BenchmarkLogin is PUT /token with a name and its password.
func BenchmarkLogin(b *testing.B) {
	hasher := passwords.New(passwords.Standard)
	serveLoad(b).Load(b, nodetest.Load{
		Request: func(i int) nodetest.Request {
			body := fmt.Sprintf(`{"userName":"user%d","password":"qa","channel":"internet"}`, i)
			return nodetest.Request{Method: "PUT", Path: "/amplifi/token", Body: body, Want: `"token":"`}
		},
		Hash: func() { _, _ = hasher.Hash(b.Context(), "qa") },
	})
}

// BenchmarkTestChannel is PUT /token with the channel test, which has no password.
func BenchmarkTestChannel(b *testing.B) {
	serveLoad(b).Load(b, nodetest.Load{Request: testChannel})
}

// BenchmarkCheck is GET /user with a token.
func BenchmarkCheck(b *testing.B) {
	n := serveLoad(b)
	n.Load(b, nodetest.Load{Request: func(i int) nodetest.Request {
		r := testChannel(i)
		a := n.Must(r.Method, r.Path, r.Body)
		token, _ := a.Get("token").(string)
		user, _ := a.Get("userId").(string)
		return nodetest.Request{Method: "GET", Path: "/amplifi/user", Headers: []string{"token: " + token}, Want: `"AFiUserId":"` + user + `"`}
	}})
}

func testChannel(i int) nodetest.Request {
	body := fmt.Sprintf(`{"channel":"test","deviceTag":"device-%d","deviceData":{"platform":"test"}}`, i)
	return nodetest.Request{Method: "PUT", Path: "/amplifi/token", Body: body, Want: `"token":"`}
}
