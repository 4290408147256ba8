package auth

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/elastic/elastictest"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// kuzzleEngine has the API keys of the dump and the secret they are signed with; seed, when not empty, takes its place.
func kuzzleEngine(t testing.TB, seed string) storage.Engine {
	t.Helper()
	e := newEngine(t)
	for _, c := range []storage.Collection{configCollection, keysCollection} {
		dump := elastictest.Kuzzle(t)["%"+c.Index+"."+c.Name]
		if err := e.Ensure(t.Context(), c, storage.Spec{Mapping: jsontext.Value(dump.Mappings)}); err != nil {
			t.Fatal(err)
		}
		for id, doc := range dump.Documents {
			source := jsontext.Value(doc.Source)
			if id == kuzzleSecretID && seed != "" {
				source = jsontext.Value(seed)
			}
			if _, _, err := e.Put(t.Context(), c, id, source, storage.WriteOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return e
}

func TestKuzzleKey(t *testing.T) {
	s := open(t, kuzzleEngine(t, ""), nil)
	token, err := s.Verify(t.Context(), elastictest.KuzzleKey, VerifyOptions{})
	if err != nil || token.KUID != "root" || !token.APIKey || !token.ExpiresAt.IsZero() {
		t.Errorf("%+v, %v", token, err)
	}
	for name, text := range map[string]string{
		"another signature": elastictest.KuzzleKey[:len(elastictest.KuzzleKey)-2] + "aa",
		"as a session":      prefix + strings.TrimPrefix(elastictest.KuzzleKey, keyPrefix),
		"bare":              strings.TrimPrefix(elastictest.KuzzleKey, keyPrefix),
	} {
		if _, err := s.Verify(t.Context(), text, VerifyOptions{AcceptUnprefixed: true}); !errors.Is(err, kerror.SecurityTokenInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// It signs nothing here: whoever can read the documents has it.
	if k := s.keys.Load(); len(k.byID) != 2 || k.signing.id == k.unnamed[len(k.unnamed)-1].id {
		t.Errorf("%d keys, and %s signs", len(k.byID), k.signing.id)
	}
}

// With the secret of a Kuzzle a node makes API keys that Kuzzle verifies: HS256, and the fingerprint of the whole text.
func TestKeyForKuzzle(t *testing.T) {
	e := kuzzleEngine(t, "")
	doc, err := e.Get(t.Context(), configCollection, kuzzleSecretID)
	if err != nil {
		t.Fatal(err)
	}
	var config struct{ Seed string }
	if err := json.Unmarshal(doc.Source, &config, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	s := open(t, e, func(o *Options) { o.Secret = config.Seed })
	made := createKey(t, s, Infinite)
	text := strings.TrimPrefix(made.Source.Token, keyPrefix)
	signed := text[:strings.LastIndexByte(text, '.')]
	mac := hmac.New(sha256.New, []byte(config.Seed))
	mac.Write([]byte(signed))
	if got := signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)); got != text {
		t.Errorf("the key is %s, Kuzzle would sign %s", text, got)
	}
	if doc, err = e.Get(t.Context(), keysCollection, made.ID); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(made.Source.Token))
	if !strings.Contains(string(doc.Source), `"fingerprint":"`+hex.EncodeToString(sum[:])+`"`) {
		t.Errorf("it is stored as %s", doc.Source)
	}
	if verifies(t, s, elastictest.KuzzleKey) != "root" {
		t.Error("a key of Kuzzle's is refused")
	}
}

// A secret that cannot be used ends nothing but the keys that were made with it.
func TestKuzzleSecretDamaged(t *testing.T) {
	for _, seed := range []string{`{}`, `{"seed":""}`, `{"seed":"short"}`, `{"seed":5}`, `{"seed":["a"]}`} {
		var log bytes.Buffer
		s := open(t, kuzzleEngine(t, seed), func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		if _, err := s.Verify(t.Context(), elastictest.KuzzleKey, VerifyOptions{}); !errors.Is(err, kerror.SecurityTokenInvalid) {
			t.Errorf("%s: %v", seed, err)
		}
		if !strings.Contains(log.String(), "level=ERROR") || strings.Contains(log.String(), "short") {
			t.Errorf("%s: the log says %s", seed, log.String())
		}
		if k := createKey(t, s, Infinite); verifies(t, s, k.Source.Token) != "u" {
			t.Errorf("%s: a new key is refused", seed)
		}
	}
}

func verifies(t testing.TB, s *Service, text string) string {
	t.Helper()
	token, err := s.Verify(t.Context(), text, VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return token.KUID
}

// Keys that an earlier version made stay, with the mapping they were made with.
func TestKeysOfEarlierVersion(t *testing.T) {
	e := newEngine(t)
	earlier := storage.Spec{
		Keywords: []string{"userId", "fingerprint"},
		Mapping: jsontext.Value(`{"dynamic":"false","properties":{"userId":{"type":"keyword"},"fingerprint":{"type":"keyword"},` +
			`"description":{"type":"text"},"expiresAt":{"type":"long"},"ttl":{"type":"long"}}}`),
	}
	if err := e.Ensure(t.Context(), keysCollection, earlier); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s := open(t, e, nil)
		if k := createKey(t, s, Infinite); verifies(t, s, k.Source.Token) != "u" {
			t.Error("a key is refused")
		}
		found, err := s.SearchKeys(t.Context(), "u", jsontext.Value(`{"range":{"ttl":{"lt":0}}}`), 0, 10)
		if err != nil || len(found) == 0 {
			t.Errorf("a search for lifetimes finds %d, %v", len(found), err)
		}
	}
}
