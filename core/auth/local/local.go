package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Name is the name of the strategy.
const Name = "local"

// usersCollection holds a record for each user name, under that name. The index is that of the plugin which has this
// part in Kuzzle.
var usersCollection = storage.Collection{Scope: storage.Internal, Index: "plugin-kuzzle-plugin-auth-passport-local", Name: "users"}

// Bounds of what is hashed and stored. Both are checked before anything is computed.
const (
	maxPasswordBytes = 1024
	maxUsernameBytes = 512
)

// Options are what a Strategy is made of.
type Options struct {
	Engine storage.Engine
	// Cost of new hashes. A stored hash keeps its own until its user logs in, when a weaker one is made again.
	Cost Cost
	// Policies are what passwords must be like.
	Policies []Policy
	// Member gives what policies look at of a user, also of one that is being made on behalf of ctx; nothing for one that there is
	// not. It is called only when there are policies.
	Member func(ctx context.Context, kuid string) (Member, error)
	// ResetExpiresIn is the lifetime of reset tokens; 0 or below they do not expire.
	ResetExpiresIn time.Duration
	// RequirePassword wants the current password from users who change or delete their own credentials. Throttle then counts
	// those that are wrong.
	RequirePassword bool
	Throttle        *auth.Throttle
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Logger is told when a hash could not be renewed; nil is slog.Default.
	Logger *slog.Logger
}

// Strategy is the strategy local. It is safe for concurrent use.
type Strategy struct {
	engine storage.Engine
	hasher *hasher
	log    *slog.Logger
	now    func() time.Time

	policies        []Policy
	member          func(ctx context.Context, kuid string) (Member, error)
	requirePassword bool
	throttle        *auth.Throttle
	resetExpiresIn  time.Duration
	// resetKey signs reset tokens.
	resetKey []byte
	// writing is held by the one change of credentials in progress: that a user has one name only is checked, then written.
	// In a cluster two nodes could give one user two names at the same moment; both would belong to that user.
	writing chan struct{}
}

