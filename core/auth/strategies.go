package auth

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// Strategies is the registry of strategies. Reading costs one atomic load; what was read does not change.
type Strategies struct {
	current atomic.Pointer[[]Named]
	mu      sync.Mutex // held by writers
}

// Named is a strategy under its name.
type Named struct {
	Name string
	// Owner is the id of the plugin that brought it, "" for the node's own.
	Owner string
	Strategy
}

// NewStrategies is a registry without any.
func NewStrategies() *Strategies {
	s := &Strategies{}
	s.current.Store(&[]Named{})
	return s
}

// Add puts a strategy under a name that no other has.
func (s *Strategies) Add(n Named) error {
	if n.Name == "" || n.Strategy == nil {
		return errors.New("a strategy needs a name")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := *s.current.Load()
	if i := find(all, n.Name); i >= 0 {
		return kerror.PluginStrategyFailedRegistration.New(n.Name, "the name belongs to "+cmp.Or(all[i].Owner, "the node itself"))
	}
	next := append(slices.Clone(all), n)
	s.current.Store(&next)
	return nil
}

// Remove takes away a strategy of the owner.
func (s *Strategies) Remove(name, owner string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := *s.current.Load()
	i := find(all, name)
	switch {
	case i < 0:
		return kerror.PluginStrategyStrategyNotFound.New(name)
	case all[i].Owner != owner:
		return kerror.PluginStrategyUnauthorizedRemoval.New(name)
	}
	next := slices.Delete(slices.Clone(all), i, i+1)
	s.current.Store(&next)
	return nil
}

// Get finds a strategy; security.credentials.unknown_strategy when there is none of that name.
func (s *Strategies) Get(name string) (Named, error) {
	all := *s.current.Load()
	if i := find(all, name); i >= 0 {
		return all[i], nil
	}
	return Named{}, kerror.SecurityCredentialsUnknownStrategy.New(name)
}

// All gives the strategies in the order they were added. The slice belongs to the registry.
func (s *Strategies) All() []Named { return *s.current.Load() }

func find(all []Named, name string) int {
	return slices.IndexFunc(all, func(n Named) bool { return n.Name == name })
}
