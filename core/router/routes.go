package router

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/protocol"
)

// Verbs are the HTTP verbs that routes may use, in the order in which server:publicApi lists them.
var Verbs = []string{"GET", "POST", "DELETE", "PUT", "PATCH", "HEAD"}

// node is one place in the trie of a verb. A literal child beats the parameter child, and there is no way back: once the
// literal is taken, the parameter is not tried.
type node struct {
	literals map[string]*node
	param    *node
	// entry and names are set where a route ends: names of its parameters in the order of the path.
	entry      *Entry
	names      []string
	deprecated string
	// service and owner are set in Snapshot.mounts where a mount ends.
	service *Service
	owner   string
}

// add lets a verb and a path lead to e.
func (t *Site) add(r Route, path string, e *Entry) error {
	if !slices.Contains(Verbs, r.Verb) {
		return fmt.Errorf("route %s %s of %s:%s: the verb must be one of %v", r.Verb, path, e.Controller, e.Name, Verbs)
	}
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("route %s %q of %s:%s: the path must begin with /", r.Verb, path, e.Controller, e.Name)
	}
	var names []string
	for segment := range segments(path) {
		name, ok := strings.CutPrefix(segment, ":")
		if !ok {
			continue
		}
		if name == "" || slices.Contains(names, name) {
			return fmt.Errorf("route %s %s of %s:%s: parameter %q is empty or named twice", r.Verb, path, e.Controller, e.Name, name)
		}
		names = append(names, name)
	}
	n := t.reserve(r.Verb, path)
	if n.entry != nil {
		return fmt.Errorf("route %s %s of %s:%s belongs to %s:%s already", r.Verb, path, e.Controller, e.Name, n.entry.Controller, n.entry.Name)
	}
	n.entry, n.names, n.deprecated = e, names, r.Deprecated
	return nil
}

// reserve makes the place of a path without letting it lead anywhere: no parameter of another route takes it then.
func (t *Site) reserve(verb, path string) *node {
	n := t.routes[verb]
	if n == nil {
		n = &node{}
		t.routes[verb] = n
	}
	for segment := range segments(path) {
		n = n.child(segment)
	}
	return n
}

// child gives the place behind a segment of a route, made when missing.
func (n *node) child(segment string) *node {
	if strings.HasPrefix(segment, ":") {
		if n.param == nil {
			n.param = &node{}
		}
		return n.param
	}
	next := n.literals[segment]
	if next == nil {
		if n.literals == nil {
			n.literals = map[string]*node{}
		}
		next = &node{}
		n.literals[segment] = next
	}
	return next
}

// Match is where a verb and a path lead.
type Match struct {
	Entry *Entry
	// names and values of the path's parameters.
	names, values []string
	// deprecated is the version since which another route should be used.
	deprecated string
}

// Fill sets controller, action and the path's parameters in req; they replace what the query said under the same names. A
// route that should not be used any more is noted.
func (m Match) Fill(req *protocol.Request) {
	if m.deprecated != "" {
		req.Deprecations = append(req.Deprecations, protocol.Deprecation{
			Version: m.deprecated, Message: "Use another route of " + m.Entry.Controller + ":" + m.Entry.Name + ".",
		})
	}
	req.Controller, req.Action = m.Entry.Controller, m.Entry.Name
	for i, name := range m.names {
		SetArgument(req, name, m.values[i])
	}
}

// SetArgument gives req one argument that came as text out of a URL.
func SetArgument(req *protocol.Request, name string, values ...string) {
	if len(values) == 1 {
		switch name {
		case "index":
			req.Index = values[0]
			return
		case "collection":
			req.Collection = values[0]
			return
		case "_id":
			req.ID = values[0]
			return
		}
	}
	req.Args.AddText(name, values...)
}

// usualParameters is how many a path has at most, unless a plugin's route has more.
const usualParameters = 4

// Match finds the route for a verb and the still escaped path of a URL. Segments are compared after percent-decoding, so
// that an escaped slash stays inside its segment; empty segments do not count. In a parameter invalid UTF-8 is replaced, as
// it is in JSON: a document with such an id could not be answered, nor could any search that finds it.
func (t *Site) Match(verb, escapedPath string) (Match, bool) {
	n := t.routes[verb]
	if n == nil {
		return Match{}, false
	}
	var m Match
	for segment := range segments(escapedPath) {
		if strings.IndexByte(segment, '%') >= 0 {
			decoded, err := url.PathUnescape(segment)
			if err != nil {
				return Match{}, false
			}
			segment = decoded
		}
		if next := n.literals[segment]; next != nil {
			n = next
			continue
		}
		if n.param == nil {
			return Match{}, false
		}
		if m.values == nil {
			m.values = make([]string, 0, usualParameters)
		}
		m.values = append(m.values, strings.ToValidUTF8(segment, "\ufffd"))
		n = n.param
	}
	if n.entry == nil {
		return Match{}, false
	}
	m.Entry, m.names, m.deprecated = n.entry, n.names, n.deprecated
	return m, true
}

// Allowed gives the verbs that have a route for the path.
func (t *Site) Allowed(escapedPath string) []string {
	var verbs []string
	for _, verb := range Verbs {
		if _, ok := t.Match(verb, escapedPath); ok {
			verbs = append(verbs, verb)
		}
	}
	return verbs
}

// segments yields the parts of a path between slashes, without the empty ones.
func segments(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for path != "" {
			segment, rest, _ := strings.Cut(path, "/")
			path = rest
			if segment != "" && !yield(segment) {
				return
			}
		}
	}
}
