package main

import (
	"fmt"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// The benchmarks go from 64 clients through the node's binary, the check to the plugin's too, and back; nodetest.Load says what
// they report. Each client is a user of his own.

// serveLoad has no bound on checks. The users have the profile admin, which does not bound their requests a second; default does.
func serveLoad(b *testing.B) *nodetest.Process {
	b.Helper()
	n := binaries.ServeLoad(b, "comexposium", map[string]any{"checksPerMinute": map[string]any{"perUser": 0, "perIP": 0}}, nil)
	n.Must("POST", "/_createFirstAdmin/root", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	root := "Authorization: Bearer " + n.Login("root", "root-Secret-1", "")
	for i := range nodetest.Clients {
		name := fmt.Sprintf("user%d", i)
		n.CreateUser(name, `{"profileIds":["admin"],"email":"`+name+`@example.org"}`, name, "a-Secret-1", root)
	}
	return n
}

// BenchmarkLogin is the node's own login.
func BenchmarkLogin(b *testing.B) {
	cost := config.Defaults().Security.PasswordHash
	serveLoad(b).Load(b, nodetest.Load{
		Request: func(i int) nodetest.Request {
			body := fmt.Sprintf(`{"username":"user%d","password":"a-Secret-1"}`, i)
			return nodetest.Request{Method: "POST", Path: "/_login/local", Body: body, Want: `"jwt":"`}
		},
		Hash: func() {
			argon2.IDKey([]byte("a-Secret-1"), make([]byte, 16), uint32(cost.Iterations), uint32(cost.MemoryKiB), uint8(cost.Parallelism), 32)
		},
	})
}

// BenchmarkCheck is checkUserToken, of the caller's own address.
func BenchmarkCheck(b *testing.B) {
	n := serveLoad(b)
	n.Load(b, nodetest.Load{Request: func(i int) nodetest.Request {
		name := fmt.Sprintf("user%d", i)
		token := n.Login(name, "a-Secret-1", "")
		return nodetest.Request{
			Method: "POST", Path: path, Body: `{"email":"` + name + `@example.org"}`,
			Headers: []string{"Authorization: Bearer " + token}, Want: `"isValid":true`,
		}
	}})
}
