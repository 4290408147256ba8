package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// plenty is how many records of a user are read at once.
const plenty = 64

// record is what is stored of a subject, and all of it is public.
type record struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
	KUID    string `json:"kuid"`
}

// idOf is the id of the record of a subject. Only one can have it.
func (s *Strategy) idOf(subject string) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(len(s.options.Issuer)) + ":" + s.options.Issuer + subject))
	return hex.EncodeToString(sum[:])
}

// errTaken is a subject that belongs to another user, or to this one already.
var errTaken error = kerror.Bare(kerror.PreconditionError, "This subject belongs to a user already.")

var errNone = errors.New("no credentials")

func (s *Strategy) errNoCredentials(kuid string) error {
	return kerror.Bare(kerror.PreconditionError, `The user "`+kuid+`" has no credentials for the strategy `+s.options.Name+`.`)
}

// mayTie reports whether whoever asks may tie a user to a subject. Nobody may do it for himself, with an account that he
// has or with a new one: he could take the place of somebody who has not logged in yet. So these are the actions of
// administrators, and the login that makes the user of a subject that the provider vouches for.
func mayTie(req *protocol.Request) bool {
	if req == nil {
		return false
	}
	switch req.Controller + ":" + req.Action {
	case "security:createUser", "security:upsertUser", "security:createFirstAdmin",
		"security:createCredentials", "security:updateCredentials", "security:validateCredentials", "auth:login":
		return true
	}
	return false
}

// parse gives the subject of credentials {subject}.
func parse(req *protocol.Request, raw jsontext.Value) (string, error) {
	if !mayTie(req) {
		return "", kerror.Bare(kerror.ForbiddenError, "Only an administrator can tie a user to an account of the OpenID provider (security:createCredentials).")
	}
	args, err := protocol.ParseArgs(raw, "")
	if err != nil {
		return "", kerror.Bare(kerror.BadRequestError, "Credentials must be an object.")
	}
	for _, arg := range args.All() {
		if arg.Name != "subject" {
			return "", kerror.Bare(kerror.BadRequestError, "The credentials must hold a subject and nothing else.")
		}
	}
	subject, err := args.String("subject")
	if err != nil || subject == "" || len(subject) > maxSubjectBytes {
		return "", kerror.Bare(kerror.BadRequestError,
			"The credentials need a subject: the claim sub of the provider, a text of "+strconv.Itoa(maxSubjectBytes)+" bytes at most.")
	}
	return subject, nil
}

// Exists reports whether the user has credentials.
func (s *Strategy) Exists(ctx context.Context, _ *protocol.Request, kuid string) (bool, error) {
	all, err := s.ofUser(ctx, kuid)
	return len(all) > 0, err
}

// Validate says what Create or Update would refuse: 403 for a user's own, 400 for the credentials themselves, 412 for a
// subject that is taken.
func (s *Strategy) Validate(ctx context.Context, req *protocol.Request, kuid string, raw jsontext.Value, update bool) (any, error) {
	subject, err := parse(req, raw)
	if err != nil {
		return nil, err
	}
	switch r, err := s.read(ctx, subject); {
	case errors.Is(err, errNone):
		return true, nil
	case err != nil:
		return nil, err
	case !update || r.KUID != kuid:
		return nil, errTaken
	}
	return true, nil
}

// Holder gives the user who has the subject of these credentials. What is wrong with them is for Validate to say.
func (s *Strategy) Holder(ctx context.Context, req *protocol.Request, raw jsontext.Value) (string, error) {
	subject, err := parse(req, raw)
	if err != nil {
		return "", nil //nolint:nilerr // Validate answers it
	}
	r, err := s.read(ctx, subject)
	if errors.Is(err, errNone) {
		return "", nil
	}
	return r.KUID, err
}

// Create stores credentials: 412 when the subject is taken or the user has some.
func (s *Strategy) Create(ctx context.Context, req *protocol.Request, kuid string, raw jsontext.Value) (any, error) {
	return s.change(ctx, req, kuid, raw, func(subject string, old []record) (any, error) {
		if len(old) > 0 {
			return nil, kerror.Bare(kerror.PreconditionError, `The user "`+kuid+`" has credentials for the strategy `+s.options.Name+` already.`)
		}
		return s.store(ctx, record{s.options.Issuer, subject, kuid})
	})
}

// Update gives the user another subject: 412 when it has none or the new one is another's. The new one is stored before the
// old is removed; cut off in between, the user has both, until they are deleted.
func (s *Strategy) Update(ctx context.Context, req *protocol.Request, kuid string, raw jsontext.Value) (any, error) {
	return s.change(ctx, req, kuid, raw, func(subject string, old []record) (any, error) {
		if len(old) == 0 {
			return nil, s.errNoCredentials(kuid)
		}
		wanted := record{s.options.Issuer, subject, kuid}
		if !slices.Contains(old, wanted) {
			if _, err := s.store(ctx, wanted); err != nil {
				return nil, err
			}
		}
		for _, r := range old {
			if r == wanted {
				continue
			}
			if err := s.remove(ctx, r.Subject); err != nil {
				return nil, err
			}
		}
		return wanted, nil
	})
}

