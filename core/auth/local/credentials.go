package local

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// credentials are what a client sends; nil is a member that is not there.
type credentials struct{ username, password *string }

// parseCredentials checks what needs no storage: username and password are texts that are not empty, and kuid, which is
// never the client's, is absent. New credentials need both, a change at least one.
func parseCredentials(raw jsontext.Value, update bool) (credentials, error) {
	args, err := protocol.ParseArgs(raw, "")
	if err != nil {
		return credentials{}, kerror.Bare(kerror.BadRequestError, "Credentials must be an object.")
	}
	if args.Has("kuid") {
		return credentials{}, kerror.Bare(kerror.BadRequestError, "The credentials must not hold a kuid.")
	}
	var c credentials
	if c.username, err = text(args, "username", maxUsernameBytes); err != nil {
		return credentials{}, err
	}
	if c.password, err = text(args, "password", maxPasswordBytes); err != nil {
		return credentials{}, err
	}
	switch {
	case !update && c.username == nil:
		return credentials{}, kerror.Bare(kerror.BadRequestError, "Missing username.")
	case !update && c.password == nil:
		return credentials{}, kerror.Bare(kerror.BadRequestError, "Missing password.")
	case c.username == nil && c.password == nil:
		return credentials{}, kerror.Bare(kerror.BadRequestError, "Missing username or password.")
	}
	return c, nil
}

func text(args protocol.Args, name string, maxBytes int) (*string, error) {
	if args.Raw(name) == nil {
		return nil, nil
	}
	s, err := args.String(name)
	if err != nil {
		return nil, kerror.Bare(kerror.BadRequestError, `The member "`+name+`" of the credentials must be a text.`)
	}
	return &s, acceptable(name, s, maxBytes)
}

// acceptable refuses texts that are empty or too long.
func acceptable(name, s string, maxBytes int) error {
	switch {
	case s == "":
		return kerror.Bare(kerror.BadRequestError, `The member "`+name+`" of the credentials must not be empty.`)
	case len(s) > maxBytes:
		return kerror.Bare(kerror.BadRequestError,
			`The member "`+name+`" of the credentials must not have more than `+strconv.Itoa(maxBytes)+` bytes.`)
	}
	return nil
}

func errTaken() error {
	return kerror.Bare(kerror.PreconditionError, "This username is taken.")
}

func errNoCredentials(kuid string) error {
	return kerror.Bare(kerror.PreconditionError, `The user "`+kuid+`" has no credentials for the strategy local.`)
}

