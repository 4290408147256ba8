package auth

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/quick"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The payload is what decoders that know neither '-', '_' nor anything beyond Latin-1 can read.
func TestPayloadIsPlainBase64(t *testing.T) {
	k, err := secretKey([]byte(testSecret))
	if err != nil {
		t.Fatal(err)
	}
	set, err := newKeys(k, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	holds := func(kuid string, iat, exp int64) bool {
		kuid = strings.ToValidUTF8(kuid, "")
		p := payload{KUID: kuid, IssuedAt: iat, Expires: exp, Nonce: "00ff"}
		text, err := set.sign(p)
		if err != nil {
			t.Log(err)
			return false
		}
		middle := strings.Split(strings.TrimPrefix(text, prefix), ".")[1]
		raw, err := base64.RawStdEncoding.DecodeString(middle)
		var back payload
		return err == nil && !strings.ContainsAny(middle, "-_") && json.Unmarshal(raw, &back) == nil && back == p &&
			!strings.ContainsFunc(string(raw), func(r rune) bool { return r > 0x7e })
	}
	for _, kuid := range []string{"kuid-a-b-1", ">?~", "~~~", "???", ">>>", "é😀\u2028", "<&>", "\x00\x1f\x7f\"\\", "日本語"} {
		for pad := range 3 {
			if id := strings.Repeat("a", pad) + kuid; !holds(id, 1, 2) {
				t.Errorf("payload of %q", id)
			}
		}
	}
	if err := quick.Check(holds, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
}

func TestIssueAndVerify(t *testing.T) {
	c := newClock()
	s := open(t, newEngine(t), func(o *Options) { o.Now = c.Now })
	a, b := issue(t, s, time.Hour), issue(t, s, time.Hour)
	if a.Text == b.Text || !strings.HasPrefix(a.Text, "kauth-") {
		t.Errorf("two tokens of one moment: %s, %s", a.Text, b.Text)
	}
	if a.TTL != 3600_000 || a.ExpiresAt != c.Now().Add(time.Hour).UnixMilli() || a.KUID != "u" {
		t.Errorf("%+v", a)
	}
	for range 2 { // from storage, then from memory
		got, err := s.Verify(t.Context(), a.Text, VerifyOptions{})
		if err != nil || got.KUID != "u" || got.Text != a.Text || got.ExpiresAt.UnixMilli() != a.ExpiresAt {
			t.Errorf("%+v, %v", got, err)
		}
	}
	bare := strings.TrimPrefix(a.Text, "kauth-")
	if got, err := s.Verify(t.Context(), bare, VerifyOptions{AcceptUnprefixed: true}); err != nil || got.Text != a.Text {
		t.Errorf("bare: %+v, %v", got, err)
	}
	if _, err := s.Verify(t.Context(), bare, VerifyOptions{}); !errors.Is(err, kerror.SecurityTokenInvalid) {
		t.Errorf("bare where it is not accepted: %v", err)
	}
	endless := issue(t, s, Infinite)
	if endless.ExpiresAt != -1 || endless.TTL != -1 {
		t.Errorf("%+v", endless)
	}
	c.add(100 * 365 * 24 * time.Hour)
	if got, err := s.Verify(t.Context(), endless.Text, VerifyOptions{}); err != nil || !got.ExpiresAt.IsZero() {
		t.Errorf("endless: %+v, %v", got, err)
	}
	if _, err := s.Issue(t.Context(), "nobody", time.Hour); !errors.Is(err, kerror.SecurityUserNotFound) {
		t.Errorf("token of nobody: %v", err)
	}
	if _, err := s.Issue(t.Context(), "-1", time.Hour); !errors.Is(err, kerror.SecurityTokenUnknownUser) {
		t.Errorf("token of anonymous: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	c := newClock()
	e := newEngine(t)
	s := open(t, e, func(o *Options) { o.Now = c.Now })
	good := issue(t, s, time.Hour)
	revoked := issue(t, s, time.Hour)
	if err := s.Revoke(t.Context(), revoked.Text); err != nil {
		t.Fatal(err)
	}
	expired := issue(t, s, time.Minute)
	swept := issue(t, s, time.Minute)
	c.add(2 * time.Minute)
	if err := s.remove(t.Context(), idOf(swept.Text).String(), idOf(swept.Text)); err != nil {
		t.Fatal(err)
	}
	signed := func(m jwt.SigningMethod, k any, claims jwt.Claims) string {
		text, err := jwt.NewWithClaims(m, claims).SignedString(k)
		if err != nil {
			t.Fatal(err)
		}
		return prefix + text
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	claims := newPayload("u", c.Now(), c.Now().Add(time.Hour))
	parts := strings.Split(good.Text, ".")
	for _, test := range []struct{ name, text, v1 string }{
		{"no token at all", "mybearertoken", v1Malformed},
		{"only the prefix", "kauth-", v1Malformed},
		{"another prefix", "kother-" + strings.TrimPrefix(good.Text, prefix), v1Malformed},
		{"a session token that says it is an API key", keyPrefix + strings.TrimPrefix(good.Text, prefix), v1Unknown},
		{"other secret", signed(jwt.SigningMethodHS256, []byte("another secret of thirty-two bytes"), claims), v1Malformed},
		{"no algorithm", signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims), v1Malformed},
		{"HS512", signed(jwt.SigningMethodHS512, []byte(testSecret), claims), v1Malformed},
		{"RS256", signed(jwt.SigningMethodRS256, rsaKey, claims), v1Malformed},
		{"other payload", parts[0] + "." + parts[1] + "x." + parts[2], v1Malformed},
		{"no signature", parts[0] + "." + parts[1] + ".", v1Malformed},
		{"no user", signed(jwt.SigningMethodHS256, []byte(testSecret), jwt.MapClaims{"exp": 5_000_000_000}), v1Malformed},
		{"user is a number", signed(jwt.SigningMethodHS256, []byte(testSecret), jwt.MapClaims{"_id": 5}), v1Malformed},
		{"too long", prefix + strings.Repeat("a", maxTokenBytes), v1Malformed},
		{"never stored", signed(jwt.SigningMethodHS256, []byte(testSecret), claims), v1Unknown},
		{"revoked", revoked.Text, v1Unknown},
		{"expired", expired.Text, v1Expired},
		{"expired and removed", swept.Text, v1Expired},
	} {
		_, err := s.Verify(t.Context(), test.text, VerifyOptions{})
		var ke *kerror.Error
		if !errors.Is(err, kerror.SecurityTokenInvalid) || !errors.As(err, &ke) || ke.V1 != test.v1 {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if _, err := s.Verify(t.Context(), good.Text, VerifyOptions{}); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func TestSessionsOutliveARestart(t *testing.T) {
	e := newEngine(t)
	file := filepath.Join(t.TempDir(), "keys")
	withFile := func(o *Options) { o.Secret, o.KeysFile = "", file }
	first := open(t, e, withFile)
	kept, revoked := issue(t, first, time.Hour), issue(t, first, time.Hour)
	if err := first.Revoke(t.Context(), revoked.Text); err != nil {
		t.Fatal(err)
	}
	first.Close()
	second := open(t, e, withFile)
	if _, err := second.Verify(t.Context(), kept.Text, VerifyOptions{}); err != nil {
		t.Errorf("kept: %v", err)
	}
	if _, err := second.Verify(t.Context(), revoked.Text, VerifyOptions{}); !errors.Is(err, kerror.SecurityTokenInvalid) {
		t.Errorf("revoked: %v", err)
	}
}

func TestStorageFailureIsNoRefusal(t *testing.T) {
	var broken atomic.Bool
	s := open(t, storagetest.Faulty{Engine: newEngine(t), Fail: func(string, storage.Collection, string) error {
		if broken.Load() {
			return kerror.ServicesStorageUnknownIndex.New("kuzzle")
		}
		return nil
	}}, nil)
	token, once, key := issue(t, s, time.Hour), issueOnce(t, s), createKey(t, s, Infinite)
	broken.Store(true)
	for name, err := range map[string]error{
		"verify":     second(s.Verify(t.Context(), token.Text, VerifyOptions{})),
		"issue":      second(s.Issue(t.Context(), "u", time.Hour)),
		"refresh":    second(s.Refresh(t.Context(), token.Text, time.Hour)),
		"revoke":     s.Revoke(t.Context(), token.Text),
		"revoke all": s.RevokeAll(t.Context(), "u"),
		"make a key": second(s.CreateKey(t.Context(), NewKey{KUID: "u", TTL: Infinite})),
		"use a key":  second(s.Verify(t.Context(), key.Source.Token, VerifyOptions{})),
		"end a key":  s.DeleteKey(t.Context(), "u", key.ID, storage.RefreshLater),
		"use once":   second(s.Verify(t.Context(), once.Text, VerifyOptions{})),
	} {
		var ke *kerror.Error
		if !errors.As(err, &ke) || ke.Status < 500 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestRefresh(t *testing.T) {
	c := newClock()
	s := open(t, newEngine(t), func(o *Options) { o.Now = c.Now })
	old := issue(t, s, time.Hour)
	fresh, err := s.Refresh(t.Context(), old.Text, time.Hour)
	if err != nil || fresh.Text == old.Text {
		t.Fatalf("%+v, %v", fresh, err)
	}
	if _, err := s.Verify(t.Context(), old.Text, VerifyOptions{}); err != nil {
		t.Errorf("within the grace period: %v", err)
	}
	if _, err := s.Refresh(t.Context(), old.Text, time.Hour); !errors.Is(err, kerror.SecurityTokenInvalid) {
		t.Errorf("second refresh: %v", err)
	}
	c.add(time.Second)
	if _, err := s.Verify(t.Context(), old.Text, VerifyOptions{}); !errors.Is(err, kerror.SecurityTokenInvalid) {
		t.Errorf("after the grace period: %v", err)
	}
	if _, err := s.Verify(t.Context(), fresh.Text, VerifyOptions{}); err != nil {
		t.Errorf("the new one: %v", err)
	}
	if _, err := s.Refresh(t.Context(), issue(t, s, Infinite).Text, time.Hour); !errors.Is(err, kerror.SecurityTokenRefreshForbidden) {
		t.Errorf("endless: %v", err)
	}
	if _, err := s.Refresh(t.Context(), "kauth-x", time.Hour); !errors.Is(err, kerror.SecurityTokenInvalid) {
		t.Errorf("malformed: %v", err)
	}
}

func TestOneRefreshWins(t *testing.T) {
	s := open(t, newEngine(t), nil)
	old := issue(t, s, time.Hour)
	var won atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			switch _, err := s.Refresh(context.Background(), old.Text, time.Hour); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, kerror.SecurityTokenInvalid):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d refreshes of one token", won.Load())
	}
}

// Once Revoke has returned, nobody who begins to verify gets in, however many verify meanwhile.
func TestRevokeRacesWithVerify(t *testing.T) {
	s := open(t, newEngine(t), nil)
	for range 100 {
		token := issue(t, s, time.Hour)
		var revoked atomic.Bool
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 50 {
					before := revoked.Load()
					_, err := s.Verify(context.Background(), token.Text, VerifyOptions{})
					if before && err == nil {
						t.Error("a revoked token was accepted")
						return
					}
				}
			})
		}
		if err := s.Revoke(t.Context(), token.Text); err != nil {
			t.Fatal(err)
		}
		revoked.Store(true)
		all.Wait()
	}
}

// The same, with the reader held between its read and the cache: the interleaving that would keep the token.
func TestVerifyThatWasOvertakenKeepsNothing(t *testing.T) {
	reached, release := make(chan struct{}), make(chan struct{})
	var hold atomic.Bool
	e := newEngine(t)
	held := heldReads{Engine: e, after: func(c storage.Collection) {
		if c == tokensCollection && hold.CompareAndSwap(true, false) {
			close(reached)
			<-release
		}
	}}
	s := open(t, held, nil)
	token := issue(t, s, time.Hour)
	hold.Store(true)
	var verified sync.WaitGroup
	verified.Go(func() {
		if _, err := s.Verify(context.Background(), token.Text, VerifyOptions{}); err != nil {
			t.Errorf("began before the revocation: %v", err)
		}
	})
	<-reached
	if err := s.Revoke(t.Context(), token.Text); err != nil {
		t.Fatal(err)
	}
	close(release)
	verified.Wait()
	if _, err := s.Verify(t.Context(), token.Text, VerifyOptions{}); !errors.Is(err, kerror.SecurityTokenInvalid) {
		t.Errorf("the revoked token was kept: %v", err)
	}
}

type heldReads struct {
	storage.Engine
	after func(storage.Collection)
}

func (h heldReads) Get(ctx context.Context, c storage.Collection, id string) (storage.Document, error) {
	doc, err := h.Engine.Get(ctx, c, id)
	h.after(c)
	return doc, err
}

func TestRevokeAll(t *testing.T) {
	s := open(t, newEngine(t), nil)
	var all []Issued
	for range 20 {
		all = append(all, issue(t, s, time.Hour))
		if _, err := s.Verify(t.Context(), all[len(all)-1].Text, VerifyOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.RevokeAll(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	for _, token := range all {
		if _, err := s.Verify(t.Context(), token.Text, VerifyOptions{}); !errors.Is(err, kerror.SecurityTokenInvalid) {
			t.Fatal(err)
		}
	}
}

// A thief who keeps refreshing is out when everything is revoked: the look that found his tokens is not the last one, and
// a refresh that was under way takes back what it made.
func TestRevokeAllStopsWhoKeepsRefreshing(t *testing.T) {
	for name, hold := range map[string]func(op string) bool{
		"revoked before the new token is stored": func(op string) bool { return op == "Create" },
		"stored after the look":                  func(op string) bool { return op == "Find" },
	} {
		t.Run(name, func(t *testing.T) {
			reached, release := make(chan struct{}), make(chan struct{})
			var armed atomic.Bool
			e := newEngine(t)
			s := open(t, storagetest.Faulty{Engine: foundThenHeld{e, func() {
				if hold("Find") && armed.CompareAndSwap(true, false) {
					close(reached)
					<-release
				}
			}}, Fail: func(op string, c storage.Collection, _ string) error {
				if c == tokensCollection && op == "Create" && hold(op) && armed.CompareAndSwap(true, false) {
					close(reached)
					<-release
				}
				return nil
			}}, nil)
			stolen := issue(t, s, time.Hour)
			armed.Store(true)
			var fresh Issued
			var all sync.WaitGroup
			refresh := func() { fresh, _ = s.Refresh(context.Background(), stolen.Text, time.Hour) }
			revoke := func() {
				if err := s.RevokeAll(context.Background(), "u"); err != nil {
					t.Error(err)
				}
			}
			first, then := refresh, revoke
			if hold("Find") {
				first, then = revoke, refresh
			}
			all.Go(first)
			<-reached
			then()
			close(release)
			all.Wait()
			if docs, err := e.Find(t.Context(), tokensCollection, "kuid", "u", 10); err != nil || len(docs) != 0 {
				t.Errorf("%d tokens are left, %v", len(docs), err)
			}
			if fresh.Text == "" {
				return
			}
			if _, err := s.Verify(t.Context(), fresh.Text, VerifyOptions{}); !errors.Is(err, kerror.SecurityTokenInvalid) {
				t.Errorf("the refreshed token is good: %v", err)
			}
		})
	}
}

// foundThenHeld calls after once tokens were looked for.
type foundThenHeld struct {
	storage.Engine
	after func()
}

func (f foundThenHeld) Find(ctx context.Context, c storage.Collection, field, value string, limit int) ([]storage.Document, error) {
	docs, err := f.Engine.Find(ctx, c, field, value, limit)
	if c == tokensCollection {
		f.after()
	}
	return docs, err
}

func TestRevokeAllRacesWithRefreshes(t *testing.T) {
	s := open(t, newEngine(t), nil)
	for range 20 {
		var all sync.WaitGroup
		for range 4 {
			token := issue(t, s, time.Hour)
			all.Go(func() {
				for {
					fresh, err := s.Refresh(context.Background(), token.Text, time.Hour)
					if err != nil {
						if !errors.Is(err, kerror.SecurityTokenInvalid) {
							t.Error(err)
						}
						return // not in force any more
					}
					token = fresh
				}
			})
		}
		if err := s.RevokeAll(t.Context(), "u"); err != nil {
			t.Fatal(err)
		}
		all.Wait() // or it would refresh for ever
	}
}

func TestRefreshedTokensDoNotPileUp(t *testing.T) {
	c := newClock()
	e := newEngine(t)
	s := open(t, e, func(o *Options) { o.Now = c.Now })
	stored := func() int {
		docs, err := e.Find(t.Context(), tokensCollection, "kuid", "u", 1000)
		if err != nil {
			t.Fatal(err)
		}
		return len(docs)
	}
	refresh := func(token Issued) Issued {
		fresh, err := s.Refresh(t.Context(), token.Text, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return fresh
	}
	token := issue(t, s, time.Hour)
	for range 100 {
		token = refresh(token)
		c.add(time.Second)
	}
	if n := stored(); n > 65 {
		t.Errorf("%d records after 100 refreshes in 100 s", n)
	}
	c.add(s.options.GracePeriod)
	if _, err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	refresh(token) // whose old record nobody may sweep yet
	if _, err := s.Sweep(t.Context()); err != nil || stored() < 2 {
		t.Errorf("%d records, %v", stored(), err)
	}
	c.add(s.options.GracePeriod + retiredKept)
	if err := s.removeRetired(t.Context(), maxRetired); err != nil || stored() != 1 {
		t.Errorf("%d records, %v", stored(), err)
	}
}

func TestRetiredTokensAreBounded(t *testing.T) {
	var r retiredTokens
	for i := range int64(maxRetired + 10) {
		r.push(retiredToken{removable: i})
	}
	if len(r.tokens) != maxRetired || r.tokens[0].removable != 10 {
		t.Error(len(r.tokens), r.tokens[0])
	}
}

func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		users, err := security.Open(t.Context(), security.Options{Engine: e, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := users.CreateUser(t.Context(), "u", nil, []byte(`{"profileIds":["default"]}`), security.Write{}); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), Options{Engine: e, Users: users, Secret: testSecret, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		gone, kept := issue(t, s, time.Minute), issue(t, s, Infinite)
		time.Sleep(sweepEvery + time.Second) // of the bubble
		synctest.Wait()
		if _, _, err := s.read(t.Context(), idOf(gone.Text)); !errors.Is(err, errNotStored) {
			t.Errorf("expired: %v", err)
		}
		if _, _, err := s.read(t.Context(), idOf(kept.Text)); err != nil {
			t.Errorf("endless: %v", err)
		}
	})
}

func TestLifetime(t *testing.T) {
	limited := open(t, newEngine(t), func(o *Options) { o.MaxTTL = 24 * time.Hour })
	free := open(t, newEngine(t), nil)
	for _, test := range []struct {
		s    *Service
		json string
		want time.Duration
		err  error
	}{
		{free, ``, time.Hour, nil},
		{free, `null`, time.Hour, nil},
		{free, `60000`, time.Minute, nil},
		{free, `"60000"`, time.Minute, nil},
		{free, `"1h"`, time.Hour, nil},
		{free, `"7 days"`, 7 * 24 * time.Hour, nil},
		{free, `-1`, Infinite, nil},
		{free, `"-1"`, Infinite, nil},
		{free, `0`, 0, kerror.APIAssertInvalidArgument},
		{free, `"soon"`, 0, kerror.APIAssertInvalidArgument},
		{free, `-5`, 0, kerror.APIAssertInvalidArgument},
		{free, `{}`, 0, kerror.APIAssertInvalidArgument},
		{free, `true`, 0, kerror.APIAssertInvalidArgument},
		{limited, `"24h"`, 24 * time.Hour, nil},
		{limited, `"25h"`, 0, kerror.SecurityTokenTTLExceeded},
		{limited, `-1`, 0, kerror.SecurityTokenTTLExceeded},
	} {
		var args protocol.Args
		if test.json != "" {
			args.Set("expiresIn", []byte(test.json))
		}
		if got, err := test.s.Lifetime(args); got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: %v, %v", test.json, got, err)
		}
	}
	if _, err := Open(t.Context(), Options{Secret: testSecret, MaxTTL: time.Minute}); err == nil {
		t.Error("a default above the limit was accepted")
	}
}

func BenchmarkVerifyCached(b *testing.B) {
	s := open(b, newEngine(b), nil)
	token := issue(b, s, time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Verify(b.Context(), token.Text, VerifyOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyOfMany verifies the tokens of 10,000 users one after the other.
func BenchmarkVerifyOfMany(b *testing.B) {
	s := open(b, newEngine(b), nil)
	tokens := make([]string, 10_000)
	for i := range tokens {
		tokens[i] = issueTo(b, s, fmt.Sprint("user-", i), time.Hour)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := s.Verify(b.Context(), tokens[i%len(tokens)], VerifyOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyUncached(b *testing.B) {
	s := open(b, newEngine(b), nil)
	token := issue(b, s, time.Hour)
	id := idOf(token.Text)
	b.ReportAllocs()
	for b.Loop() {
		s.forget(id)
		if _, err := s.Verify(b.Context(), token.Text, VerifyOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
