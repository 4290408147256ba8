package local

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // some passwords were hashed with it; they are hashed anew
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	stdhash "hash"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// kuzzleIterations are those of PBKDF2 in a Kuzzle 2, where no setting changes them.
const kuzzleIterations = 10_000

// maxKuzzleSaltBytes is far more than a Kuzzle 2 makes, which is 256.
const maxKuzzleSaltBytes = 4096

// The ways in which a Kuzzle 2 hashes.
const (
	stretched = "pbkdf2"
	keyed     = "hmac"
	plain     = "hash"
)

// digest is one of the hash functions that a Kuzzle 2 can be set to.
type digest struct {
	name string
	new  func() stdhash.Hash
	// size is that of the digest in bytes, and stretched that of a hash made with PBKDF2.
	size, stretched int
}

var digests = []digest{
	{"sha512", sha512.New, sha512.Size, 512},
	{"sha384", sha512.New384, sha512.Size384, 384},
	{"sha256", sha256.New, sha256.Size, 256},
	{"sha224", sha256.New224, sha256.Size224, 224},
	{"sha1", sha1.New, sha1.Size, 40},
}

// digestOf finds a hash function by its name or one of its synonyms in Node.js, such as RSA-SHA256 or sha256WithRSAEncryption.
func digestOf(name string) (digest, bool) {
	name = strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(name), "rsa-"), "withrsaencryption")
	i := slices.IndexFunc(digests, func(d digest) bool { return d.name == name })
	if i < 0 {
		return digest{}, false
	}
	return digests[i], true
}

// kuzzleHash is the hash of a password as a Kuzzle 2 made it. It is good for one more login, which hashes the password anew.
type kuzzleHash struct {
	way    string
	digest digest
	// salt is used as the text that it is.
	salt string
	// sum has the size of the digest: of what PBKDF2 made it is the first block, which does not depend on the others and is no
	// easier to find than all of them.
	sum []byte
}

// kuzzleDecoy costs what most hashes of a Kuzzle 2 cost, and matches nothing that anybody sends.
func kuzzleDecoy() kuzzleHash {
	return kuzzleHash{stretched, digests[0], strings.Repeat("0", 256), make([]byte, digests[0].size)}
}

func (h kuzzleHash) matches(password string) bool {
	return subtle.ConstantTimeCompare(h.sum, h.sumOf(password)) == 1
}

// sumOf gives nil when it cannot be computed, which equals no sum.
func (h kuzzleHash) sumOf(password string) []byte {
	switch h.way {
	case stretched:
		sum, err := pbkdf2.Key(h.digest.new, password, []byte(h.salt), kuzzleIterations, h.digest.size)
		if err != nil {
			return nil
		}
		return sum
	case keyed:
		mac := hmac.New(h.digest.new, []byte(h.salt))
		mac.Write([]byte(password))
		return mac.Sum(nil)
	case plain:
		sum := h.digest.new()
		sum.Write([]byte(h.salt + ":" + password))
		return sum.Sum(nil)
	default:
		return nil
	}
}

// weakerThan is always so.
func (h kuzzleHash) weakerThan(Cost) bool { return true }

const kuzzlePrefix = "$kuzzle-"

// String is a form like PHC's: $kuzzle-pbkdf2$sha512$<salt>$<hash>.
func (h kuzzleHash) String() string {
	b64 := base64.RawStdEncoding
	return kuzzlePrefix + h.way + "$" + h.digest.name + "$" + b64.EncodeToString([]byte(h.salt)) + "$" + b64.EncodeToString(h.sum)
}

var errKuzzleHash = errors.New("not a password hash of a Kuzzle 2")

// parseKuzzleHash reads what String wrote.
func parseKuzzleHash(text string) (kuzzleHash, error) {
	rest, ok := strings.CutPrefix(text, kuzzlePrefix)
	parts := strings.Split(rest, "$")
	if !ok || len(parts) != 4 {
		return kuzzleHash{}, errKuzzleHash
	}
	d, ok := digestOf(parts[1])
	if !ok || !slices.Contains([]string{stretched, keyed, plain}, parts[0]) {
		return kuzzleHash{}, errKuzzleHash
	}
	b64 := base64.RawStdEncoding.Strict()
	salt, err := b64.DecodeString(parts[2])
	if err != nil || len(salt) == 0 || len(salt) > maxKuzzleSaltBytes {
		return kuzzleHash{}, errKuzzleHash
	}
	sum, err := b64.DecodeString(parts[3])
	if err != nil || len(sum) != d.size {
		return kuzzleHash{}, errKuzzleHash
	}
	return kuzzleHash{parts[0], d, string(salt), sum}, nil
}