// beginWrite waits for its turn; done ends it.
func (s *Strategy) beginWrite(ctx context.Context) (done func(), err error) {
	select {
	case s.writing <- struct{}{}:
		return func() { <-s.writing }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Exists reports whether the user has credentials.
func (s *Strategy) Exists(ctx context.Context, _ *protocol.Request, kuid string) (bool, error) {
	docs, err := s.ofUser(ctx, kuid)
	return len(docs) > 0, err
}

// Validate says what Create or Update would refuse: 400 for the credentials themselves, 412 for a name that is taken. That a
// password was used before only Update says, or anybody with a session could try out which one is in force.
func (s *Strategy) Validate(ctx context.Context, _ *protocol.Request, kuid string, raw jsontext.Value, update bool) (any, error) {
	c, err := parseCredentials(raw, update)
	if err != nil {
		return nil, err
	}
	if err := s.allowed(ctx, kuid, c); err != nil {
		return nil, err
	}
	if c.username == nil {
		return true, nil
	}
	switch r, _, err := s.read(ctx, *c.username); {
	case errors.Is(err, errNone):
		return true, nil
	case err != nil:
		return nil, err
	case !update || r.KUID != kuid:
		return nil, errTaken()
	}
	return true, nil
}

// allowed checks a new password against the policies for the user, with the name that he has or is to have.
func (s *Strategy) allowed(ctx context.Context, kuid string, c credentials) error {
	if c.password == nil {
		return nil
	}
	r, err := s.rulesFor(ctx, kuid)
	if err != nil {
		return err
	}
	name := ""
	if c.username != nil {
		name = *c.username
	} else if r.forbidUsername {
		docs, err := s.ofUser(ctx, kuid)
		if err != nil {
			return err
		}
		if len(docs) > 0 {
			name = docs[0].ID
		}
	}
	return r.check(name, *c.password)
}

// Holder gives the user who has the user name of these credentials. What is wrong with them is for Validate to say.
func (s *Strategy) Holder(ctx context.Context, _ *protocol.Request, raw jsontext.Value) (string, error) {
	c, err := parseCredentials(raw, true)
	if err != nil || c.username == nil {
		return "", nil //nolint:nilerr // Validate answers it
	}
	r, _, err := s.read(ctx, *c.username)
	if errors.Is(err, errNone) {
		return "", nil
	}
	return r.KUID, err
}

// Create stores credentials: 412 when the name is taken or the user has some.
func (s *Strategy) Create(ctx context.Context, req *protocol.Request, kuid string, raw jsontext.Value) (any, error) {
	c, err := parseCredentials(raw, false)
	if err != nil {
		return nil, err
	}
	r, err := s.withPassword(ctx, req, *c.username, *c.password, record{KUID: kuid})
	if err != nil {
		return nil, err
	}
	done, err := s.beginWrite(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	docs, err := s.ofUser(ctx, kuid)
	if err != nil {
		return nil, err
	}
	if len(docs) > 0 {
		return nil, kerror.Bare(kerror.PreconditionError, `The user "`+kuid+`" has credentials for the strategy local already.`)
	}
	return s.create(ctx, *c.username, r)
}

// create stores a record under a new name.
func (s *Strategy) create(ctx context.Context, username string, r record) (any, error) {
	r.Username = username
	source, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	_, err = s.engine.Create(ctx, usersCollection, username, source, storage.WriteOptions{})
	switch {
	case errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists):
		return nil, errTaken()
	case err != nil:
		return nil, security.StorageFailed("store credentials", err)
	}
	return info{username, r.KUID}, nil
}

// Update changes name, password or both: 412 when the user has no credentials or the new name is another's.
func (s *Strategy) Update(ctx context.Context, req *protocol.Request, kuid string, raw jsontext.Value) (any, error) {
	c, err := parseCredentials(raw, true)
	if err != nil {
		return nil, err
	}
	old, err := s.oneOf(ctx, kuid)
	if err != nil {
		return nil, err
	}
	r, err := parse(old)
	if err != nil {
		return nil, err
	}
	if err := s.confirm(ctx, req, old.ID, r); err != nil {
		return nil, err
	}
	username := old.ID
	if c.username != nil {
		username = *c.username
	}
	if c.password != nil {
		if r, err = s.withPassword(ctx, req, username, *c.password, r); err != nil {
			return nil, err
		}
	}
	done, err := s.beginWrite(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := s.unchanged(ctx, old); err != nil {
		return nil, err
	}
	if username == old.ID {
		if err := s.replace(ctx, old.ID, r, old.Version); err != nil {
			return nil, err
		}
		return info{old.ID, kuid}, nil
	}
	return s.rename(ctx, old.ID, username, r)
}

// rename stores the record under the new name, then removes the old one. Cut off in between, the user has both names,
// until they are deleted.
func (s *Strategy) rename(ctx context.Context, from, to string, r record) (any, error) {
	renamed, err := s.create(ctx, to, r)
	if err != nil {
		return nil, err
	}
	if err := s.remove(ctx, from); err != nil {
		return nil, errors.Join(err, s.remove(context.WithoutCancel(ctx), to))
	}
	return renamed, nil
}

// Delete removes the credentials of a user; 412 when it has none.
func (s *Strategy) Delete(ctx context.Context, req *protocol.Request, kuid string) error {
	if err := s.confirmDelete(ctx, req, kuid); err != nil {
		return err
	}
	done, err := s.beginWrite(ctx)
	if err != nil {
		return err
	}
	defer done()
	docs, err := s.ofUser(ctx, kuid)
	if err != nil {
		return err
	}
	if len(docs) == 0 {
		return errNoCredentials(kuid)
	}
	for _, doc := range docs {
		if err := s.remove(ctx, doc.ID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Strategy) confirmDelete(ctx context.Context, req *protocol.Request, kuid string) error {
	if !s.requirePassword || !ofOneself(req) {
		return nil
	}
	doc, err := s.oneOf(ctx, kuid)
	if err != nil {
		return err
	}
	r, err := parse(doc)
	if err != nil {
		return err
	}
	return s.confirm(ctx, req, doc.ID, r)
}

func (s *Strategy) remove(ctx context.Context, username string) error {
	err := s.engine.Delete(ctx, usersCollection, username, storage.WriteOptions{})
	if err != nil && !errors.Is(err, kerror.ServicesStorageNotFound) {
		return security.StorageFailed("remove credentials", err)
	}
	return nil
}

// Info gives {username, kuid}; 412 when the user has no credentials.
func (s *Strategy) Info(ctx context.Context, _ *protocol.Request, kuid string) (any, error) {
	doc, err := s.oneOf(ctx, kuid)
	if err != nil {
		return nil, err
	}
	return info{doc.ID, kuid}, nil
}

// ByID gives {username, kuid} for a user name; 412 when there is none.
func (s *Strategy) ByID(ctx context.Context, _ *protocol.Request, username string) (any, error) {
	r, _, err := s.read(ctx, username)
	if errors.Is(err, errNone) {
		return nil, kerror.Bare(kerror.PreconditionError, fmt.Sprintf("There are no credentials with the username %q.", username))
	}
	if err != nil {
		return nil, err
	}
	return info{username, r.KUID}, nil
}
