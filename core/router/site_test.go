package router_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol"
)

// contribution is that of a plugin whose raw routes, "VERB /path", stand below a mount.
func contribution(owner, mount string, routes ...string) router.Contribution {
	a := router.Action{
		Controller: owner, Name: "x", Plugin: owner, Profile: protocol.Raw,
		Handler: func(context.Context, *protocol.Request) (any, error) { return nil, nil },
	}
	for _, r := range routes {
		verb, path, _ := strings.Cut(r, " ")
		a.Routes = append(a.Routes, router.Route{Verb: verb, Path: mount + path, Bare: path})
	}
	return router.Contribution{Owner: owner, Actions: []router.Action{a}, Service: &router.Service{Mount: mount}}
}

func withDocuments(t *testing.T, more ...router.Contribution) *router.Registry {
	t.Helper()
	r := router.NewRegistry()
	node := router.Contribution{Owner: "document", Actions: []router.Action{{
		Controller: "document", Name: "x", Handler: func(context.Context, *protocol.Request) (any, error) { return nil, nil },
		Routes: []router.Route{{Verb: "GET", Path: "/:index/:collection/:_id"}, {Verb: "DELETE", Path: "/:index/:collection"}, {Verb: "GET", Path: "/_now"}},
	}}}
	for _, c := range append([]router.Contribution{node}, more...) {
		if err := r.Set(c); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestSites(t *testing.T) {
	s := withDocuments(t, contribution("a", "/svc/v1", "GET /x", "PUT /x/:id", "GET /"), contribution("b", "", "POST /only/b")).Current()
	for _, c := range []struct {
		site, verb, path, want string // want: the controller; "miss" with Miss.Verbs for a service's, "api" for the API's
	}{
		{"", "GET", "/svc/v1/x", "a"},
		{"", "GET", "/svc/v1", "a"},
		{"", "GET", "/svc/%76%31/x", "a"},
		{"", "GET", "/svc/v1/y", "miss "},
		{"", "DELETE", "/svc/v1", "miss GET"}, // not document's
		{"", "GET", "/svc/v1/x/1", "miss PUT"},
		{"", "GET", "/svc/%76%31/y", "miss "},
		{"", "GET", "/svc/v2/x", "api"}, // the first segment is the plugin's
		{"", "GET", "/other/v1/x", "document"},
		{"", "DELETE", "/only/b", "miss POST"}, // a raw route without mount keeps its path
		{"", "GET", "/only/c", "api"},
		{"", "PUT", "/_now", "api"},
		{"a", "GET", "/x", "a"},
		{"a", "GET", "/", "a"},
		{"a", "GET", "/svc/v1/x", "miss "},
		{"a", "GET", "/_now", "miss "},
		{"a", "DELETE", "/x", "miss GET"},
		{"b", "POST", "/only/b", "b"},
		{"b", "GET", "/x", "miss "},
	} {
		site, got := s.Site(c.site), "api"
		if m, ok := site.Match(c.verb, c.path); ok {
			got = m.Entry.Controller
		} else if miss := site.Miss(c.path); miss.Service != nil {
			got = "miss " + strings.Join(miss.Verbs, ",")
		}
		if got != c.want {
			t.Errorf("%s %s on %q: %q, want %q", c.verb, c.path, c.site, got, c.want)
		}
	}
	if s.Site("c") != nil {
		t.Error("there is a site of nobody's")
	}
}

func TestMountsInTheWay(t *testing.T) {
	for mount, want := range map[string]string{
		"/_now":      "belong to the node",
		"/taken":     `belong to the plugin "first"`,
		"/taken/too": `belong to the plugin "first"`,
		"/deep":      "mounted below it",
		"/free":      "",
		"/deeper/x":  "",
	} {
		r := withDocuments(t, contribution("first", "/taken", "GET /x"), contribution("second", "/deep/down", "GET /x"))
		before := r.Current()
		err := r.Set(contribution("third", mount, "GET /y"))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", mount, err, want)
		}
		if err != nil && r.Current() != before {
			t.Errorf("%s changed something", mount)
		}
	}
	r := withDocuments(t, contribution("first", "/taken", "GET /x"))
	if err := r.Set(contribution("second", "", "GET /taken/y")); err == nil || !strings.Contains(err.Error(), "mounted there") {
		t.Errorf("a route below the mount of another: %v", err)
	}
	r.Remove("first")
	if _, ok := r.Current().Match("DELETE", "/taken/x"); !ok {
		t.Error("the mount of a plugin that left still keeps its paths")
	}
}

func TestLimit(t *testing.T) {
	l, err := router.NewLimit(false, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1000, 0)
	for i := range 3 {
		if _, ok := l.Allow("a", now); !ok {
			t.Errorf("call %d is refused", i)
		}
	}
	wait, ok := l.Allow("a", now)
	if ok || wait <= 0 || wait > 500*time.Millisecond {
		t.Errorf("one more: %v, %v", ok, wait)
	}
	if again, _ := l.Allow("a", now); again != wait {
		t.Errorf("a refused call counts: %v, then %v", wait, again)
	}
	if _, ok := l.Allow("b", now); !ok {
		t.Error("another client is refused")
	}
	if _, ok := l.Allow("a", now.Add(wait)); !ok {
		t.Error("refused after the wait")
	}
}

// TestReservedSegments: a literal of one verb does not take the parameter of another, below a mount as on own hosts.
func TestReservedSegments(t *testing.T) {
	s := withDocuments(t, contribution("a", "/svc", "GET /users/all", "DELETE /users/:id")).Current()
	for site, path := range map[string]string{"": "/svc/users/all", "a": "/users/all"} {
		m, ok := s.Site(site).Match("DELETE", path)
		if !ok || m.Entry.Controller != "a" {
			t.Errorf("DELETE %s: %v", path, ok)
		}
		if got := s.Site(site).Allowed(path); len(got) != 2 {
			t.Errorf("%s: allowed %v", path, got)
		}
	}
}

// TestReservedPlace: a place without routes is nobody else's.
func TestReservedPlace(t *testing.T) {
	down := errors.New("down")
	s := withDocuments(t, router.Contribution{Owner: "a", Service: &router.Service{Mount: "/a", Down: down}}).Current()
	for _, path := range []string{"/a", "/a/b", "/a/b/c"} {
		if _, ok := s.Match("GET", path); ok {
			t.Errorf("%s leads somewhere", path)
		}
		if m := s.Site("").Miss(path); m.Service == nil || !errors.Is(m.Service.Down, down) {
			t.Errorf("%s: %+v", path, m)
		}
	}
	if m := s.Site("a").Miss("/x"); m.Service == nil || !errors.Is(m.Service.Down, down) {
		t.Errorf("its own host: %+v", m)
	}
}
