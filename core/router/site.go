package router

import (
	"fmt"
	"net/url"
	"strings"
)

// Site is the routes of one place: the node's own port, or the hosts of one plugin. It never changes.
type Site struct {
	routes map[string]*node // by verb
	// service answers what no route takes, nil when that depends on the path.
	service *Service
	mounts  *node
}

// Site gives the routes of the node's own port for "", else those that the plugin has on hosts of its own, bare and with
// nothing beside them; nil when there is no such plugin.
func (s *Snapshot) Site(plugin string) *Site {
	if plugin == "" {
		return s.main
	}
	return s.sites[plugin]
}

// Match is that of the node's own port.
func (s *Snapshot) Match(verb, escapedPath string) (Match, bool) {
	return s.main.Match(verb, escapedPath)
}

// Allowed is that of the node's own port.
func (s *Snapshot) Allowed(escapedPath string) []string { return s.main.Allowed(escapedPath) }

// Miss is what there is to say about a verb and a path that no route takes.
type Miss struct {
	// Service is whose answer it is, nil for the API's.
	Service *Service
	// Verbs have a route for the path.
	Verbs []string
}

// Miss looks at a path that has no route for the verb asked for.
func (t *Site) Miss(escapedPath string) Miss {
	m := Miss{Service: t.service, Verbs: t.Allowed(escapedPath)}
	if m.Service == nil {
		m.Service = t.mounted(escapedPath)
	}
	for _, verb := range m.Verbs {
		if found, _ := t.Match(verb, escapedPath); m.Service == nil && found.Entry.Service != nil {
			m.Service = found.Entry.Service
		}
	}
	return m
}

// mounted finds the service below whose mount a path lies.
func (t *Site) mounted(escapedPath string) *Service {
	n := t.mounts
	for segment := range segments(escapedPath) {
		if n == nil || n.service != nil {
			break
		}
		if decoded, err := url.PathUnescape(segment); err == nil {
			segment = decoded
		}
		n = n.literals[segment]
	}
	if n == nil {
		return nil
	}
	return n.service
}

// mount keeps the paths below the mount of a contribution for it alone, whatever the verb.
func (s *Snapshot) mount(c Contribution) error {
	s.main.mounts = s.mounts
	if c.Service == nil {
		return nil
	}
	s.sites[c.Owner] = &Site{routes: map[string]*node{}, service: c.Service}
	if c.Service.Mount == "" {
		return nil
	}
	if first := placeOf(c.Service.Mount); s.own[first] || shared[first] || first == "" || first[0] == ':' {
		return fmt.Errorf("mount %s: the paths below /%s belong to the node; choose another in plugins.mounts", c.Service.Mount, first)
	}
	n := s.mounts
	for segment := range segments(c.Service.Mount) {
		if n = n.child(segment); n.service != nil {
			return fmt.Errorf("mount %s: the paths there belong to the plugin %q; choose another in plugins.mounts", c.Service.Mount, n.owner)
		}
	}
	if len(n.literals) > 0 {
		return fmt.Errorf("mount %s: another plugin is mounted below it; choose another in plugins.mounts", c.Service.Mount)
	}
	n.service, n.owner = c.Service, c.Owner
	for _, verb := range Verbs {
		s.main.reserve(verb, c.Service.Mount)
	}
	return nil
}

// addEverywhere adds a route to the node's own port and, of a plugin, to its own hosts.
func (s *Snapshot) addEverywhere(r Route, e *Entry, service *Service) error {
	if e.Plugin == "" {
		return s.main.add(r, r.Path, e)
	}
	if first := placeOf(r.Path); s.own[first] || first == "" || first[0] == ':' {
		return fmt.Errorf("route %s %s of %s:%s: the paths below /%s belong to the node; begin the path with a name of the plugin's own",
			r.Verb, r.Path, e.Controller, e.Name, first)
	}
	if owner := s.main.mounted(r.Path); owner != nil && owner != service {
		return fmt.Errorf("route %s %s of %s:%s: another plugin is mounted there", r.Verb, r.Path, e.Controller, e.Name)
	}
	if err := s.main.add(r, r.Path, e); err != nil {
		return err
	}
	// Below a mount there is nothing else that could take the other verbs of the path, so that they lead where they do on
	// the plugin's own hosts: DELETE /x to a route DELETE /:id.
	if e.Service != nil && e.Service.Mount == "" {
		for _, verb := range Verbs {
			s.main.reserve(verb, r.Path)
		}
	}
	site := s.sites[e.Plugin]
	if site == nil {
		site = &Site{routes: map[string]*node{}}
		s.sites[e.Plugin] = site
	}
	bare := r.Bare
	if bare == "" {
		bare = r.Path
	}
	if strings.HasPrefix(bare, "/") {
		return site.add(r, bare, e)
	}
	return nil
}