// kuzzlePassword is how a Kuzzle 2 stores one password.
type kuzzlePassword struct {
	Password   string         `json:"userPassword"`
	Salt       string         `json:"userSalt"`
	Algorithm  string         `json:"algorithm"`
	Stretching bool           `json:"stretching"`
	Encryption string         `json:"encryption"`
	Pepper     jsontext.Value `json:"pepper"`
	// ArchivedAt is in milliseconds since 1970, for one that was changed since.
	ArchivedAt int64 `json:"archivedAt"`
}

// hash gives the hash. Its errors say why nobody can log in with it.
func (p kuzzlePassword) hash() (kuzzleHash, error) {
	if pepper := string(p.Pepper); pepper != "" && pepper != "false" && pepper != "null" {
		return kuzzleHash{}, errors.New("a Kuzzle 2 hashed the password with a pepper, which is not stored with it: set a new password")
	}
	d, ok := digestOf(p.Algorithm)
	if !ok {
		return kuzzleHash{}, fmt.Errorf("a Kuzzle 2 hashed the password with %.32q, which is not known here: set a new password", p.Algorithm)
	}
	if p.Salt == "" || len(p.Salt) > maxKuzzleSaltBytes {
		return kuzzleHash{}, fmt.Errorf("%w: its salt has %d bytes", errKuzzleHash, len(p.Salt))
	}
	h, size := kuzzleHash{way: stretched, digest: d, salt: p.Salt}, d.stretched
	if !p.Stretching {
		h.way, size = p.Encryption, d.size
		if h.way != keyed && h.way != plain {
			return kuzzleHash{}, fmt.Errorf("a Kuzzle 2 hashed the password in the way %.32q, which is not known here: set a new password", h.way)
		}
	}
	sum, ok := decodeSum(p.Password, size)
	if !ok {
		return kuzzleHash{}, fmt.Errorf("%w: it is not one of %d bytes", errKuzzleHash, size)
	}
	h.sum = sum[:d.size]
	return h, nil
}

// decodeSum reads a hash of so many bytes in any of the encodings that a Kuzzle 2 can be set to: the one that was in force is not
// stored, but the lengths tell them apart.
func decodeSum(text string, size int) ([]byte, bool) {
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		if sum, err := decode(text); err == nil && len(sum) == size {
			return sum, true
		}
	}
	sum := make([]byte, 0, size)
	for _, r := range text { // latin1, a character for each byte
		if r > 0xff || len(sum) == size {
			return nil, false
		}
		sum = append(sum, byte(r)) //nolint:gosec // checked above
	}
	return sum, len(sum) == size
}

// fillFromKuzzle takes over what a Kuzzle 2 stored of a password. The kuid is the same in both.
func (r *record) fillFromKuzzle(source jsontext.Value) {
	var stored struct {
		kuzzlePassword
		Updater string           `json:"updater"`
		History []kuzzlePassword `json:"passwordHistory"`
		Info    struct {
			CreatedAt int64 `json:"createdAt"`
			UpdatedAt int64 `json:"updatedAt"`
		} `json:"_kuzzle_info"`
	}
	if err := json.Unmarshal(source, &stored); err != nil {
		r.damage = fmt.Errorf("%w: %w", errKuzzleHash, err)
		return
	}
	h, err := stored.hash()
	if err != nil {
		r.damage = err
		return
	}
	r.Hash = h.String()
	r.SetAt = max(stored.Info.CreatedAt, stored.Info.UpdatedAt)
	if stored.Updater != r.KUID && stored.Updater != protocol.AnonymousID { // who signs up sets his own
		r.SetBy = stored.Updater
	}
	slices.SortStableFunc(stored.History, func(a, b kuzzlePassword) int { return int(min(1, max(-1, b.ArchivedAt-a.ArchivedAt))) })
	for _, p := range stored.History {
		if h, err := p.hash(); err == nil { // one that cannot be read is of no password
			r.Earlier = append(r.Earlier, h.String())
		}
	}
}

// lookForKuzzle finds whether somebody has a password that a Kuzzle 2 hashed.
func (s *Strategy) lookForKuzzle(ctx context.Context) error {
	n, err := s.engine.Count(ctx, []storage.Collection{usersCollection}, jsontext.Value(`{"exists":{"field":"userPassword"}}`))
	if err != nil {
		return fmt.Errorf("look for passwords of a Kuzzle: %w", err)
	}
	if n > 0 {
		decoy := kuzzleDecoy()
		s.hasher.kuzzle = &decoy
		s.log.InfoContext(ctx, "there are passwords that a Kuzzle hashed; each is hashed anew when its user logs in", "passwords", n)
	}
	return nil
}
