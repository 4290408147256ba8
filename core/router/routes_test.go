package router

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/protocol"
)

func nothing(context.Context, *protocol.Request) (any, error) { return nil, nil }

// action makes one whose routes are given as "VERB /path".
func action(controller, name string, routes ...string) Action {
	a := Action{Controller: controller, Name: name, Handler: nothing}
	for _, r := range routes {
		verb, path, _ := strings.Cut(r, " ")
		a.Routes = append(a.Routes, Route{Verb: verb, Path: path})
	}
	return a
}

func snapshot(t testing.TB, actions ...Action) *Snapshot {
	t.Helper()
	r := NewRegistry()
	if err := r.Set(Contribution{Owner: "test", Actions: actions}); err != nil {
		t.Fatal(err)
	}
	return r.Current()
}

func documents(t testing.TB) *Snapshot {
	return snapshot(t,
		action("server", "info", "GET /"),
		action("document", "get", "GET /:index/:collection/:_id"),
		action("document", "search", "GET /:index/:collection/_search", "POST /:index/:collection/_search"),
		action("security", "getUser", "GET /users/:_id"),
		action("security", "searchUsers", "POST /users/_search"),
		action("ms", "get", "GET /ms/:key"),
		action("odd", "params", "GET /x/:a/:b/:c/y"),
	)
}

func TestMatch(t *testing.T) {
	s := documents(t)
	for _, c := range []struct{ verb, path, want string }{
		{"GET", "/", "server:info {}"},
		{"GET", "", "server:info {}"},
		{"GET", "///", "server:info {}"},
		{"POST", "/", ""},
		{"BREW", "/", ""},
		{"GET", "/a/b/c", "document:get {} a b c"},
		{"GET", "/a//b/c/", "document:get {} a b c"},
		{"GET", "/a/b", ""},
		{"GET", "/a/b/c/d", ""},
		{"GET", "/a/b/_search", "document:search {} a b"}, // a literal beats a parameter
		{"GET", "/a/b/%5Fsearch", "document:search {} a b"},
		{"GET", "/users/b/_search", ""}, // and there is no way back: users is taken
		{"GET", "/users/b/c", ""},
		{"GET", "/users/b", "security:getUser {} - - b"},
		{"GET", "/ms/k%2Fey", `ms:get {"key":"k/ey"}`},
		{"GET", "/ms/%22%0a", `ms:get {"key":"\"\n"}`},
		{"GET", "/ms/%ff", `ms:get {"key":"` + "\ufffd" + `"}`},
		{"GET", "/ms/%zz", ""},
		{"GET", "/ms/%", ""},
		{"GET", "/a/../c", "document:get {} a .. c"},
		{"GET", "/a/%2e%2e/c", "document:get {} a .. c"},
		{"GET", "/a/%3A_id/c", "document:get {} a :_id c"},
		{"GET", "/a/%00/c", "document:get {} a \x00 c"},
		{"GET", "/x/1/2/3/y", `odd:params {"a":"1","b":"2","c":"3"}`},
	} {
		got := ""
		if m, ok := s.Match(c.verb, c.path); ok {
			req := &protocol.Request{}
			m.Fill(req)
			got = req.Controller + ":" + req.Action + " " + string(req.Args.JSON())
			if req.Index+req.Collection+req.ID != "" {
				for _, v := range []string{req.Index, req.Collection, req.ID} {
					if v == "" {
						v = "-"
					}
					got += " " + v
				}
				got = strings.TrimSuffix(got, " -")
			}
		}
		if got != c.want {
			t.Errorf("%s %s: %q, want %q", c.verb, c.path, got, c.want)
		}
	}
}

func TestDeprecatedRoutesAreNoted(t *testing.T) {
	me := action("auth", "getCurrentUser", "GET /_me", "GET /users/_me")
	me.Routes[1].Deprecated = "2.4.0"
	s := snapshot(t, me)
	for path, want := range map[string]int{"/_me": 0, "/users/_me": 1} {
		m, ok := s.Match("GET", path)
		if !ok {
			t.Fatal("no route")
		}
		var req protocol.Request
		m.Fill(&req)
		if len(req.Deprecations) != want {
			t.Errorf("%s: %+v", path, req.Deprecations)
		}
	}
}

func TestFillReplacesQuery(t *testing.T) {
	m, ok := documents(t).Match("GET", "/x/1/2/3/y")
	if !ok {
		t.Fatal("no route")
	}
	req := &protocol.Request{Controller: "other", Action: "other", Args: protocol.TextArgs()}
	req.Args.AddText("b", "query")
	req.Args.AddText("d", "query")
	m.Fill(req)
	if got := req.Controller + string(req.Args.JSON()); got != `odd{"b":"2","d":"query","a":"1","c":"3"}` {
		t.Error(got)
	}
}

