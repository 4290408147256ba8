package local

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost is what one Argon2id hash costs.
type Cost struct {
	MemoryKiB   uint32
	Iterations  uint32
	Parallelism uint8
}

const (
	saltBytes = 16
	hashBytes = 32
)

// The costliest hash that is computed for a stored record; beyond it the record is taken for damaged.
const (
	maxMemoryKiB  = 4 << 20
	maxIterations = 1000
)

// hash is a stored password hash in its parts.
type hash struct {
	cost      Cost
	salt, sum []byte
}

// newHash computes the hash of a password with a fresh salt.
func newHash(password string, c Cost) hash {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails: the runtime ends the process instead
	return hash{c, salt, sumOf(password, salt, c, hashBytes)}
}

func sumOf(password string, salt []byte, c Cost, size int) []byte {
	return argon2.IDKey([]byte(password), salt, c.Iterations, c.MemoryKiB, c.Parallelism, uint32(size)) //nolint:gosec // 16 to 64
}

// matches computes the password's hash with the stored salt and cost and compares, in constant time.
func (h hash) matches(password string) bool {
	return subtle.ConstantTimeCompare(h.sum, sumOf(password, h.salt, h.cost, len(h.sum))) == 1
}

// weakerThan reports whether any part of the hash's cost is below c.
func (h hash) weakerThan(c Cost) bool {
	return h.cost.MemoryKiB < c.MemoryKiB || h.cost.Iterations < c.Iterations || h.cost.Parallelism < c.Parallelism ||
		len(h.salt) < saltBytes || len(h.sum) < hashBytes
}

// String is the PHC form: $argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>.
func (h hash) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.cost.MemoryKiB, h.cost.Iterations, h.cost.Parallelism, b64.EncodeToString(h.salt), b64.EncodeToString(h.sum))
}

// storedHash is the hash of a password, made here or by a Kuzzle 2.
type storedHash interface {
	// matches compares in constant time.
	matches(password string) bool
	// weakerThan reports whether the password must be hashed anew for a cost.
	weakerThan(c Cost) bool
}

// parseStored reads a hash in either form.
func parseStored(text string) (storedHash, error) {
	if strings.HasPrefix(text, kuzzlePrefix) {
		return parseKuzzleHash(text)
	}
	return parseHash(text)
}

var errHash = errors.New("not an Argon2id hash in PHC form")

// parseHash reads the PHC form.
func parseHash(text string) (hash, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return hash{}, errHash
	}
	var h hash
	var err error
	if h.cost, err = parseCost(parts[3]); err != nil {
		return hash{}, err
	}
	if h.salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4]); err != nil || len(h.salt) < 8 || len(h.salt) > 64 {
		return hash{}, errHash
	}
	if h.sum, err = base64.RawStdEncoding.Strict().DecodeString(parts[5]); err != nil || len(h.sum) < 16 || len(h.sum) > 64 {
		return hash{}, errHash
	}
	return h, nil
}

func parseCost(text string) (Cost, error) {
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return Cost{}, errHash
	}
	var numbers [3]uint64
	for i, name := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(parts[i], name)
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil {
			return Cost{}, errHash
		}
		numbers[i] = n
	}
	m, t, p := numbers[0], numbers[1], numbers[2]
	if p < 1 || p > 255 || t < 1 || t > maxIterations || m < 8*p || m > maxMemoryKiB {
		return Cost{}, errHash
	}
	return Cost{uint32(m), uint32(t), uint8(p)}, nil
}
