package passkey

import (
	"context"
	"errors"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// info is what anybody who may read credentials sees. Times are ms since 1970.
type info struct {
	KUID     string  `json:"kuid"`
	Passkeys []shown `json:"passkeys"`
}

// shown is the public part of a passkey.
type shown struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Transports  []string `json:"transports"`
	BackedUp    bool     `json:"backedUp"`
	CreatedAt   int64    `json:"createdAt"`
	LastUsedAt  *int64   `json:"lastUsedAt"`
	CloneSeenAt *int64   `json:"cloneSeenAt"`
}

func (a *account) info() info {
	i := info{KUID: a.KUID, Passkeys: []shown{}}
	for _, p := range a.Passkeys {
		i.Passkeys = append(i.Passkeys, shown{
			ID: p.ID, Name: p.Name, Transports: p.Transports, BackedUp: p.BackedUp,
			CreatedAt: p.CreatedAt, LastUsedAt: orNull(p.LastUsedAt), CloneSeenAt: orNull(p.CloneSeenAt),
		})
	}
	return i
}

// orNull gives null for a time that never was.
func orNull(ms int64) *int64 {
	if ms == 0 {
		return nil
	}
	return &ms
}

// credentials reads the members of credentials. Whose they are is never the client's to say.
func credentials(raw jsontext.Value) (protocol.Args, error) {
	args, err := protocol.ParseArgs(raw, "")
	if err != nil {
		return protocol.Args{}, kerror.Bare(kerror.BadRequestError, "Credentials must be an object.")
	}
	if args.Has("kuid") {
		return protocol.Args{}, kerror.Bare(kerror.BadRequestError, "The credentials must not hold a kuid.")
	}
	return args, nil
}

// text reads a name, "" when there is none.
func text(args protocol.Args, member string) (string, error) {
	s, err := args.OptString(member, "")
	switch {
	case err != nil:
		return "", kerror.Bare(kerror.BadRequestError, `The member "`+member+`" of the credentials must be a text.`)
	case len(s) > maxNameBytes:
		return "", kerror.Bare(kerror.BadRequestError,
			`The member "`+member+`" of the credentials must not have more than `+strconv.Itoa(maxNameBytes)+` bytes.`)
	}
	return s, nil
}

// change is what Update is asked for: a new name for the passkey of that id, or its end.
type change struct {
	id, name string
	remove   bool
}

func parseChange(raw jsontext.Value) (change, error) {
	args, err := credentials(raw)
	if err != nil {
		return change{}, err
	}
	id, err := args.OptString("id", "")
	if err != nil || id == "" {
		return change{}, kerror.Bare(kerror.BadRequestError, `The member "id" of the credentials must be the id of a passkey.`)
	}
	c := change{id: id}
	if c.remove, err = args.Bool("remove"); err != nil {
		return change{}, kerror.Bare(kerror.BadRequestError, `The member "remove" of the credentials must be true or false.`)
	}
	if c.name, err = text(args, "name"); err != nil {
		return change{}, err
	}
	if c.remove == (c.name != "") {
		return change{}, kerror.Bare(kerror.BadRequestError, `The credentials must have either a "name" or "remove": true.`)
	}
	return c, nil
}

func (c change) apply(a *account) error {
	p := a.find(c.id)
	switch {
	case p == nil:
		return kerror.Bare(kerror.PreconditionError, "The user has no passkey with this id.")
	case !c.remove:
		p.Name = c.name
	case len(a.Passkeys) == 1:
		return kerror.Bare(kerror.PreconditionError, "This is the only passkey: delete the credentials of the strategy passkey instead.")
	default:
		a.remove(c.id)
	}
	return nil
}

// Update renames a passkey, {id, name}, or removes one, {id, remove: true}; 412 when the user has none of that id. It answers
// with all of the user.
func (s *Strategy) Update(ctx context.Context, _ *protocol.Request, kuid string, raw jsontext.Value) (any, error) {
	c, err := parseChange(raw)
	if err != nil {
		return nil, err
	}
	var changed info
	err = s.change(ctx, kuid, func(a *account) error {
		if len(a.Passkeys) == 0 {
			return errNoCredentials(kuid)
		}
		err := c.apply(a)
		changed = a.info()
		return err
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// Delete removes all passkeys of a user; 412 when it has none.
func (s *Strategy) Delete(ctx context.Context, _ *protocol.Request, kuid string) error {
	err := s.engine.Delete(ctx, usersCollection, kuid, storage.WriteOptions{})
	if errors.Is(err, kerror.ServicesStorageNotFound) {
		return errNoCredentials(kuid)
	}
	if err != nil {
		return security.StorageFailed("remove passkeys", err)
	}
	return nil
}

// Forget removes all passkeys of a user, also where the strategy is off.
func Forget(ctx context.Context, engine storage.Engine, kuid string) error {
	err := engine.Delete(ctx, usersCollection, kuid, storage.WriteOptions{})
	if errors.Is(err, kerror.ServicesStorageNotFound) {
		return nil
	}
	return err
}

// Exists reports whether the user has passkeys.
func (s *Strategy) Exists(ctx context.Context, _ *protocol.Request, kuid string) (bool, error) {
	_, version, err := s.read(ctx, kuid)
	return version > 0, err
}

// having is read for a user who has passkeys; 412 for another.
func (s *Strategy) having(ctx context.Context, kuid string) (account, error) {
	a, version, err := s.read(ctx, kuid)
	if err == nil && version == 0 {
		err = errNoCredentials(kuid)
	}
	return a, err
}

// Info gives the public part of all passkeys of a user; 412 when it has none.
func (s *Strategy) Info(ctx context.Context, _ *protocol.Request, kuid string) (any, error) {
	a, err := s.having(ctx, kuid)
	if err != nil {
		return nil, err
	}
	return a.info(), nil
}

// ByID is Info for the user who has the passkey of that id; 412 when nobody does.
func (s *Strategy) ByID(ctx context.Context, req *protocol.Request, id string) (any, error) {
	kuid, err := s.holder(ctx, id)
	if err != nil {
		return nil, err
	}
	if kuid == "" {
		return nil, kerror.Bare(kerror.PreconditionError, "There is no passkey with the id "+strconv.Quote(id)+".")
	}
	return s.Info(ctx, req, kuid)
}

// Holder gives the user who has the passkey that is to be registered. What is wrong with it is for Validate to say.
func (s *Strategy) Holder(ctx context.Context, _ *protocol.Request, raw jsontext.Value) (string, error) {
	args, err := credentials(raw)
	if err != nil {
		return "", nil //nolint:nilerr // Validate answers it
	}
	n, err := parseNew(args)
	if err != nil {
		return "", nil //nolint:nilerr // Validate answers it
	}
	return s.holder(ctx, n.id())
}

func errNoCredentials(kuid string) error {
	return kerror.Bare(kerror.PreconditionError, `The user "`+kuid+`" has no credentials for the strategy passkey.`)
}
