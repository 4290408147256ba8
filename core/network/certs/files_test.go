package certs_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/network/certs"
	"github.com/sluicehq/sluice/core/network/certs/certstest"
)

// buffer is a log that may be read while others write.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *buffer) await(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(b.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%q is not in the log:\n%s", text, b)
		}
	}
}

func open(t *testing.T, p certstest.Pair) (*certs.Files, *buffer) {
	t.Helper()
	log := &buffer{}
	f, err := certs.Open(p.CertFile, p.KeyFile, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f.Watch(ctx, 5*time.Millisecond) }()
	t.Cleanup(func() { cancel(); <-done })
	return f, log
}

func shown(t *testing.T, f *certs.Files) []byte {
	t.Helper()
	cert, err := f.Certificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return cert.Certificate[0]
}

func TestFilesAreReadAgain(t *testing.T) {
	authority := certstest.New(t)
	pair := authority.Pair()
	f, log := open(t, pair)
	first := shown(t, f)
	if !bytes.Equal(first, pair.Load(t).Certificate[0]) {
		t.Error("it shows another certificate")
	}
	authority.Replace(pair, time.Now().Add(time.Hour))
	log.await(t, "certificate changed")
	if got := shown(t, f); bytes.Equal(got, first) || !bytes.Equal(got, pair.Load(t).Certificate[0]) {
		t.Error("it does not show the new certificate")
	}
}

// Whatever stands in the files, the certificate in use stays until there is a better one, and each trouble is said once.
func TestBrokenFilesLeaveTheOldCertificate(t *testing.T) {
	authority := certstest.New(t)
	other := authority.Pair()
	for name, test := range map[string]struct {
		harm func(p certstest.Pair) error
		want string
	}{
		"key of another": {func(p certstest.Pair) error { return copyFile(other.KeyFile, p.KeyFile) }, "private key does not match public key"},
		"no pem":         {func(p certstest.Pair) error { return os.WriteFile(p.CertFile, []byte("half a certif"), 0o600) }, "failed to find any PEM data"},
		"empty":          {func(p certstest.Pair) error { return os.Truncate(p.KeyFile, 0) }, "failed to find any PEM data"},
		"gone":           {func(p certstest.Pair) error { return os.Remove(p.CertFile) }, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			pair := authority.Pair()
			f, log := open(t, pair)
			first := shown(t, f)
			if err := test.harm(pair); err != nil {
				t.Fatal(err)
			}
			log.await(t, test.want)
			if !bytes.Equal(shown(t, f), first) {
				t.Error("another certificate is in use")
			}
			time.Sleep(30 * time.Millisecond) // it looks several times
			if n := strings.Count(log.String(), "the old one stays"); n != 1 {
				t.Errorf("said %d times\n%s", n, log)
			}
			authority.Replace(pair, time.Now().Add(time.Hour))
			log.await(t, "certificate changed")
			if bytes.Equal(shown(t, f), first) {
				t.Error("the repaired pair is not used")
			}
		})
	}
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

func TestExpiredCertificateIsSaid(t *testing.T) {
	authority := certstest.New(t)
	pair := authority.Pair()
	authority.Replace(pair, time.Now().Add(-time.Minute))
	_, log := open(t, pair)
	log.await(t, "the certificate has expired")
}

func TestOpenFails(t *testing.T) {
	authority := certstest.New(t)
	pair, other := authority.Pair(), authority.Pair()
	logger := slog.New(slog.DiscardHandler)
	missing := filepath.Join(t.TempDir(), "none.pem")
	if _, err := certs.Open(missing, pair.KeyFile, logger); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Error(err)
	}
	if _, err := certs.Open(pair.CertFile, other.KeyFile, logger); err == nil || !strings.Contains(err.Error(), "does not match") {
		t.Error(err)
	}
	if _, err := certs.Pool(pair.KeyFile); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Error(err)
	}
}
