package security

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/sluicehq/sluice/core/storage"
)

// Bounds of what is kept in memory. A user whose document is larger than maxCachedUserBytes is read every time.
const (
	maxCachedUsers     = 10_000
	maxCachedProfiles  = 1_000
	maxCachedUserBytes = 32 << 10
)

// The collections of the service.
var (
	usersCollection    = storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "users"}
	profilesCollection = storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "profiles"}
	rolesCollection    = storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "roles"}
)

// Options are what a Service is made of.
type Options struct {
	Engine storage.Engine
	// Dev makes the built-in roles allow everything to everybody until others are stored.
	Dev bool
	// Logger is told what was refused because it could not be read; nil is slog.Default.
	Logger *slog.Logger
	// Now is the clock of _kuzzle_info; nil is time.Now.
	Now func() time.Time
}

// Service holds users, profiles and roles. All its methods are safe for concurrent use; it has no goroutine and needs no
// Close.
//
// Users and profiles are kept in memory in compiled form. A write through the service is in force, for every call that
// begins after it returned. Another node of a cluster has to be told with Forget and ForgetAll.
type Service struct {
	engine storage.Engine
	dev    bool
	log    *slog.Logger
	now    func() time.Time

	// changed is told of changes; nil until Watch.
	changed atomic.Pointer[func(kuid string)]

	wideOpen  atomic.Bool
	anonymous atomic.Pointer[User]
	adminSlot chan struct{} // held by the one FirstAdmin in progress
	refs      references

	mu sync.Mutex
	// generation grows with every write. What was read before a write is not put into a cache after it.
	generation uint64
	users      *lru.Cache[string, *User]
	profiles   *lru.Cache[string, *profile]
}

// Open makes the collections of the service, finishes a reset of rights that was cut off (see PlanReset), and reads what
// anonymous may do.
func Open(ctx context.Context, o Options) (*Service, error) {
	s := &Service{
		engine: o.Engine, dev: o.Dev, log: o.Logger, now: o.Now,
		adminSlot: make(chan struct{}, 1), refs: newReferences(),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	var err error
	if s.users, err = lru.New[string, *User](maxCachedUsers); err != nil {
		return nil, fmt.Errorf("make the user cache: %w", err)
	}
	if s.profiles, err = lru.New[string, *profile](maxCachedProfiles); err != nil {
		return nil, fmt.Errorf("make the profile cache: %w", err)
	}
	for c, spec := range specs {
		if err := s.engine.Ensure(ctx, c, spec); err != nil {
			return nil, fmt.Errorf("make collection %s: %w", c.Name, err)
		}
	}
	if err := s.FinishReset(ctx, Write{}); err != nil {
		return nil, err
	}
	if _, err := s.Anonymous(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// WideOpen reports whether anonymous may do everything, as in development mode before the standard roles were written.
// While it holds, the network must serve nobody but this machine. It costs one atomic load.
//
// It follows what anonymous may do, not the mode: a stored role that allows everything to anonymous counts too.
func (s *Service) WideOpen() bool { return s.wideOpen.Load() }

// Watch has f called after every change of what somebody may do, once it is in force: with a user, or with "" for everybody.
// f must not wait. It takes the place of the one before.
func (s *Service) Watch(f func(kuid string)) { s.changed.Store(&f) }

func (s *Service) tellChanged(kuid string) {
	if f := s.changed.Load(); f != nil {
		(*f)(kuid)
	}
}

// Forget drops what is kept of one user: it was changed, perhaps by another node.
func (s *Service) Forget(kuid string) {
	s.drop(kuid)
	s.tellChanged(kuid)
}

func (s *Service) drop(kuid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation++
	s.users.Remove(kuid)
}

// ForgetAll drops everything kept: a role or a profile was changed, perhaps by another node.
func (s *Service) ForgetAll() {
	s.dropAll()
	s.tellChanged("")
}

func (s *Service) dropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation++
	s.users.Purge()
	s.profiles.Purge()
	s.anonymous.Store(nil)
}

// rightsChanged makes a write to a role or a profile known. What WideOpen says is worked out again at once; when that
// fails it is worked out before anonymous is allowed anything.
func (s *Service) rightsChanged(ctx context.Context) {
	s.ForgetAll()
	if _, err := s.Anonymous(context.WithoutCancel(ctx)); err != nil {
		s.log.ErrorContext(ctx, "cannot read the rights of anonymous", "error", err)
	}
}

// current is the generation that a read must begin with to be kept.
func (s *Service) current() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.generation
}

// keep runs put unless something was written since generation.
func (s *Service) keep(generation uint64, put func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.generation == generation {
		put()
	}
}
