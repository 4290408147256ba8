package auth

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// ringFormat is the version of a KeysFile; another one is refused.
	ringFormat = 1
	// maxRingKeys bounds a ring, and with it what verifying looks at.
	maxRingKeys = 64
	// maxRingBytes bounds the file: a private key of RSA has 2 KiB.
	maxRingBytes = 1 << 20
)

// ring is the keys of a data folder, the newest first. At most one is not retired: it signs.
type ring []ringKey

type ringKey struct {
	key
	created time.Time
	// retired is zero for the key that signs.
	retired time.Time
	// unnamed is set for a key that signed tokens without kid.
	unnamed bool
}

// current gives the key that signs, nil when there is none.
func (r ring) current() *ringKey {
	i := slices.IndexFunc(r, func(k ringKey) bool { return k.retired.IsZero() })
	if i < 0 {
		return nil
	}
	return &r[i]
}

func (r ring) index(id string) int {
	return slices.IndexFunc(r, func(k ringKey) bool { return k.id == id })
}

// rotate gives a ring that signs with a new key. Of the key before it only what verifies is kept.
func (r ring) rotate(algorithm string, now time.Time) (ring, error) {
	if len(r) >= maxRingKeys {
		return nil, fmt.Errorf("there are %d keys already: remove old ones with \"sluice keys remove\"", len(r))
	}
	made, err := makeKey(algorithm)
	if err != nil {
		return nil, err
	}
	rotated := append(ring{{key: made, created: now}}, r...)
	for i := range rotated[1:] {
		if k := &rotated[i+1]; k.retired.IsZero() {
			k.retired = now
			if k.asymmetric() {
				k.private = nil
			}
		}
	}
	return rotated, nil
}

// loadRing reads the keys of the data folder, also where they are still a SecretFile. A folder without has none. info is that of
// the KeysFile, nil when it is not there.
func loadRing(o Options) (r ring, info fs.FileInfo, err error) {
	if o.KeysFile == "" {
		return nil, nil, nil
	}
	text, info, err := readPrivate(o.KeysFile, maxRingBytes)
	if errors.Is(err, fs.ErrNotExist) {
		r, err = importSecret(o.SecretFile)
		return r, nil, err
	}
	if err == nil {
		r, err = parseRing(text)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the keys of tokens in %s: %w", o.KeysFile, err)
	}
	return r, info, nil
}

// changeRing lets change make another ring of the one in the data folder, and stores it; nil from change leaves it. It is alone
// with the folder meanwhile, whatever other process wants the same.
func changeRing(o Options, change func(r ring, stored bool) (ring, error)) (r ring, info fs.FileInfo, err error) {
	folder, err := os.Open(filepath.Dir(o.KeysFile))
	if err != nil {
		return nil, nil, err
	}
	defer folder.Close() //nolint:errcheck // it was only locked, which ends with it
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil {
		return nil, nil, fmt.Errorf("lock the data folder: %w", err)
	}
	r, info, err = loadRing(o)
	if err != nil {
		return nil, nil, err
	}
	changed, err := change(r, info != nil)
	if err != nil {
		return nil, nil, err
	}
	if changed != nil {
		if err := writeRing(o.KeysFile, changed); err != nil {
			return nil, nil, fmt.Errorf("store the keys of tokens: %w", err)
		}
		if r, info, err = loadRing(o); err != nil {
			return nil, nil, err
		}
	}
	return r, info, dropSecret(o, r)
}

// dropSecret removes a SecretFile whose key is in the ring: a key that is removed there must not lie about. A file that cannot be
// read did not become one.
func dropSecret(o Options, r ring) error {
	if old, err := importSecret(o.SecretFile); err == nil && len(old) > 0 && r.index(old[0].id) >= 0 {
		return os.Remove(o.SecretFile)
	}
	return nil
}

// ringFile is a KeysFile. Binary values are base64.
type ringFile struct {
	Format int         `json:"format"`
	Keys   []ringEntry `json:"keys"`
}

