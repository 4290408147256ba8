package main

import (
	"errors"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/storage"
)

const (
	auraMount   = "/aura-services/v1"
	auraChannel = "c0a80001-0000-4000-8000-000000000001"
)

// auraKeys are API keys of the plugin aura, by class.
type (
	auraKeys struct{ public, internal, kernel auraKey }
	auraKey  struct{ id, text string }
)

// beside makes options of a node on whose listener for it the plugin aura serves gvp. Aura has the stand-in for Direct Line and
// for Kernel. front stands where gvp looks for Aura, because the listener's port is not known before the node runs.
func beside(up *standIn, front *httptest.Server, data string, keys auraKeys) options {
	return options{
		settings: map[string]any{
			"auraId":    map[string]any{"url": front.URL, "validate": true},
			"auraToken": map[string]any{"url": front.URL + auraMount},
		},
		secrets: map[string]string{secretAuraKeys: `{"*":"` + keys.public.text + `"}`, secretAuraInternal: keys.internal.text},
		configure: func(c *config.Config) {
			c.Server.DataDir = data
			c.Plugins.Required = append(c.Plugins.Required, "aura")
			c.Plugins.Listen = map[string]string{"aura": "127.0.0.1:0"}
			c.Plugins.Config["aura"] = map[string]any{
				"directLine": map[string]any{"baseUrl": up.URL + "/line"},
				"kernel":     map[string]any{"baseUrl": up.URL + "/auth", "clientId": "gvp", "acceptBearer": true},
				// What is not delivered at once is not delivered while the test runs, unless another erasure comes.
				"erasure": map[string]any{"firstRetry": "1h"},
			}
			c.Plugins.Secrets["aura"] = map[string]config.Secret{
				"directLineSecret": config.NewSecret(lineSecret), "kernelClientSecret": config.NewSecret(clientSecret),
			}
		},
	}
}

// newAuraKeys has an administrator make API keys, as an operator does before he gives them to gvp.
func newAuraKeys(s *service) auraKeys {
	s.T.Helper()
	key := func(class, mode string) auraKey {
		a := s.Must("POST", "/_query", `{"controller":"aura-authentication-api/admin","action":"createApiKey","body":`+
			`{"consumer":"gvp","classes":["`+class+`"],"mode":"`+mode+`"}}`, s.root)
		text, _ := a.Get("result.apiKey").(string)
		id, _ := a.Get("result.kid").(string)
		return auraKey{id, text}
	}
	return auraKeys{key("public", "r"), key("internal", "r"), key("kernel", "rw")}
}

// together is connect with the plugin aura in place of the stand-in's Aura.
func together(t *testing.T, fail func(op string, c storage.Collection, id string) error) (connected, auraKeys) {
	t.Helper()
	up, data := newStandIn(t), t.TempDir()
	var aura atomic.Pointer[url.URL]
	front := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(aura.Load())
		r.Out.URL.Path = strings.TrimPrefix(r.Out.URL.Path, auraMount) // the listener has the paths at its root
	}})
	t.Cleanup(front.Close)
	var keys auraKeys
	t.Run("keys", func(t *testing.T) { keys = newAuraKeys(start(t, beside(up, front, data, auraKeys{}))) })
	o := beside(up, front, data, keys)
	o.restarted, o.fail = true, fail
	c := connectTo(t, up, o)
	aura.Store(&url.URL{Scheme: "http", Host: c.SiteAddress("aura")})
	return c, keys
}

func (c connected) aura(method, path string, key auraKey) nodetest.Answer {
	c.T.Helper()
	return nodetest.Client{T: c.T, Address: c.SiteAddress("aura")}.HTTP(method, path, "", "Authorization: APIKEY "+key.text)
}

var auraIDAnswer = regexp.MustCompile(`^\{"StatusCode":0,"Severity":1,"StatusMessage":"OK","Content":\{"auraId":"([0-9a-f-]{36})"\}\}$`)

