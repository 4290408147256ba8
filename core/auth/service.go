package auth

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
)

// Bounds of what is kept in memory.
const (
	maxCachedTokens     = 50_000
	maxCachedStrategies = 10_000
	// maxTokenBytes bounds what is looked at at all; a token of a user id at its longest has about 5 KiB.
	maxTokenBytes = 8 << 10
)

// sweepEvery is how often expired tokens are removed. Nothing depends on it: an expired token is refused all the same.
const sweepEvery = 10 * time.Minute

// Options are what a Service is made of.
type Options struct {
	Engine storage.Engine
	Users  *security.Service
	// Algorithm signs tokens: HS256, EdDSA, ES256 or RS256; "" is that of the key there is, HS256 when one is made.
	Algorithm string
	// Secret is the key of HS256, at least 32 bytes, and PrivateKeyFile the PEM file of one for another algorithm. Without both
	// the keys of KeysFile sign, which is made when it is not there.
	Secret         string
	PrivateKeyFile string
	// RetiredSecrets and RetiredKeyFiles, PEM files with private or public keys, only verify.
	RetiredSecrets  []string
	RetiredKeyFiles []string
	// KeysFile holds the keys of the data folder, which verify beside those above. "" for none.
	KeysFile string
	// SecretFile is where the one key was before there was a KeysFile. It is taken over into that. "" for none.
	SecretFile string
	// KeysChanged is told when other keys of the KeysFile came into force: which one signs, how many verify and how many are gone.
	KeysChanged func(ctx context.Context, signs string, verify, removed int)
	// ExpiresIn is the lifetime of a token whose login names none; below 0 it never ends, 0 is one hour.
	ExpiresIn time.Duration
	// MaxTTL is the longest lifetime a login may ask for; 0 or below there is none.
	MaxTTL time.Duration
	// MaxKeyTTL is the longest lifetime of an API key that a user makes himself; 0 or below there is none.
	MaxKeyTTL time.Duration
	// GracePeriod is how long a refreshed token stays usable.
	GracePeriod time.Duration
	// Forget are those of the strategies that are the node's own.
	Forget []Forget
	// Connections are linked to the tokens that they send; nil links none.
	Connections Connections
	// Logger is told what fails in the background; nil is slog.Default.
	Logger *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Service makes and verifies tokens, and joins users with their credentials. All its methods are safe for concurrent use.
//
// Life: Open, then Close, which stops the goroutines that remove expired tokens, tell their connections and look for other
// keys, and waits for them.
type Service struct {
	engine     storage.Engine
	users      *security.Service
	options    Options
	log        *slog.Logger
	now        func() time.Time
	strategies *Strategies
	held       *lru.Cache[string, heldStrategies]
	retired    retiredTokens
	revoking   revoking
	changing   changing
	stop       context.CancelFunc
	background sync.WaitGroup
	links      *links
	keys       atomic.Pointer[keys]
	// generation grows with every revocation, that of a key too. A token that was read before a revocation is not kept after it.
	generation atomic.Uint64
	verified   *lru.Cache[tokenID, *Token]

	// mu is held by whoever raises generation or credentials, changes keys, or keeps what was read at one of them.
	mu sync.Mutex
	// credentials grows with every write of credentials, as generation does for tokens.
	credentials uint64
}

// Open loads the keys, makes the collection of tokens and starts to remove expired ones.
func Open(ctx context.Context, o Options) (*Service, error) {
	s := &Service{
		engine: o.Engine, users: o.Users, options: o, log: o.Logger, now: o.Now,
		strategies: NewStrategies(), links: newLinks(),
	}
	if s.options.ExpiresIn == 0 {
		s.options.ExpiresIn = time.Hour
	}
	if limit := s.options.MaxTTL; limit > 0 && (s.options.ExpiresIn < 0 || s.options.ExpiresIn > limit) {
		return nil, fmt.Errorf("tokens live for %s by default, longer than the %s that are allowed: "+
			"lower security.authToken.expiresIn or raise maxTTL", s.options.ExpiresIn, limit)
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	watch, err := s.openKeys(ctx)
	if err != nil {
		return nil, err
	}
	if s.verified, err = lru.New[tokenID, *Token](maxCachedTokens); err != nil {
		return nil, fmt.Errorf("make the token cache: %w", err)
	}
	if s.held, err = lru.New[string, heldStrategies](maxCachedStrategies); err != nil {
		return nil, fmt.Errorf("make the strategy cache: %w", err)
	}
	if err := s.engine.Ensure(ctx, tokensCollection, storage.Spec{Keywords: []string{"kuid"}}); err != nil {
		return nil, fmt.Errorf("make collection %s: %w", tokensCollection.Name, err)
	}
	if err := s.ensureKeys(ctx); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.background.Go(func() { s.sweepUntil(running) })
	s.background.Go(func() { s.expireUntil(running) })
	if o.KeysFile != "" {
		s.background.Go(func() { s.watchKeysUntil(running, watch) })
	}
	return s, nil
}

// Close stops what runs in the background. Tokens can still be verified afterwards.
func (s *Service) Close() {
	s.stop()
	s.background.Wait()
}

// Strategies gives the registry of strategies.
func (s *Service) Strategies() *Strategies { return s.strategies }
