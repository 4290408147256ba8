package local

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	stdhash "hash"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/elastic/elastictest"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// kuzzleEngine has the credentials of the dump.
func kuzzleEngine(t testing.TB) storage.Engine {
	t.Helper()
	e := newEngine(t)
	dump := elastictest.Kuzzle(t)["%plugin-kuzzle-plugin-auth-passport-local.users"]
	if err := e.Ensure(t.Context(), usersCollection, storage.Spec{Mapping: jsontext.Value(dump.Mappings)}); err != nil {
		t.Fatal(err)
	}
	for id, doc := range dump.Documents {
		put(t, e, id, string(doc.Source))
	}
	return e
}

func put(t testing.TB, e storage.Engine, username, source string) {
	t.Helper()
	o := storage.WriteOptions{Refresh: storage.RefreshWaitFor}
	if _, _, err := e.Put(t.Context(), usersCollection, username, jsontext.Value(source), o); err != nil {
		t.Fatal(err)
	}
}

func source(t testing.TB, e storage.Engine, username string) string {
	t.Helper()
	doc, err := e.Get(t.Context(), usersCollection, username)
	if err != nil {
		t.Fatal(err)
	}
	return string(doc.Source)
}

func login(username, password string) string {
	text, _ := json.Marshal(map[string]string{"username": username, "password": password}) // texts always can be written
	return string(text)
}

// The accounts of a genuine Kuzzle log in with their old passwords, which are hashed anew by that and by nothing else.
func TestKuzzleAccounts(t *testing.T) {
	e := kuzzleEngine(t)
	s := open(t, e, cheap)
	if s.hasher.kuzzle == nil {
		t.Error("nobody's hash takes as long as Kuzzle's")
	}
	for name, password := range elastictest.KuzzleAccounts {
		before := source(t, e, name)
		for _, wrong := range []string{password + "x", strings.ToUpper(password), before, "0" + password} {
			if got := verify(t, s, login(name, wrong)); got.KUID != "" {
				t.Errorf("%s is let in with %.40q", name, wrong)
			}
		}
		if source(t, e, name) != before {
			t.Errorf("%s was changed by a wrong password", name)
		}
		for range 2 {
			if got := verify(t, s, login(name, password)); got.KUID != strings.TrimSuffix(name, "@example.org") {
				t.Errorf("%s is refused: %+v", name, got)
			}
			after := source(t, e, name)
			if !strings.Contains(after, `"hash":"$argon2id$`) || strings.Contains(after, "userPassword") {
				t.Errorf("%s is stored as %s", name, after)
			}
		}
		if got := verify(t, s, login(name, password+"x")); got.KUID != "" {
			t.Errorf("%s is let in with a wrong password afterwards", name)
		}
	}
	if again := open(t, e, cheap); again.hasher.kuzzle != nil {
		t.Error("hashes take as long as Kuzzle's although all of these are gone")
	}
}

// What can be done without the password leaves the hash good: another name, or a look at the credentials.
func TestKuzzleRename(t *testing.T) {
	s := open(t, kuzzleEngine(t), cheap)
	for name, password := range elastictest.KuzzleAccounts {
		kuid := strings.TrimSuffix(name, "@example.org")
		if _, err := s.Update(t.Context(), nil, kuid, jsontext.Value(`{"username":"new-`+kuid+`"}`)); err != nil {
			t.Fatal(err)
		}
		if got := verify(t, s, login("new-"+kuid, password+"x")); got.KUID != "" {
			t.Errorf("%s is let in with a wrong password", kuid)
		}
		if got := verify(t, s, login("new-"+kuid, password)); got.KUID != kuid {
			t.Errorf("%s is refused", kuid)
		}
	}
}

// kuzzleStored is a document as Kuzzle stores it, whose password is right.
func kuzzleStored(change map[string]any) string {
	members := map[string]any{
		"kuid": "u", "userSalt": "abcdef", "algorithm": "sha256", "stretching": false, "pepper": false, "encryption": "hmac",
		"updater": "-1", "userPassword": hex.EncodeToString(keyedSum(sha256.New, "abcdef", "right")),
	}
	maps.Copy(members, change)
	text, err := json.Marshal(members)
	if err != nil {
		panic(err) // a mistake in this file
	}
	return string(text)
}

func keyedSum(h func() stdhash.Hash, salt, password string) []byte {
	mac := hmac.New(h, []byte(salt))
	mac.Write([]byte(password))
	return mac.Sum(nil)
}