// idOf gives the Aura ID that GetAuraId answers, which is the one that is stored.
func (c connected) idOf(token string) string {
	c.T.Helper()
	a := c.HTTP("POST", "/uniapi/GetAuraId", `{"token":"`+token+`"}`)
	shape := auraIDAnswer.FindStringSubmatch(a.Body)
	if shape == nil || !slices.Equal(c.bound(), shape[1:]) {
		c.T.Fatalf("%d %s, stored: %q", a.Status, a.Body, c.bound())
	}
	return shape[1]
}

// Both plugins on one node: what one asks, the other answers, and what Aura erases, gvp forgets.
func TestTogetherWithAura(t *testing.T) {
	var deaf atomic.Bool // gvp does not take an erasure
	c, keys := together(t, func(op string, where storage.Collection, _ string) error {
		if deaf.Load() && where.Name == auraOwners && op != "Get" {
			return errors.New("the disk is on fire")
		}
		return nil
	})
	expectConversation(t, c.ask(c.token))
	expectCalls(t, c.asked(), slices.Concat([]string{"POST /auth/token client_credentials"}, callsFor4P[:2],
		[]string{"POST /auth/introspect", "POST /line/v3/directline/conversations"}))
	first := c.idOf(c.token)
	if a := c.aura("GET", "/users/"+first, keys.internal); a.Status != 200 || a.Get("userId") != "4p-unique-ana" || a.Get("channelId") != auraChannel {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	c.asked()
	expectConversation(t, c.ask(c.token))
	expectCalls(t, c.asked(), []string{"POST /line/v3/directline/conversations"})

	deaf.Store(true) // validation finds out by itself
	c.erase(first, keys)
	c.Log.Await(t, "erasures are not delivered yet")
	deaf.Store(false)
	if got := c.bound(); !slices.Equal(got, []string{first}) {
		t.Fatalf("stored %q", got)
	}
	expectConversation(t, c.ask(c.token))
	second := c.idOf(c.token)
	if second == first {
		t.Error("the Aura ID is the one that was erased")
	}

	c.erase(second, keys) // gvp is told
	eventually(t, "forgotten", func() bool { return len(c.bound()) == 0 })
	expectConversation(t, c.ask(c.token))
	third := c.idOf(c.token)
	if third == first || third == second {
		t.Error("the Aura ID is one that was erased")
	}

	log := c.Log.String()
	for _, secret := range slices.Concat([]string{
		keys.public.text, keys.internal.text, keys.kernel.text, strings.TrimPrefix(c.token, "AU_"), accessOfUser, lineSecret, conversations, "stream-secret", first, second, third,
	}, c.texts) {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

func (c connected) erase(auraID string, keys auraKeys) {
	c.T.Helper()
	if a := c.aura("DELETE", "/users/"+auraID, keys.kernel); a.Status != 204 {
		c.T.Fatalf("%d %s", a.Status, a.Body)
	}
	if a := c.aura("GET", "/users/"+auraID, keys.internal); a.Status != 404 {
		c.T.Fatalf("%d %s", a.Status, a.Body)
	}
}

// A key that Aura does not take is a failure of Aura when it is the one for conversations. When it is the one for validation,
// the Aura ID is asked for anew, which is the same.
func TestKeysThatAuraDoesNotTake(t *testing.T) {
	c, keys := together(t, nil)
	expectConversation(t, c.ask(c.token))
	id := c.idOf(c.token)
	c.revoke(keys.internal)
	if a := c.aura("GET", "/users/"+id, keys.internal); a.Status != 401 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	expectConversation(t, c.ask(c.token))
	if again := c.idOf(c.token); again != id {
		t.Errorf("%s became %s", id, again)
	}
	c.revoke(keys.public)
	failed(t, c.ask(c.token), 200, fourthPlatform, "")
}

func (c connected) revoke(key auraKey) {
	c.T.Helper()
	c.Must("POST", "/_query", `{"controller":"aura-authentication-api/admin","action":"revokeApiKey","kid":"`+key.id+`"}`, c.root)
}
