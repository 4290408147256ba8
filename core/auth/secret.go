package auth

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// maxSecretFileBytes bounds what is read of a SecretFile.
const maxSecretFileBytes = 4096

// importSecret gives the one key that a data folder had before its keys were in a KeysFile, nil when there is none. Its tokens
// have no kid.
func importSecret(path string) (ring, error) {
	if path == "" {
		return nil, nil
	}
	text, info, err := readPrivate(path, maxSecretFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the secret of tokens: %w", err)
	}
	k, err := secretKey(bytes.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w; remove it to have a new key made, which ends all sessions", path, err)
	}
	return ring{{key: k, created: info.ModTime().UTC(), unnamed: true}}, nil
}

// readPrivate reads a file that only its owner can reach: whoever reads a key can be anybody.
func readPrivate(path string, most int64) ([]byte, fs.FileInfo, error) {
	f, err := os.Open(path) //nolint:gosec // the node names it
	if err != nil {
		return nil, nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read from
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, nil, fmt.Errorf("%s is open to others (mode %04o): run chmod 600 on it", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return text, info, err
}
