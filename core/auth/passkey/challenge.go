package passkey

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// keysCollection holds the key of the strategy. It is the same on every node of a cluster and after a restart.
var keysCollection = storage.Collection{Scope: storage.Internal, Index: index, Name: "keys"}

const (
	secretID    = "challenges"
	secretBytes = 32
)

type secretRecord struct {
	Secret []byte `json:"secret"`
}

// loadSecret reads the key, which is made once.
func loadSecret(ctx context.Context, engine storage.Engine) ([]byte, error) {
	if err := engine.Ensure(ctx, keysCollection, storage.Spec{}); err != nil {
		return nil, fmt.Errorf("make the collection of the key of passkeys: %w", err)
	}
	fresh := make([]byte, secretBytes)
	if _, err := rand.Read(fresh); err != nil {
		return nil, fmt.Errorf("make the key of passkeys: %w", err)
	}
	source, err := json.Marshal(secretRecord{fresh})
	if err != nil {
		return nil, err
	}
	_, err = engine.Create(ctx, keysCollection, secretID, source, storage.WriteOptions{})
	if err == nil {
		return fresh, nil
	}
	if !errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists) {
		return nil, fmt.Errorf("store the key of passkeys: %w", err)
	}
	doc, err := engine.Get(ctx, keysCollection, secretID)
	if err != nil {
		return nil, fmt.Errorf("read the key of passkeys: %w", err)
	}
	var r secretRecord
	if err := json.Unmarshal(doc.Source, &r); err != nil || len(r.Secret) != secretBytes {
		return nil, errors.Join(errors.New("the stored key of passkeys is damaged"), err)
	}
	return r.Secret, nil
}

// sealer makes what only the strategy can make: challenges, the handles of users and answers about users it does not know.
type sealer struct{ secret []byte }

// sum is a digest of parts that nobody without the secret knows. purpose keeps the uses apart.
func (s sealer) sum(purpose string, parts ...string) []byte {
	b := []byte(purpose)
	for _, part := range parts {
		b = fmt.Appendf(b, ":%d:%s", len(part), part)
	}
	mac := hmac.New(sha256.New, s.secret)
	_, _ = mac.Write(b) // never fails
	return mac.Sum(nil)
}

// handle is what authenticators know a user by. It says nothing about the user.
func (s sealer) handle(kuid string) []byte { return s.sum("handle", kuid) }

// A ceremony is what a challenge is good for.
type ceremony struct {
	kind string
	// kuid is the only user it is good for. A login without a name is good for whoever has a passkey, with "" here.
	kuid string
}

const (
	registration = "registration"
	namedLogin   = "named login"
	freeLogin    = "login"
)

// A challenge is nonce, end in ms since 1970, and a sum over both and the ceremony.
const (
	nonceBytes     = 16
	endBytes       = 8
	challengeBytes = nonceBytes + endBytes + sha256.Size
)

// challenge is one that was found to be genuine. It may be over or used.
type challenge struct {
	nonce string
	end   int64 // ms since 1970
}

// newChallenge makes one that is good until end.
func (s sealer) newChallenge(c ceremony, end time.Time) ([]byte, error) {
	b := make([]byte, nonceBytes, challengeBytes)
	if _, err := rand.Read(b); err != nil {
		return nil, fmt.Errorf("make a challenge: %w", err)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(end.UnixMilli()))
	return append(b, s.sum(c.kind, c.kuid, string(b))...), nil
}

// open reads the text of a challenge; ok says that it was made for that ceremony.
func (s sealer) open(c ceremony, text string) (challenge, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != challengeBytes {
		return challenge{}, false
	}
	said, sum := b[:nonceBytes+endBytes], b[nonceBytes+endBytes:]
	if !hmac.Equal(sum, s.sum(c.kind, c.kuid, string(said))) {
		return challenge{}, false
	}
	return challenge{
		nonce: base64.RawURLEncoding.EncodeToString(said[:nonceBytes]),
		end:   int64(binary.BigEndian.Uint64(said[nonceBytes:])), //nolint:gosec // newChallenge wrote it
	}, true
}
