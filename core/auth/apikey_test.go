package auth

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func createKey(t testing.TB, s *Service, ttl time.Duration) Key {
	t.Helper()
	k, err := s.CreateKey(t.Context(), NewKey{KUID: "u", Description: "for a test", TTL: ttl, Refresh: storage.RefreshWaitFor})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func deleteKey(t testing.TB, s *Service, k Key) {
	t.Helper()
	if err := s.DeleteKey(t.Context(), k.Source.UserID, k.ID, storage.RefreshLater); err != nil {
		t.Fatal(err)
	}
}

// ends fails the test unless the key is refused as a token that has ended.
func ends(t testing.TB, s *Service, when string, k Key) {
	t.Helper()
	if _, err := s.Verify(t.Context(), k.Source.Token, VerifyOptions{}); !errors.Is(err, kerror.SecurityTokenInvalid) {
		t.Errorf("%s: %v", when, err)
	}
}

func TestKeys(t *testing.T) {
	c, e := newClock(), newEngine(t)
	s := open(t, e, func(o *Options) { o.Now = c.Now })
	short, endless := createKey(t, s, time.Hour), createKey(t, s, Infinite)
	if short.Source.ExpiresAt != c.Now().Add(time.Hour).UnixMilli() || short.Source.TTL != time.Hour.Milliseconds() ||
		endless.Source.ExpiresAt != -1 || endless.Source.TTL != -1 {
		t.Errorf("%+v %+v", short, endless)
	}
	for _, k := range []Key{short, endless} {
		token, err := s.Verify(t.Context(), k.Source.Token, VerifyOptions{})
		if err != nil || token.KUID != "u" || !token.APIKey || !strings.HasPrefix(k.Source.Token, "kapikey-") ||
			k.Source.Fingerprint != idOf(k.Source.Token).String() {
			t.Errorf("%+v: %+v %v", k, token, err)
		}
		if _, err := s.Refresh(t.Context(), k.Source.Token, time.Hour); !errors.Is(err, kerror.SecurityTokenRefreshForbidden) {
			t.Errorf("refresh: %v", err)
		}
		bare := strings.TrimPrefix(k.Source.Token, keyPrefix)
		if _, err := s.Verify(t.Context(), bare, VerifyOptions{AcceptUnprefixed: true}); !errors.Is(err, kerror.SecurityTokenInvalid) {
			t.Errorf("without its prefix: %v", err)
		}
		if err := s.Revoke(t.Context(), k.Source.Token); err != nil {
			t.Errorf("logout: %v", err)
		}
	}
	if err := s.RevokeAll(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	c.add(time.Hour)
	ends(t, s, "expired", short)
	again := open(t, e, func(o *Options) { o.Now = c.Now }) // nothing is remembered there
	ends(t, again, "expired, after a restart", short)
	if _, err := again.Verify(t.Context(), endless.Source.Token, VerifyOptions{}); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	deleteKey(t, s, endless)
	ends(t, s, "deleted", endless)
}

// The text of a key is nowhere in the storage.
func TestKeysAreStoredAsAHash(t *testing.T) {
	e := newEngine(t)
	k := createKey(t, open(t, e, nil), Infinite)
	doc, err := e.Get(t.Context(), keysCollection, k.ID)
	if err != nil {
		t.Fatal(err)
	}
	signature := k.Source.Token[strings.LastIndexByte(k.Source.Token, '.'):]
	if text := string(doc.Source); strings.Contains(text, signature) || strings.Contains(text, "token") || !strings.Contains(text, k.Source.Fingerprint) {
		t.Errorf("%s", text)
	}
}

func TestKeysAreOfOneUser(t *testing.T) {
	s := open(t, newEngine(t), nil)
	if _, err := s.CreateUser(t.Context(), nil, newUser("v")); err != nil {
		t.Fatal(err)
	}
	k := createKey(t, s, Infinite)
	for _, test := range []struct{ name, kuid, id string }{{"another user's", "v", k.ID}, {"unknown", "u", "x"}} {
		if err := s.DeleteKey(t.Context(), test.kuid, test.id, storage.RefreshLater); !errors.Is(err, kerror.ServicesStorageNotFound) {
			t.Errorf("delete %s: %v", test.name, err)
		}
	}
	for _, nobody := range []string{"x", "", "-1", "anonymous"} {
		if _, err := s.CreateKey(t.Context(), NewKey{KUID: nobody, TTL: Infinite}); !errors.Is(err, kerror.SecurityUserNotFound) {
			t.Errorf("for %q: %v", nobody, err)
		}
	}
	if _, err := s.CreateKey(t.Context(), NewKey{ID: k.ID, KUID: "v", TTL: Infinite}); !errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists) {
		t.Errorf("an id that is taken: %v", err)
	}
	if token, err := s.Verify(t.Context(), k.Source.Token, VerifyOptions{}); err != nil || token.KUID != "u" {
		t.Errorf("%+v %v", token, err)
	}
	for _, query := range []string{
		`{}`, `{"term":{"userId":"u"}}`, `{"bool":{"should":[{"match_all":{}}]}}`, `{"bool":{"must_not":[{"term":{"userId":"v"}}]}}`,
	} {
		if keys, err := s.SearchKeys(t.Context(), "v", jsontext.Value(query), 0, 10); err != nil || len(keys) != 0 {
			t.Errorf("%s found %+v %v", query, keys, err)
		}
	}
}

// A key of a deleted user must not come back with a new user of that name, whenever it was made.
func TestNoKeyOutlivesItsUser(t *testing.T) {
	s := open(t, newEngine(t), nil)
	for range 50 {
		kept := createKey(t, s, Infinite)
		if _, err := s.Verify(t.Context(), kept.Source.Token, VerifyOptions{}); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		var made Key
		all.Go(func() { made, _ = s.CreateKey(context.Background(), NewKey{KUID: "u", TTL: Infinite}) })
		if err := s.DeleteUser(t.Context(), nil, "u", NewUser{}.Write); err != nil {
			t.Fatal(err)
		}
		all.Wait()
		ends(t, s, "deleted", kept)
		if _, err := s.CreateUser(t.Context(), nil, newUser("u")); err != nil {
			t.Fatal(err)
		}
		ends(t, s, "made anew", kept)
		if made.Source.Token != "" {
			ends(t, s, "made meanwhile", made)
		}
	}
}

func TestKeyRevocationRacesWithVerify(t *testing.T) {
	s := open(t, newEngine(t), nil)
	for range 50 {
		k := createKey(t, s, Infinite)
		var deleted atomic.Bool
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 50 {
					before := deleted.Load()
					if _, err := s.Verify(context.Background(), k.Source.Token, VerifyOptions{}); before && err == nil {
						t.Error("a deleted key was accepted")
						return
					}
				}
			})
		}
		deleteKey(t, s, k)
		deleted.Store(true)
		all.Wait()
	}
}