type ringEntry struct {
	ID        string    `json:"kid"`
	Algorithm string    `json:"algorithm"`
	Created   time.Time `json:"created"`
	Retired   time.Time `json:"retired,omitzero"`
	Unnamed   bool      `json:"signedWithoutKid,omitzero"`
	// One of the three: the secret of HS256, a private key as PKCS #8, the public key of a retired one as PKIX.
	Secret  []byte `json:"secret,omitempty"`
	Private []byte `json:"private,omitempty"`
	Public  []byte `json:"public,omitempty"`
}

// parseRing reads a KeysFile. Its errors show nothing of the keys.
func parseRing(text []byte) (ring, error) {
	var file ringFile
	if err := json.Unmarshal(text, &file, json.RejectUnknownMembers(true)); err != nil {
		return nil, errors.New("it is no list of keys; restore it from a backup")
	}
	if file.Format != ringFormat {
		return nil, errors.New("it was written by another version of this program")
	}
	if len(file.Keys) > maxRingKeys {
		return nil, fmt.Errorf("it holds %d keys, more than %d", len(file.Keys), maxRingKeys)
	}
	r := make(ring, 0, len(file.Keys))
	for _, entry := range file.Keys {
		k, err := entry.key()
		if err == nil && (k.id != entry.ID || k.algorithm() != entry.Algorithm) {
			err = errors.New("it is another key than its kid and algorithm say")
		}
		switch {
		case err != nil:
		case r.index(k.id) >= 0:
			err = errors.New("it is there twice")
		case entry.Retired.IsZero() && r.current() != nil:
			err = errors.New("it is the second one that is not retired")
		case entry.Retired.IsZero() && k.private == nil:
			err = errors.New("it is not retired, but cannot sign")
		}
		if err != nil {
			return nil, fmt.Errorf("the key %.64q is damaged, restore the file from a backup: %w", entry.ID, err)
		}
		r = append(r, ringKey{k, entry.Created, entry.Retired, entry.Unnamed})
	}
	return r, nil
}

func (e ringEntry) key() (key, error) {
	var parsed any
	var err error
	switch {
	case len(e.Secret) > 0:
		return secretKey(e.Secret)
	case len(e.Private) > 0:
		parsed, err = x509.ParsePKCS8PrivateKey(e.Private)
	default:
		parsed, err = x509.ParsePKIXPublicKey(e.Public)
	}
	if err != nil {
		return key{}, errors.New("it cannot be parsed")
	}
	return pairKey(parsed)
}

func (r ring) encode() ([]byte, error) {
	file := ringFile{Format: ringFormat, Keys: make([]ringEntry, len(r))}
	for i, k := range r {
		e := ringEntry{ID: k.id, Algorithm: k.algorithm(), Created: k.created, Retired: k.retired, Unnamed: k.unnamed}
		var err error
		switch secret, symmetric := k.private.([]byte); {
		case symmetric:
			e.Secret = secret
		case k.private != nil:
			e.Private, err = x509.MarshalPKCS8PrivateKey(k.private)
		default:
			e.Public, err = x509.MarshalPKIXPublicKey(k.public)
		}
		if err != nil {
			return nil, err
		}
		file.Keys[i] = e
	}
	return json.Marshal(file, jsontext.Multiline(true))
}

// writeRing puts the file in place at once, synced: a crash leaves the old one or the new one.
func writeRing(path string, r ring) error {
	text, err := r.encode()
	if err != nil {
		return err
	}
	beside, err := writeBeside(path, append(text, '\n'))
	if err != nil {
		return err
	}
	if err := os.Rename(beside, path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// writeBeside writes text into a file beside path. What a crash left there is overwritten: only one process writes at a time.
func writeBeside(path string, text []byte) (string, error) {
	beside := path + ".new"
	if err := os.Remove(beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the node names it
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err := cmp.Or(err, giveToOwner(f), f.Sync()); err != nil {
		return "", errors.Join(err, f.Close(), os.Remove(beside))
	}
	return beside, f.Close()
}

// giveToOwner gives a file that root makes to the owner of its folder, whose node could not read it otherwise.
func giveToOwner(f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		return f.Chown(int(owner.Uid), int(owner.Gid))
	}
	return nil
}
