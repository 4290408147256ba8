package auth

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// secretBytes is how much randomness a generated secret holds.
const secretBytes = 64

// secretFromFile reads the secret of HS256, or makes one when the file is not there. A file that others than its owner
// can reach is refused: whoever reads it can be anybody.
func secretFromFile(path string) ([]byte, error) {
	if path == "" {
		return nil, errors.New("no secret for tokens: configure security.authToken.secret")
	}
	secret, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := makeSecret(path); err != nil && !errors.Is(err, fs.ErrExist) { // another process may have been faster
		return nil, fmt.Errorf("make the secret of tokens: %w", err)
	}
	return readSecret(path)
}

func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the node names it
	if err != nil {
		return nil, fmt.Errorf("read the secret of tokens: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the secret of tokens: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the secret of tokens, %s, is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("the secret of tokens, %s, is open to others (mode %04o): "+
			"run chmod 600 on it, or remove it to have a new one made, which ends all sessions", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return nil, fmt.Errorf("read the secret of tokens: %w", err)
	}
	secret := bytes.TrimSpace(text)
	if len(secret) < minSecretBytes {
		return nil, fmt.Errorf("the secret of tokens, %s, is too short: remove it to have a new one made, which ends all sessions", path)
	}
	return secret, nil
}

// makeSecret writes a new secret and syncs file and folder: a secret that a crash takes away ends all sessions.
func makeSecret(path string) error {
	random := make([]byte, secretBytes)
	if _, err := rand.Read(random); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the node names it
	if err != nil {
		return err
	}
	_, err = f.WriteString(hex.EncodeToString(random) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path)) // half a secret is none
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