func TestAllowed(t *testing.T) {
	s := documents(t)
	for path, want := range map[string]string{"/a/b/_search": "GET,POST", "/users/x": "GET", "/nowhere/at/all/ever": "", "/ms/%": ""} {
		if got := strings.Join(s.Allowed(path), ","); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestRefusedRoutes(t *testing.T) {
	for _, routes := range [][]string{
		{"HACK /a"},
		{"get /a"},
		{"GET a"},
		{"GET "},
		{"GET /:"},
		{"GET /:a/:a"},
		{"GET /a", "GET /a"},
		{"GET /a", "GET //a/"},
		{"GET /:a", "GET /:b"},
	} {
		r := NewRegistry()
		if err := r.Set(Contribution{Owner: "test", Actions: []Action{action("a", "b", routes...)}}); err == nil {
			t.Errorf("%q were taken", routes)
		}
	}
}

func TestRegistry(t *testing.T) {
	r := NewRegistry()
	set := func(owner string, actions ...Action) error {
		return r.Set(Contribution{Owner: owner, Actions: actions})
	}
	if err := set("one", action("a", "x", "GET /x"), action("a", "y")); err != nil {
		t.Fatal(err)
	}
	before := r.Current()
	for name, a := range map[string]Action{
		"action of another owner": action("a", "x"),
		"route of another owner":  action("b", "x", "GET /x"),
		"no controller":           action("", "x"),
		"no name":                 action("b", ""),
		"no handler":              {Controller: "b", Name: "x"},
	} {
		if err := set("two", action("b", "fine"), a); err == nil {
			t.Errorf("%s was taken", name)
		}
		if r.Current() != before {
			t.Errorf("%s changed something", name)
		}
	}
	if err := set("two", action("a", "z"), action("b", "x", "GET /b")); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range r.Current().Actions() {
		names = append(names, e.Controller+":"+e.Name)
	}
	if want := []string{"a:x", "a:y", "a:z", "b:x"}; !slices.Equal(names, want) {
		t.Errorf("actions %v, want %v", names, want)
	}
	// Replacing is one step, and takes away what is not there any more.
	if err := set("one", action("a", "x")); err != nil {
		t.Fatal(err)
	}
	if e, known := r.Current().Action("a", "y"); e != nil || !known {
		t.Errorf("a:y: %v, controller known: %v", e, known)
	}
	if _, ok := r.Current().Match("GET", "/x"); ok {
		t.Error("the route of the old contribution is still there")
	}
	if e, _ := before.Action("a", "y"); e == nil {
		t.Error("the old snapshot changed")
	}
	r.Remove("nobody")
	r.Remove("two")
	if _, known := r.Current().Action("b", "x"); known {
		t.Error("controller b is still there")
	}
	e, _ := r.Current().Action("a", "x")
	if e == nil || e.Before != "a:beforeX" || e.After != "a:afterX" || e.Error != "a:errorX" {
		t.Errorf("%+v", e)
	}
}

func TestListenersComeAndGo(t *testing.T) {
	r := NewRegistry()
	bus := events.NewBus(1, slog.New(slog.DiscardHandler))
	defer bus.Close(context.Background())
	stop := errors.New("stop")
	pipe := events.PipeFunc(func(context.Context, string, *events.Payload) error { return stop })
	err := r.Set(Contribution{Owner: "one", Listeners: events.Listeners{Owner: "one", Pipes: map[string]events.Pipe{"a:beforeX": pipe}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.Fire(context.Background(), r.Current().Events, "a:beforeX", &events.Payload{}); !errors.Is(err, stop) {
		t.Errorf("the pipe was not asked: %v", err)
	}
	r.Remove("one")
	if err := bus.Fire(context.Background(), r.Current().Events, "a:beforeX", &events.Payload{}); err != nil {
		t.Errorf("the pipe was asked: %v", err)
	}
}

func FuzzMatch(f *testing.F) {
	s := documents(f)
	for _, seed := range []string{"/", "/a/b/c", "/ms/%2F", "//", "/x/%zz", "/users/%5Fsearch", "/%", "/a/b/%ff", "/a/b/\xdc"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		m, ok := s.Match("GET", path)
		if !ok {
			return
		}
		req := &protocol.Request{}
		m.Fill(req)
		if v := req.Args.JSON(); !v.IsValid() {
			t.Errorf("%q gives %s", path, v)
		}
		if !utf8.ValidString(req.Index + req.Collection + req.ID) {
			t.Errorf("%q gives %q, %q and %q", path, req.Index, req.Collection, req.ID)
		}
		if len(m.names) != len(m.values) {
			t.Errorf("%q: parameters %q, values %q", path, m.names, m.values)
		}
		if again, ok := s.Match("GET", "//"+path+"//"); !ok || again.Entry != m.Entry {
			t.Errorf("%q leads elsewhere with more slashes", path)
		}
	})
}

func TestMatchAllocatesOnce(t *testing.T) {
	s := documents(t)
	if n := testing.AllocsPerRun(100, func() { s.Match("GET", "/index/collection/some-id") }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMatch(b *testing.B) {
	s := documents(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.Match("GET", "/index/collection/some-id"); !ok {
			b.Fatal("no route")
		}
	}
}