func TestConnectionsEndWithTheirKey(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Service, told *sockets) {
		endless, short := createKey(t, s, Infinite), createKey(t, s, time.Minute)
		request(t, s, "a", endless.Source.Token)
		request(t, s, "b", short.Source.Token)
		if err := s.Revoke(t.Context(), endless.Source.Token); err != nil {
			t.Fatal(err)
		}
		told.expect(t, "after a logout")
		time.Sleep(2 * time.Minute)
		told.expect(t, "after the expiry", "b expired=true")
		deleteKey(t, s, endless)
		told.expect(t, "after the deletion", "a expired=false")
	})
}

// Sessions that end take nothing from programs that speak with a key of the same user.
func TestSessionsEndWithoutKeys(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Service, told *sockets) {
		if _, err := s.CreateUser(t.Context(), nil, newUser("v")); err != nil {
			t.Fatal(err)
		}
		theirs, err := s.CreateKey(t.Context(), NewKey{KUID: "v", TTL: Infinite})
		if err != nil {
			t.Fatal(err)
		}
		session, key := issue(t, s, time.Hour), createKey(t, s, Infinite)
		request(t, s, "key", key.Source.Token)
		request(t, s, "session", session.Text)
		request(t, s, "switched", key.Source.Token)
		request(t, s, "switched", session.Text)
		request(t, s, "another's", theirs.Source.Token)
		if err := s.RevokeAll(t.Context(), "u"); err != nil {
			t.Fatal(err)
		}
		told.expect(t, "all sessions revoked", "session expired=false", "switched expired=false", "user u but key")
		if err := s.DeleteUser(t.Context(), nil, "u", NewUser{}.Write); err != nil {
			t.Fatal(err)
		}
		told.expect(t, "user deleted", "key expired=false", "user u but key")
	})
}

// A key that was used before costs no read; one that was not costs one look-up.
func TestWarmKeysReadNothing(t *testing.T) {
	var reads atomic.Int64
	s := open(t, storagetest.Faulty{Engine: newEngine(t), Fail: func(string, storage.Collection, string) error {
		reads.Add(1)
		return nil
	}}, nil)
	k := createKey(t, s, Infinite)
	for _, want := range []int64{1, 0, 0} {
		before := reads.Load()
		if _, err := s.Verify(t.Context(), k.Source.Token, VerifyOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := reads.Load() - before; got != want {
			t.Errorf("%d reads, want %d", got, want)
		}
	}
}

func BenchmarkVerifyKeyCached(b *testing.B) {
	s := open(b, newEngine(b), nil)
	text := createKey(b, s, Infinite).Source.Token
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Verify(b.Context(), text, VerifyOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyKeyUncached(b *testing.B) {
	s := open(b, newEngine(b), nil)
	text := createKey(b, s, Infinite).Source.Token
	b.ReportAllocs()
	for b.Loop() {
		s.verified.Purge()
		if _, err := s.Verify(b.Context(), text, VerifyOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