// change runs with the subject of new credentials and what the user has, one call at a time.
func (s *Strategy) change(
	ctx context.Context, req *protocol.Request, kuid string, raw jsontext.Value, run func(subject string, old []record) (any, error),
) (any, error) {
	subject, err := parse(req, raw)
	if err != nil {
		return nil, err
	}
	done, err := s.beginWrite(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	old, err := s.ofUser(ctx, kuid)
	if err != nil {
		return nil, err
	}
	return run(subject, old)
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

// Delete removes the credentials of a user; 412 when it has none.
func (s *Strategy) Delete(ctx context.Context, _ *protocol.Request, kuid string) error {
	done, err := s.beginWrite(ctx)
	if err != nil {
		return err
	}
	defer done()
	all, err := s.ofUser(ctx, kuid)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return s.errNoCredentials(kuid)
	}
	for _, r := range all {
		if err := s.remove(ctx, r.Subject); err != nil {
			return err
		}
	}
	return nil
}

// Forget removes the credentials of a user with every provider, those too that are not in the settings.
func Forget(ctx context.Context, engine storage.Engine, kuid string) error {
	for {
		docs, err := engine.Find(ctx, credentialsCollection, "kuid", kuid, plenty)
		if err != nil || len(docs) == 0 {
			return err
		}
		for _, doc := range docs {
			err := engine.Delete(ctx, credentialsCollection, doc.ID, storage.WriteOptions{})
			if err != nil && !errors.Is(err, kerror.ServicesStorageNotFound) {
				return err
			}
		}
	}
}

// Info gives {issuer, subject, kuid}; 412 when the user has no credentials.
func (s *Strategy) Info(ctx context.Context, _ *protocol.Request, kuid string) (any, error) {
	all, err := s.ofUser(ctx, kuid)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, s.errNoCredentials(kuid)
	}
	return all[0], nil
}

// ByID gives the same for a subject; 412 when nobody has it.
func (s *Strategy) ByID(ctx context.Context, _ *protocol.Request, subject string) (any, error) {
	r, err := s.read(ctx, subject)
	if errors.Is(err, errNone) {
		return nil, kerror.Bare(kerror.PreconditionError, fmt.Sprintf("There are no credentials with the subject %q.", subject))
	}
	return r, err
}

// read gives the record of a subject; errNone when there is none.
func (s *Strategy) read(ctx context.Context, subject string) (record, error) {
	doc, err := s.engine.Get(ctx, credentialsCollection, s.idOf(subject))
	if errors.Is(err, kerror.ServicesStorageNotFound) {
		return record{}, errNone
	}
	if err != nil {
		return record{}, security.StorageFailed("read credentials", err)
	}
	r, err := parseRecord(doc)
	if err == nil && (r.Issuer != s.options.Issuer || r.Subject != subject || r.KUID == "") {
		err = errors.New("stored credentials are not those of their id")
	}
	return r, err
}

// ofUser gives the records of a user with this provider: usually one, none when it has no credentials, two when a change
// was cut off.
func (s *Strategy) ofUser(ctx context.Context, kuid string) ([]record, error) {
	docs, err := s.engine.Find(ctx, credentialsCollection, "kuid", kuid, plenty)
	if err != nil {
		return nil, security.StorageFailed("look for credentials", err)
	}
	var all []record
	for _, doc := range docs {
		r, err := parseRecord(doc)
		if err != nil {
			return nil, err
		}
		if r.Issuer == s.options.Issuer {
			all = append(all, r)
		}
	}
	return all, nil
}

// store stores a record; errTaken when there is one of that subject.
func (s *Strategy) store(ctx context.Context, r record) (record, error) {
	source, err := json.Marshal(r)
	if err != nil {
		return record{}, err
	}
	_, err = s.engine.Create(ctx, credentialsCollection, s.idOf(r.Subject), source, storage.WriteOptions{})
	switch {
	case errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists):
		return record{}, errTaken
	case err != nil:
		return record{}, security.StorageFailed("store credentials", err)
	}
	return r, nil
}

func (s *Strategy) remove(ctx context.Context, subject string) error {
	err := s.engine.Delete(ctx, credentialsCollection, s.idOf(subject), storage.WriteOptions{})
	if err != nil && !errors.Is(err, kerror.ServicesStorageNotFound) {
		return security.StorageFailed("remove credentials", err)
	}
	return nil
}

func parseRecord(doc storage.Document) (record, error) {
	var r record
	if err := json.Unmarshal(doc.Source, &r); err != nil {
		return record{}, fmt.Errorf("parse stored credentials: %w", err)
	}
	return r, nil
}
