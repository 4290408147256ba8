package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/plugins/sdk/passwords"
)

// The benchmarks go from 64 clients through the node's binary to the plugin's, from there to the store and to stand-ins in the
// benchmark's process, and back; nodetest.Load says what they report. Each client is a user of his own.

// serveLoad has the bounds on failures and on calls off. The clients' network is in Spain, without a database.
func serveLoad(b *testing.B) *nodetest.Process {
	b.Helper()
	up := newStandIn(b)
	dir := b.TempDir()
	keyFile, fixture := filepath.Join(dir, "key.pem"), filepath.Join(dir, "fixture.json")
	writeFile(b, keyFile, keyPEM(b, up.key))
	writeFile(b, fixture, usersOfClients())
	return binaries.ServeLoad(b, "gvp", map[string]any{
		"fixture": fixture, "geo": map[string]any{"overrides": map[string]any{nodetest.ClientNetwork: "ES"}},
		"callsPerMinute": 0,
		"login": map[string]any{
			"refusalsPerMinute": 0,
			"throttle":          map[string]any{"failuresPerMinute": 0, "failuresInARow": 0, "failuresPerHour": 0},
		},
		"fourthPlatform": map[string]any{
			"authURL": up.URL + "/auth", "apiURL": up.URL + "/api", "clientId": "gvp", "privateKeyFile": keyFile,
		},
		"auraId": map[string]any{"url": up.URL + "/kernel"}, "auraToken": map[string]any{"url": up.URL + "/aura"},
	}, map[string]string{secret4PClient: clientSecret, secretAuraKeys: `{"1":"` + wssKey + `"}`})
}

// usersOfClients is a fixture with a user and his device for each client.
func usersOfClients() []byte {
	var users []any
	for i := range nodetest.Clients {
		users = append(users, map[string]any{
			"instanceId": 25, "userName": nameOf(i) + "@example.org", "password": password, "uniqueId": "unique-" + nameOf(i),
			"devices": []any{map[string]any{"deviceType": 1, "deviceId": "device-of-" + nameOf(i)}},
		})
	}
	text, err := json.Marshal(map[string]any{
		"instances": []any{map[string]any{"id": 25, "countries": []string{"ES"}, "deviceTypes": []any{map[string]any{"code": 1, "name": "box"}}}},
		"users":     users,
	})
	if err != nil {
		panic(err)
	}
	return text
}

func nameOf(client int) string { return fmt.Sprintf("user%d", client) }

func loginOf(client int) nodetest.Request {
	return nodetest.Request{Method: "POST", Path: loginPath, Body: body(nameOf(client), 25, password), Want: `"Content":{"Token":"AU_`}
}

// BenchmarkLogin is LoginUserPassword with the right password.
func BenchmarkLogin(b *testing.B) {
	hasher := passwords.New(passwords.Standard)
	serveLoad(b).Load(b, nodetest.Load{
		Request: loginOf,
		Hash:    func() { _, _ = hasher.Hash(b.Context(), password) },
	})
}

// BenchmarkGetAuraId is a call with a good token, whose device has an Aura ID: the first call, which is not counted, stores it.
func BenchmarkGetAuraId(b *testing.B) { benchmarkCheck(b, "/uniapi/GetAuraId", `"auraId":"aura-`) }

// BenchmarkGetAuraToken is the same, and a conversation that Aura is asked for each time.
func BenchmarkGetAuraToken(b *testing.B) { benchmarkCheck(b, tokenPath, `"conversationId":"conv-`) }

func benchmarkCheck(b *testing.B, path, want string) {
	n := serveLoad(b)
	n.Load(b, nodetest.Load{Request: func(i int) nodetest.Request {
		login := loginOf(i)
		a := n.Must(login.Method, login.Path, login.Body, nodetest.ClientAddress(i))
		token, _ := a.Get("Content.Token").(string)
		return nodetest.Request{Method: "POST", Path: path, Body: `{"token":"` + token + `"}`, Want: want}
	}})
}
