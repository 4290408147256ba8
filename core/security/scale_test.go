package security_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/sluicehq/sluice/core/security"
)

// BenchmarkDecision loads a random one of 10,000 users, each with three of 1,000 profiles over 1,000 roles, and decides on a
// request that only the last of his policies allows.
func BenchmarkDecision(b *testing.B) {
	const users, roles = 10_000, 1_000
	e := newEngine(b)
	s := open(b, e, false)
	for i := range roles {
		name := fmt.Sprint("r", i)
		store(b, e, "roles", name, fmt.Sprintf(`{"controllers":{"document":{"actions":{"get":%t,"search":true}},"auth":{"actions":{"*":true}}}}`, i%2 == 0))
		store(b, e, "profiles", name, fmt.Sprintf(`{"policies":[{"roleId":"default"},{"roleId":%q,"restrictedTo":[{"index":"a","collections":["x","y"]}]}]}`, name))
	}
	for i := range users {
		store(b, e, "users", fmt.Sprint(i), fmt.Sprintf(`{"profileIds":["r%d","r%d","r%d"]}`, i%500*2+1, (i+7)%500*2+1, i%500*2))
	}
	r := request("document", "get", "a", "y", "")
	b.ReportAllocs()
	for b.Loop() {
		u, err := s.User(b.Context(), fmt.Sprint(rand.IntN(users)))
		if err != nil || !s.Allowed(u, r, security.Grants{}) {
			b.Fatal(err, "refused")
		}
	}
}
