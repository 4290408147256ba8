package attacks

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
)

func (n *target) guess(user, password string, headers ...string) int {
	n.t.Helper()
	return n.HTTP("POST", "/_login/local", `{"username":"`+user+`","password":"`+password+`"}`, headers...).Status
}

// The header X-Forwarded-For says nothing when no trusted proxy wrote it: whoever guesses stays one address.
func TestGuessesUnderFalseAddresses(t *testing.T) {
	n := newTarget(t)
	n.user("ann", `"auth":{"actions":{"*":true}}`, "")
	got := map[int]int{}
	for i := range 20 {
		got[n.guess("ann", "wrong", fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", i))]++
	}
	if got[http.StatusUnauthorized] > 5 || got[http.StatusTooManyRequests] == 0 {
		t.Errorf("answers by status: %v", got)
	}
	for name, header := range map[string]string{
		"real IP": "X-Real-IP: 198.51.100.1", "forwarded": "Forwarded: for=198.51.100.1", "client": "X-Client-IP: 198.51.100.1", "cloud": "CF-Connecting-IP: 198.51.100.1",
	} {
		if got := n.guess("ann", password, header); got != http.StatusTooManyRequests {
			t.Errorf("%s: %d", name, got)
		}
	}
}

// Behind a proxy each client is its own, and only as far as the proxy vouches for it.
func TestGuessesBehindAProxy(t *testing.T) {
	n := newTarget(t, func(c *config.Config) {
		c.Server.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	n.user("ann", `"auth":{"actions":{"*":true}}`, "")
	for i := range 6 { // the left entry is what the client made up
		n.guess("ann", "wrong", fmt.Sprintf("X-Forwarded-For: 192.0.2.%d, 198.51.100.7", i))
	}
	for i := range 6 {
		n.guess("ann", "wrong", fmt.Sprintf("X-Forwarded-For: 2001:db8:1:2::%x", i)) // one network
	}
	for from, want := range map[string]int{
		"198.51.100.7": http.StatusTooManyRequests, "198.51.100.8": http.StatusOK,
		"2001:db8:1:2:ffff::1": http.StatusTooManyRequests, "2001:db8:1:3::1": http.StatusOK,
	} {
		if got := n.guess("ann", password, "X-Forwarded-For: "+from); got != want {
			t.Errorf("the right password from %s: %d", from, got)
		}
	}
}

// Nobody learns from an answer whether there is a user.
func TestWhoIsThere(t *testing.T) {
	n := newTarget(t, func(c *config.Config) { c.Limits.FailedLoginsPerMinute = 0 })
	sam := n.user("sam", `"auth":{"actions":{"*":true}}`, "")
	same := func(name string, ask func(user string) string) {
		t.Helper()
		if here, nobody := ask("root"), ask("nobody"); here != nobody {
			t.Errorf("%s: %s\nof nobody: %s", name, here, nobody)
		}
	}
	stripped := func(a interface{ Get(string) any }) string {
		return fmt.Sprint(a.Get("status"), a.Get("error"), a.Get("result"))
	}
	same("wrong password", func(user string) string {
		return stripped(n.HTTP("POST", "/_login/local", `{"username":"`+user+`","password":"wrong"}`))
	})
	for _, action := range []string{
		"getUser", "deleteUser", "updateUser", "getCredentials", "getCredentialsById", "hasCredentials", "createUser", "getUserRights", "checkRights", "searchApiKeys", "revokeTokens",
	} {
		for who, token := range map[string]string{"sam": sam, "anonymous": ""} {
			same(who+" "+action, func(user string) string {
				return stripped(n.call(token, "security", action, `,"_id":"`+user+`","userId":"`+user+`","strategy":"local","body":{"content":{"profileIds":["admin"]}}`))
			})
		}
	}
	for name, token := range map[string]string{
		"of no user": "kauth-eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJfaWQiOiJub2JvZHkifQ.c2lnbmF0dXJl",
		"of a user":  "kauth-eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJfaWQiOiJyb290In0.c2lnbmF0dXJl",
		"unsigned":   "kauth-eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJfaWQiOiJyb290In0.",
		"cut":        n.root[:len(n.root)-4],
		"longer":     n.root + "A",
		"no prefix":  n.root[len("kauth-"):],
		"as a key":   "kapikey-" + n.root[len("kauth-"):],
		"nothing":    "x",
	} {
		if a := n.call(sam, "auth", "checkToken", `,"body":{"token":"`+token+`"}`); a.Get("result.valid") != false || a.Get("result.state") != "Invalid token." {
			t.Errorf("a token %s: %s", name, a.Body)
		}
		if a := n.call(token, "server", "now", ""); a.Status != http.StatusUnauthorized || a.Get("error.id") != "security.token.invalid" {
			t.Errorf("a token %s opens %s", name, a.Body)
		}
	}
}

// The time of an answer does not tell either. Attempts take turns, so that what slows the machine slows both.
func TestWhoIsThereByTime(t *testing.T) {
	n := newTarget(t, func(c *config.Config) { c.Limits.FailedLoginsPerMinute = 0 })
	const tries = 4 // on one name: five close it for a while
	times := map[string][]time.Duration{}
	for i := range 8 {
		known := fmt.Sprintf("user%d", i)
		n.CreateUser(known, `{"profileIds":["default"]}`, known, password, "Authorization: Bearer "+n.root)
		for range tries {
			for kind, user := range map[string]string{"known": known, "unknown": fmt.Sprintf("nobody%d", i)} {
				began := time.Now()
				if got := n.guess(user, "wrong"); got != http.StatusUnauthorized {
					t.Fatalf("%s: %d", user, got)
				}
				times[kind] = append(times[kind], time.Since(began))
			}
		}
	}
	median := func(kind string) time.Duration {
		slices.Sort(times[kind])
		return times[kind][len(times[kind])/2]
	}
	// Without the hash the one would take a hundredth of the other.
	if a, b := median("known"), median("unknown"); a > 2*b || b > 2*a {
		t.Errorf("known takes %s, unknown %s", a, b)
	}
}
