package passkey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The bounds of an account.
const (
	maxPasskeys = 10
	// maxSpent bounds the challenges used and not over yet: that many ceremonies of one user within a timeout.
	maxSpent = 128
	// maxTries is how often a change is tried again that others came before.
	maxTries = 64
)

// account is what is stored of a user. There is none without passkeys.
type account struct {
	KUID string `json:"kuid"`
	// IDs are those of the passkeys, for look-ups.
	IDs      []string  `json:"ids"`
	Passkeys []passkey `json:"passkeys"`
	Spent    []spent   `json:"spent,omitempty"`
}

// passkey is one credential. Times are ms since 1970.
type passkey struct {
	// ID is that of the credential, in base64url, as browsers write it.
	ID             string   `json:"id"`
	Name           string   `json:"name"`
	PublicKey      []byte   `json:"publicKey"`
	SignCount      uint32   `json:"signCount"`
	BackupEligible bool     `json:"backupEligible"`
	BackedUp       bool     `json:"backedUp"`
	Transports     []string `json:"transports,omitempty"`
	CreatedAt      int64    `json:"createdAt"`
	LastUsedAt     int64    `json:"lastUsedAt,omitzero"`
	// CloneSeenAt is when its counter last went back.
	CloneSeenAt int64 `json:"cloneSeenAt,omitzero"`
}

// spent is a challenge that was used.
type spent struct {
	Nonce string `json:"nonce"`
	End   int64  `json:"end"`
}

// refusal is what a client is told whose passkey is not accepted.
type refusal string

func (r refusal) Error() string { return string(r) }

const (
	refused = "This passkey was not accepted."
	over    = "The challenge is too old or was used already: ask for new options and try again."
)

// find gives the passkey of that id, nil when there is none.
func (a *account) find(id string) *passkey {
	i := slices.IndexFunc(a.Passkeys, func(p passkey) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	return &a.Passkeys[i]
}

// add puts in a passkey; remove takes one out.
func (a *account) add(p passkey) {
	a.IDs = append(a.IDs, p.ID)
	a.Passkeys = append(a.Passkeys, p)
}

func (a *account) remove(id string) {
	a.IDs = slices.DeleteFunc(a.IDs, func(other string) bool { return other == id })
	a.Passkeys = slices.DeleteFunc(a.Passkeys, func(p passkey) bool { return p.ID == id })
}

// spend uses a challenge up: refused when it is over or was used before.
func (a *account) spend(c challenge, now time.Time) error {
	ms := now.UnixMilli()
	a.Spent = slices.DeleteFunc(a.Spent, func(s spent) bool { return s.End <= ms })
	switch {
	case c.end <= ms || slices.Contains(a.Spent, spent{c.nonce, c.end}):
		return refusal(over)
	case len(a.Spent) >= maxSpent:
		return kerror.APIProcessTooManyLoginsRequests.New()
	}
	a.Spent = append(a.Spent, spent{c.nonce, c.end})
	return nil
}

// read gives the account of a user and its version: an empty one and 0 when there is none.
func (s *Strategy) read(ctx context.Context, kuid string) (account, int64, error) {
	doc, err := s.engine.Get(ctx, usersCollection, kuid)
	if errors.Is(err, kerror.ServicesStorageNotFound) {
		return account{KUID: kuid}, 0, nil
	}
	if err != nil {
		return account{}, 0, security.StorageFailed("read passkeys", err)
	}
	a, err := parse(doc)
	return a, doc.Version, err
}

func parse(doc storage.Document) (account, error) {
	var a account
	if err := json.Unmarshal(doc.Source, &a); err != nil {
		return account{}, fmt.Errorf("parse stored passkeys: %w", err)
	}
	if a.KUID != doc.ID {
		return account{}, errors.New("stored passkeys name another user")
	}
	return a, nil
}

// holder gives the user who has the credential, "" for nobody. One that two users have, see Strategy.registering, is nobody's.
func (s *Strategy) holder(ctx context.Context, id string) (string, error) {
	docs, err := s.engine.Find(ctx, usersCollection, "ids", id, 2)
	if err != nil {
		return "", security.StorageFailed("look for a passkey", err)
	}
	if len(docs) != 1 {
		return "", nil
	}
	return docs[0].ID, nil
}

// change reads the account of a user, lets do change it, and stores it, again and again until nobody came in between. What do
// fails with is its error, and nothing is stored.
func (s *Strategy) change(ctx context.Context, kuid string, do func(*account) error) error {
	for range maxTries {
		a, version, err := s.read(ctx, kuid)
		if err != nil {
			return err
		}
		if err := do(&a); err != nil {
			return err
		}
		stored, err := s.store(ctx, a, version)
		if err != nil || stored {
			return err
		}
	}
	return kerror.ServicesStorageTooManyChanges.New(kuid)
}

// store reports false when the account is not any more what it was at that version.
func (s *Strategy) store(ctx context.Context, a account, version int64) (bool, error) {
	source, err := json.Marshal(a)
	if err != nil {
		return false, err
	}
	if version == 0 {
		_, err = s.engine.Create(ctx, usersCollection, a.KUID, source, storage.WriteOptions{})
	} else {
		_, err = s.engine.Replace(ctx, usersCollection, a.KUID, source, storage.WriteOptions{IfVersion: version})
	}
	switch {
	case errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists), errors.Is(err, kerror.ServicesStorageTooManyChanges),
		errors.Is(err, kerror.ServicesStorageNotFound):
		return false, nil
	case err != nil:
		return false, security.StorageFailed("store passkeys", err)
	}
	return true, nil
}