func stretchedSum(t testing.TB, h func() stdhash.Hash, size int) []byte {
	t.Helper()
	sum, err := pbkdf2.Key(h, "right", []byte("abcdef"), 10_000, size)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestKuzzleSettings(t *testing.T) {
	plainSum := sha512.Sum384([]byte("abcdef:right"))
	keyed256 := keyedSum(sha256.New, "abcdef", "right")
	latin1 := make([]rune, len(keyed256))
	for i, b := range keyed256 {
		latin1[i] = rune(b)
	}
	e := newEngine(t)
	s := open(t, e, cheap)
	for name, change := range map[string]map[string]any{
		"as it is":       {},
		"sha1, HMAC":     {"algorithm": "sha1", "userPassword": hex.EncodeToString(keyedSum(sha1.New, "abcdef", "right"))},
		"sha224, HMAC":   {"algorithm": "SHA224", "userPassword": hex.EncodeToString(keyedSum(sha256.New224, "abcdef", "right"))},
		"a synonym":      {"algorithm": "RSA-SHA256"},
		"another":        {"algorithm": "sha256WithRSAEncryption"},
		"base64":         {"userPassword": base64.StdEncoding.EncodeToString(keyed256)},
		"base64url":      {"userPassword": base64.RawURLEncoding.EncodeToString(keyed256)},
		"latin1":         {"userPassword": string(latin1)},
		"sha384, hash":   {"algorithm": "sha384", "encryption": "hash", "userPassword": hex.EncodeToString(plainSum[:])},
		"sha1, PBKDF2":   {"algorithm": "sha1", "stretching": true, "userPassword": hex.EncodeToString(stretchedSum(t, sha1.New, 40))},
		"sha224, PBKDF2": {"algorithm": "sha224", "stretching": true, "userPassword": hex.EncodeToString(stretchedSum(t, sha256.New224, 224))},
		"sha384, PBKDF2": {"algorithm": "sha384", "stretching": true, "userPassword": base64.StdEncoding.EncodeToString(stretchedSum(t, sha512.New384, 384))},
		"no pepper":      {"pepper": nil},
	} {
		put(t, e, "joe", kuzzleStored(change))
		if got := verify(t, s, login("joe", "wrong")); got.KUID != "" {
			t.Errorf("%s: a wrong password lets in", name)
		}
		if got := verify(t, s, login("joe", "right")); got.KUID != "u" {
			t.Errorf("%s: the password is refused", name)
		}
	}
}

// What is damaged or not known lets nobody in, says so to the operator and to nobody else, and costs no more than anything else.
func TestKuzzleDamaged(t *testing.T) {
	e := newEngine(t)
	var log bytes.Buffer
	s, err := Open(t.Context(), Options{Engine: e, Cost: cheap, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]map[string]any{
		"pepper":             {"pepper": true},
		"pepper itself":      {"pepper": "right"},
		"no algorithm":       {"algorithm": ""},
		"unknown algorithm":  {"algorithm": "md5"},
		"another":            {"algorithm": "__proto__"},
		"unknown way":        {"encryption": "rot13"},
		"a way that is none": {"encryption": "pbkdf2"},
		"no salt":            {"userSalt": "", "userPassword": hex.EncodeToString(keyedSum(sha256.New, "", "right"))},
		"too much salt":      {"userSalt": strings.Repeat("a", maxKuzzleSaltBytes+1)},
		"no password":        {"userPassword": ""},
		"cut off":            {"userPassword": hex.EncodeToString(keyedSum(sha256.New, "abcdef", "right"))[:62]},
		"not stretched":      {"stretching": true},
		"not a text":         {"userPassword": 5},
		"not a flag":         {"stretching": "false"},
		"another's history":  {"passwordHistory": "none"},
		"nobody's":           {"kuid": ""},
		"a number's":         {"kuid": 5},
	} {
		log.Reset()
		put(t, e, "joe", kuzzleStored(change))
		runs := s.hasher.runs.Load()
		got, err := s.Verify(t.Context(), loginOf(t, login("joe", "right"), `{}`))
		if err != nil || got != (auth.Outcome{Message: refused}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if n := s.hasher.runs.Load() - runs; n != 1 {
			t.Errorf("%s: %d hashes", name, n)
		}
		if !strings.Contains(log.String(), "level=ERROR") || strings.Contains(log.String(), "abcdef") {
			t.Errorf("%s: the log says %s", name, log.String())
		}
	}
	// A new password makes it good again.
	put(t, e, "joe", kuzzleStored(map[string]any{"pepper": true}))
	if _, err := s.Update(t.Context(), nil, "u", jsontext.Value(`{"password":"new"}`)); err != nil {
		t.Error(err)
	}
	if got := verify(t, s, login("joe", "new")); got.KUID != "u" {
		t.Error("the new password is refused")
	}
}

func noProfiles(context.Context, string) (Member, error) { return Member{}, nil }

// Who set a password, when, and what it was before counts for policies as it did in Kuzzle.
func TestKuzzlePolicies(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000)
	earlier := func(password string, archived int64) map[string]any {
		return map[string]any{
			"userPassword": hex.EncodeToString(keyedSum(sha256.New, "s", password)), "userSalt": "s", "algorithm": "sha256",
			"stretching": false, "pepper": false, "encryption": "hmac", "archivedAt": archived,
		}
	}
	history := []any{earlier("oldest", 1), earlier("last", 3), earlier("middle", 2), map[string]any{"algorithm": "md5"}}
	for name, test := range map[string]struct {
		change map[string]any
		now    time.Duration
		policy Policy
		want   *kerror.Def
	}{
		"set by himself":     {map[string]any{"updater": "u"}, 0, Policy{MustChange: true}, nil},
		"signed up":          {nil, 0, Policy{MustChange: true}, nil},
		"set by another":     {map[string]any{"updater": "root"}, 0, Policy{MustChange: true}, kerror.PluginLocalMustChangePassword},
		"young":              {nil, time.Hour, Policy{ExpiresAfter: 2 * time.Hour}, nil},
		"old":                {nil, 3 * time.Hour, Policy{ExpiresAfter: 2 * time.Hour}, kerror.PluginLocalExpiredPassword},
		"renewed since":      {map[string]any{"_kuzzle_info": map[string]any{"createdAt": 1, "updatedAt": at.UnixMilli()}}, time.Hour, Policy{ExpiresAfter: 2 * time.Hour}, nil},
		"older than is kept": {map[string]any{"_kuzzle_info": nil}, 0, Policy{ExpiresAfter: 2 * time.Hour}, kerror.PluginLocalExpiredPassword},
	} {
		stored := map[string]any{"_kuzzle_info": map[string]any{"createdAt": at.UnixMilli(), "updatedAt": nil}}
		maps.Copy(stored, test.change)
		e := kuzzleEngine(t)
		put(t, e, "joe", kuzzleStored(stored))
		s, err := Open(t.Context(), Options{
			Engine: e, Cost: cheap, Logger: quiet, Policies: []Policy{test.policy}, Member: noProfiles,
			Now: func() time.Time { return at.Add(test.now) },
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Verify(t.Context(), loginOf(t, login("joe", "right"), `{}`))
		if (test.want == nil) != (err == nil) || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	e := kuzzleEngine(t)
	put(t, e, "joe", kuzzleStored(map[string]any{"passwordHistory": history}))
	s, err := Open(t.Context(), Options{Engine: e, Cost: cheap, Logger: quiet, Policies: []Policy{{Unlike: 3}}, Member: noProfiles})
	if err != nil {
		t.Fatal(err)
	}
	verify(t, s, login("joe", "right"))
	for _, password := range []string{"right", "last", "middle"} {
		_, err := s.Update(t.Context(), nil, "u", jsontext.Value(`{"password":"`+password+`"}`))
		if !errors.Is(err, kerror.PluginLocalReusedPassword) {
			t.Errorf("%s: %v", password, err)
		}
	}
	if _, err := s.Update(t.Context(), nil, "u", jsontext.Value(`{"password":"oldest"}`)); err != nil {
		t.Error(err)
	}
}

// FuzzKuzzleCredentials: whatever is stored, reading it ends, and what was understood is written and read again as the same.
func FuzzKuzzleCredentials(f *testing.F) {
	for _, doc := range elastictest.Kuzzle(f)["%plugin-kuzzle-plugin-auth-passport-local.users"].Documents {
		f.Add([]byte(doc.Source))
	}
	f.Add([]byte(kuzzleStored(map[string]any{"pepper": true, "passwordHistory": []any{1}})))
	f.Add([]byte(`{"kuid":"u","hash":"$kuzzle-hmac$sha1$$"}`))
	f.Fuzz(func(t *testing.T, source []byte) {
		r, err := parse(storage.Document{ID: "joe", Source: source})
		if err != nil {
			return
		}
		stored, err := r.password()
		if err != nil {
			return
		}
		h, theirs := stored.(kuzzleHash)
		if !theirs {
			return
		}
		if len(h.sum) != h.digest.size || h.salt == "" || len(h.salt) > maxKuzzleSaltBytes {
			t.Errorf("read as %+v", h)
		}
		if again, err := parseKuzzleHash(h.String()); err != nil || again.String() != h.String() || again.salt != h.salt || !slices.Equal(again.sum, h.sum) {
			t.Errorf("%s is read as %+v, %v", h, again, err)
		}
		if h.way != stretched { // which takes its time
			h.matches("x")
		}
	})
}
