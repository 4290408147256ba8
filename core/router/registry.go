package router

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
)

// Registry holds the current snapshot. Reading it costs one atomic load; changes are serialised.
type Registry struct {
	current atomic.Pointer[Snapshot]

	mu            sync.Mutex
	contributions []Contribution
}

// NewRegistry holds nothing yet.
func NewRegistry() *Registry {
	r := &Registry{}
	empty, err := build(nil)
	if err != nil { // nothing cannot conflict
		panic(err)
	}
	r.current.Store(empty)
	return r
}

// Current gives the snapshot in force. A request takes it once, at admission, and keeps to it.
func (r *Registry) Current() *Snapshot { return r.current.Load() }

// Set adds the contribution, or replaces the one of the same owner, in one step: every request sees all of it or nothing.
// A name or route that another owner has, or that is malformed, is refused, and nothing changes.
func (r *Registry) Set(c Contribution) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := slices.Clone(r.contributions)
	if i := slices.IndexFunc(next, func(x Contribution) bool { return x.Owner == c.Owner }); i >= 0 {
		next[i] = c
	} else {
		next = append(next, c)
	}
	return r.swapLocked(next)
}

// Remove takes the owner's contribution away; an unknown owner is no error.
func (r *Registry) Remove(owner string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := slices.DeleteFunc(slices.Clone(r.contributions), func(x Contribution) bool { return x.Owner == owner })
	if err := r.swapLocked(next); err != nil { // taking away cannot conflict
		panic(err)
	}
}

func (r *Registry) swapLocked(next []Contribution) error {
	snapshot, err := build(next)
	if err != nil {
		return err
	}
	r.contributions = next
	r.current.Store(snapshot)
	return nil
}

// Snapshot is all actions, routes and listeners at one moment. It never changes.
type Snapshot struct {
	// Events holds who listens.
	Events      *events.Table
	controllers map[string]map[string]*Entry
	order       []*Entry
	main        *Site
	sites       map[string]*Site // by plugin
	mounts      *node
	// own are where the node's own routes begin, see placeOf. A plugin may not have a route below one: a literal segment beats
	// a parameter, so it could take over what belongs to the node, a login for example.
	own    map[string]bool
	grants security.Grants
}

// Entry is an action with what is worked out once for it.
type Entry struct {
	Action
	// Before, After and Error are the names of its events.
	Before, After, Error string
	// Service is set when the profile is raw.
	Service *Service
}

func build(contributions []Contribution) (*Snapshot, error) {
	s := &Snapshot{
		controllers: map[string]map[string]*Entry{}, own: ownPlaces(contributions),
		main: &Site{routes: map[string]*node{}}, sites: map[string]*Site{}, mounts: &node{},
	}
	var listeners []events.Listeners
	var grants []security.Grant
	var problems []error
	for _, c := range contributions {
		if err := s.mount(c); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", c.Owner, err))
		}
	}
	for _, c := range contributions {
		for _, a := range c.Actions {
			if err := s.add(a, c.Service); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", c.Owner, err))
			}
		}
		listeners = append(listeners, c.Listeners)
		grants = append(grants, c.Grants...)
	}
	s.Events = events.NewTable(listeners)
	s.grants = security.NewGrants(grants)
	return s, errors.Join(problems...)
}

// ownPlaces gives where the routes begin that belong to no plugin.
func ownPlaces(contributions []Contribution) map[string]bool {
	own := map[string]bool{}
	for _, c := range contributions {
		for _, a := range c.Actions {
			for _, route := range a.Routes {
				if a.Plugin == "" {
					own[placeOf(route.Path)] = true
				}
			}
		}
	}
	return own
}

// shared are first segments below which everybody has a segment of his own: there are routes of the API's bundled plugins that
// are the node's here.
var shared = map[string]bool{"_": true, "_plugin": true}

// placeOf is the first segment of a path, below a shared one the first two; "" for the root.
func placeOf(path string) string {
	first := ""
	for segment := range segments(path) {
		if first != "" {
			return first + "/" + segment
		}
		if !shared[segment] {
			return segment
		}
		first = segment
	}
	return first
}

func (s *Snapshot) add(a Action, service *Service) error {
	if a.Controller == "" || a.Name == "" || a.Handler == nil {
		return fmt.Errorf("action %q:%q needs a controller, a name and a handler", a.Controller, a.Name)
	}
	actions := s.controllers[a.Controller]
	if actions == nil {
		actions = map[string]*Entry{}
		s.controllers[a.Controller] = actions
	}
	if actions[a.Name] != nil {
		return fmt.Errorf("action %s:%s exists already", a.Controller, a.Name)
	}
	name := upperFirst(a.Name)
	e := &Entry{
		Action: a,
		Before: a.Controller + ":before" + name,
		After:  a.Controller + ":after" + name,
		Error:  a.Controller + ":error" + name,
	}
	if a.Profile == protocol.Raw {
		if service == nil {
			service = &Service{}
		}
		e.Service = service
	}
	for _, route := range a.Routes {
		if err := s.addEverywhere(route, e, service); err != nil {
			return err
		}
	}
	actions[a.Name] = e
	s.order = append(s.order, e)
	return nil
}

// Action finds an action; controller and action say which of the two is unknown when it is nil.
func (s *Snapshot) Action(controller, action string) (e *Entry, knownController bool) {
	actions, ok := s.controllers[controller]
	return actions[action], ok
}

// Actions gives all actions in the order they were contributed. The slice belongs to the snapshot.
func (s *Snapshot) Actions() []*Entry { return s.order }

// Grants gives the grants of all owners.
func (s *Snapshot) Grants() security.Grants { return s.grants }

func upperFirst(s string) string {
	if s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}
