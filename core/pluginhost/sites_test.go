package pluginhost_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/config"
)

func proxies(t *testing.T, list string) []netip.Prefix {
	t.Helper()
	var all []netip.Prefix
	for text := range strings.SplitSeq(list, ",") {
		if text == "" {
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// TestSites: on a host or a listener of its own a plugin's routes stand bare, and nothing of the API is there.
func TestSites(t *testing.T) {
	n := serve(t, func(c *config.Config) {
		c.Plugins.Hosts = map[string][]string{"service": {"Service.localhost"}, "absent": {"absent.localhost"}, "ok": {"ok.localhost"}}
		c.Plugins.Listen = map[string]string{"service": "127.0.0.1:0", "absent": "127.0.0.1:0"}
	}, "service", "ok")
	for site, where := range map[string]struct{ address, host string }{
		"host":     {n.Client.Address, "service.localhost:80"},
		"fqdn":     {n.Client.Address, "SERVICE.localhost."},
		"listener": {n.SiteAddress("service"), "localhost"},
	} {
		for _, c := range []struct {
			method, path string
			status       int
		}{
			{"GET", "/teapot", 418},
			{"HEAD", "/teapot", 418},
			{"GET", "/service/teapot", 404},
			{"GET", "/_now", 404},
			{"GET", "/", 404},
			{"GET", "/metrics", 200}, // the plugin's
			{"GET", "/_healthcheck", 404},
			{"POST", "/_query", 404},
			{"GET", "/index/collection/id", 404},
			{"DELETE", "/teapot", 405},
			{"OPTIONS", "/teapot", 204},
			{"GET", "/admin/who", 401},
		} {
			status, header, body := at(t, where.address, where.host, c.method, c.path)
			if status != c.status {
				t.Errorf("%s: %s %s: %d %s, want %d", site, c.method, c.path, status, body, c.status)
			}
			if c.path == "/metrics" && body != "a_total 1\n" {
				t.Errorf("%s: metrics: %s", site, body)
			}
			if c.status == 405 && header.Get("Allow") != "GET, HEAD, OPTIONS" {
				t.Errorf("%s: Allow: %s", site, header.Get("Allow"))
			}
		}
	}
	for _, path := range []string{"/teapot", "/_now"} {
		if status, _, body := at(t, n.SiteAddress("absent"), "", "GET", path); status != 503 || !strings.HasPrefix(body, `{"status":503,`) {
			t.Errorf("a plugin that is not there: %d %s", status, body)
		}
	}
	if status, _, _ := at(t, n.Client.Address, "absent.localhost", "GET", "/_now"); status != 503 {
		t.Errorf("the host of a plugin that is not there: %d", status)
	}
	// A plugin without mount and raw routes has its absolute routes there, and the API's answers.
	if status, _, body := at(t, n.Client.Address, "ok.localhost", "POST", "/_/ok/echo/1"); status != 401 || !strings.Contains(body, `"stack"`) {
		t.Errorf("a plugin without mount: %d %s", status, body)
	}
	if status, _, body := at(t, n.Client.Address, "ok.localhost", "GET", "/_now"); status != 404 || !strings.Contains(body, `"network.http.url_not_found"`) {
		t.Errorf("a plugin without mount: %d %s", status, body)
	}
	if status, _, _ := at(t, n.Client.Address, "", "GET", "/_now"); status != 200 {
		t.Errorf("the API: %d", status)
	}
	_, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+n.SiteAddress("service"), nil)
	if err == nil || resp == nil || resp.StatusCode != 404 {
		t.Errorf("a WebSocket on the listener of a plugin: %v", err)
	}
	if resp != nil {
		_ = resp.Body.Close()
	}
}

func TestMountsOfTheOperator(t *testing.T) {
	n := serve(t, func(c *config.Config) { c.Plugins.Mounts = map[string]string{"service": "/api/v1"} }, "service")
	if a := n.HTTP("GET", "/api/v1/teapot", ""); a.Status != 418 {
		t.Errorf("there: %d %s", a.Status, a.Body)
	}
	if a := n.HTTP("GET", "/service/teapot", ""); a.Status != 404 || a.Get("error.id") != "network.http.url_not_found" {
		t.Errorf("no longer there: %d %s", a.Status, a.Body)
	}
	if a := n.HTTP("GET", "/api/v1/x", ""); a.Status != 404 || !strings.HasPrefix(a.Body, "nothing here") {
		t.Errorf("below it: %d %s", a.Status, a.Body)
	}
	if a := n.HTTP("DELETE", "/api/v2", ""); a.Status == 405 || a.Get("error.id") == nil {
		t.Errorf("beside it: %d %s", a.Status, a.Body)
	}
}

func TestMountsThatAreRefused(t *testing.T) {
	for mount, want := range map[string]string{
		"/users":   "belong to the node",
		"/_plugin": "belong to the node", // it has some of the paths below
		"/free":    "",
		"/:x":      "letters",
		"/a//b":    "letters",
		"/a/..":    "letters",
		"/friend":  "belong to the plugin",
	} {
		n := serve(t, func(c *config.Config) {
			c.Plugins.Required = nil
			c.Plugins.Mounts = map[string]string{"service": mount, "friend": "/friend"}
		}, "friend", "service")
		lastErr := n.Plugins()[1].LastError
		if (want == "") != (lastErr == "") || !strings.Contains(lastErr, want) {
			t.Errorf("%s: %q, want %q", mount, lastErr, want)
		}
	}
}