// Open makes the collections of the strategy and the key of reset tokens.
func Open(ctx context.Context, o Options) (*Strategy, error) {
	s := &Strategy{
		engine: o.Engine, hasher: newHasher(o.Cost), log: o.Logger, now: o.Now, writing: make(chan struct{}, 1),
		policies: o.Policies, member: o.Member, requirePassword: o.RequirePassword, throttle: o.Throttle, resetExpiresIn: o.ResetExpiresIn,
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	spec := storage.Spec{
		Keywords: []string{"kuid"},
		Mapping:  jsontext.Value(`{"dynamic":"false","properties":{"username":{"type":"keyword"},"kuid":{"type":"keyword"}}}`),
	}
	if err := s.engine.Ensure(ctx, usersCollection, spec); err != nil {
		return nil, fmt.Errorf("make the collection of the strategy local: %w", err)
	}
	if err := s.lookForKuzzle(ctx); err != nil {
		return nil, err
	}
	if err := s.loadResetKey(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Fields names the members of credentials.
func (s *Strategy) Fields() []string { return []string{"username", "password"} }

// record is what is stored under a user name.
type record struct {
	KUID string `json:"kuid"`
	Hash string `json:"hash"`
	// Earlier are hashes of the passwords before, the last one first, as many as the policies want.
	Earlier []string `json:"earlier,omitempty"`
	// SetAt is when the password was set, in milliseconds since 1970; 0 is before that was kept.
	SetAt int64 `json:"setAt,omitempty"`
	// SetBy is the other user who set it, "" for the user himself.
	SetBy string `json:"setBy,omitempty"`
	// Username is the id of the record, for searches.
	Username string `json:"username"`

	// damage says why there is no hash, nil when there is one.
	damage error
}

// password gives the hash; its error says why nobody can log in with it.
func (r record) password() (storedHash, error) {
	if r.damage != nil {
		return nil, r.damage
	}
	return parseStored(r.Hash)
}

// info is what anybody who may read credentials sees.
type info struct {
	Username string `json:"username"`
	KUID     string `json:"kuid"`
}

// The refusals of a login.
const (
	refused = "Wrong username or password."
	missing = "Missing username or password."
)

// Verify looks up the user name and compares the password. Whatever is wrong, the answer is the same, and so is the work:
// credentials whose user does not exist count as none. A right password that has to be changed is expired_password or
// must_change_password.
func (s *Strategy) Verify(ctx context.Context, login auth.Login) (auth.Outcome, error) {
	username, password := login.Field("username"), login.Field("password")
	if username == "" || password == "" {
		return auth.Outcome{Message: missing}, nil
	}
	if len(password) > maxPasswordBytes || len(username) > maxUsernameBytes { // nobody has such
		return auth.Outcome{Message: refused}, nil
	}
	found, version, err := s.read(ctx, username)
	if err != nil && !errors.Is(err, errNone) && !errors.Is(err, errDamaged) {
		return auth.Outcome{}, err
	}
	var stored storedHash
	if err == nil {
		stored, err = found.password()
	}
	if err != nil && !errors.Is(err, errNone) {
		stored = nil
		s.log.ErrorContext(ctx, "a stored password cannot be read; its user cannot log in", "user", found.KUID, "error", err)
	}
	ok, err := s.hasher.matches(ctx, networkOf(login.Request), stored, password)
	switch {
	case err != nil:
		return auth.Outcome{}, err
	case !ok:
		return auth.Outcome{Message: refused}, nil
	}
	if login.Known != nil {
		if known, err := login.Known(ctx, found.KUID); err != nil || !known {
			return auth.Outcome{Message: refused}, err
		}
	}
	if err := s.letIn(ctx, found); err != nil {
		return auth.Outcome{}, err
	}
	if stored.weakerThan(s.hasher.cost) {
		s.renew(ctx, login.Request, username, password, found, version)
	}
	return auth.Outcome{KUID: found.KUID}, nil
}

// networkOf is where the client of a request is, "" when there is none.
func networkOf(req *protocol.Request) string {
	if req == nil || req.Connection == nil {
		return ""
	}
	return auth.Network(req.Connection.ClientIP)
}

// Account is the user name of a login.
func (s *Strategy) Account(login auth.Login) string { return login.Field("username") }

// renew stores a password hashed with the cost of today. A password that was changed meanwhile stays.
func (s *Strategy) renew(ctx context.Context, req *protocol.Request, username, password string, r record, version int64) {
	h, err := s.hasher.hash(ctx, networkOf(req), password)
	if err == nil {
		r.Hash = h.String()
		err = s.replace(ctx, username, r, version)
	}
	if err != nil {
		s.log.WarnContext(ctx, "a password could not be hashed anew; it will be tried at the next login", "user", r.KUID, "error", err)
	}
}

var (
	errNone    = errors.New("no credentials")
	errDamaged = errors.New("stored credentials cannot be read")
)

// read gives the record of a user name; errNone when there is none.
func (s *Strategy) read(ctx context.Context, username string) (record, int64, error) {
	doc, err := s.engine.Get(ctx, usersCollection, username)
	if errors.Is(err, kerror.ServicesStorageNotFound) {
		return record{}, 0, errNone
	}
	if err != nil {
		return record{}, 0, security.StorageFailed("read credentials", err)
	}
	r, err := parse(doc)
	return r, doc.Version, err
}

// ofUser gives the records of a user, by name: usually one, none when it has no credentials, two when a change of name
// was cut off.
func (s *Strategy) ofUser(ctx context.Context, kuid string) ([]storage.Document, error) {
	const plenty = 16
	docs, err := s.engine.Find(ctx, usersCollection, "kuid", kuid, plenty)
	if err != nil {
		return nil, security.StorageFailed("look for credentials", err)
	}
	return docs, nil
}

// oneOf gives the first record of a user; 412 when there is none.
func (s *Strategy) oneOf(ctx context.Context, kuid string) (storage.Document, error) {
	docs, err := s.ofUser(ctx, kuid)
	if err != nil {
		return storage.Document{}, err
	}
	if len(docs) == 0 {
		return storage.Document{}, errNoCredentials(kuid)
	}
	return docs[0], nil
}

func (s *Strategy) replace(ctx context.Context, username string, r record, version int64) error {
	r.Username = username
	source, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = s.engine.Replace(ctx, usersCollection, username, source, storage.WriteOptions{IfVersion: version})
	if err != nil {
		return security.StorageFailed("store credentials", err)
	}
	return nil
}

func parse(doc storage.Document) (record, error) {
	var r record
	if err := json.Unmarshal(doc.Source, &r); err != nil {
		return record{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if r.KUID == "" {
		return record{}, fmt.Errorf("%w: they name no user", errDamaged)
	}
	if r.Hash == "" {
		r.fillFromKuzzle(doc.Source)
	}
	return r, nil
}

var (
	_ auth.Strategy     = (*Strategy)(nil)
	_ auth.Describer    = (*Strategy)(nil)
	_ auth.AccountNamer = (*Strategy)(nil)
	_ auth.Holder       = (*Strategy)(nil)
	_ auth.Searcher     = (*Strategy)(nil)
)
