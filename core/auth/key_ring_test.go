package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
)

// ringIn are the options of a data folder.
func ringIn(dir string) Options {
	return Options{KeysFile: filepath.Join(dir, "keys"), SecretFile: filepath.Join(dir, "secret")}
}

// openRing starts a service with the keys of o.
func openRing(t testing.TB, e storage.Engine, o Options) *Service {
	t.Helper()
	return open(t, e, func(all *Options) {
		all.Algorithm, all.Secret, all.PrivateKeyFile = o.Algorithm, o.Secret, o.PrivateKeyFile
		all.RetiredSecrets, all.RetiredKeyFiles = o.RetiredSecrets, o.RetiredKeyFiles
		all.KeysFile, all.SecretFile = o.KeysFile, o.SecretFile
		if o.Logger != nil {
			all.Logger = o.Logger
		}
	})
}

func rotate(t testing.TB, o Options, algorithm string) SigningKey {
	t.Helper()
	made, err := RotateKey(o, algorithm)
	must(t, err)
	return made
}

// keyOf reads the kid in the header of a token.
func keyOf(t testing.TB, text string) string {
	t.Helper()
	_, bare, _ := strings.Cut(text, "-")
	token, _, err := jwt.NewParser().ParseUnverified(bare, jwt.MapClaims{})
	must(t, err)
	id, _ := token.Header["kid"].(string)
	return id
}

// TestRotation: nobody is logged out and no API key ends until the key is removed; then both do, remembered or not.
func TestRotation(t *testing.T) {
	o := ringIn(t.TempDir())
	s := openRing(t, newEngine(t), o)
	w := &keysWatch{}
	token, apiKey := issue(t, s, time.Hour).Text, createKey(t, s, Infinite).Source.Token
	first := keyOf(t, token)
	for _, algorithm := range []string{"", "EdDSA", "", "ES256", "RS256", "HS256"} {
		made := rotate(t, o, algorithm)
		s.lookForKeys(t.Context(), w)
		next := issue(t, s, time.Hour).Text
		if keyOf(t, next) != made.ID || algorithm != "" && made.Algorithm != algorithm {
			t.Errorf("%+v made a token with %s", made, keyOf(t, next))
		}
		accepted(t, s, "the new token", next)
		accepted(t, s, "the first token", token)
		accepted(t, s, "the first API key", apiKey)
	}
	list, err := ListKeys(o)
	must(t, err)
	if len(list) != 7 || !list[0].Signs || list[6].ID != first || list[6].Retired.IsZero() || list[1].Signs {
		t.Errorf("%+v", list)
	}
	if list[3].Algorithm != "EdDSA" || list[4].Algorithm != "EdDSA" {
		// the third rotation keeps what the second chose
		t.Errorf("%+v", list)
	}
	current := issue(t, s, time.Hour).Text
	if err := RemoveKey(o, list[0].ID); err == nil || !strings.Contains(err.Error(), "sluice keys rotate") {
		t.Errorf("removing the key that signs: %v", err)
	}
	if err := RemoveKey(o, "../keys"); err == nil || !strings.Contains(err.Error(), "sluice keys list") {
		t.Errorf("removing an unknown key: %v", err)
	}
	must(t, RemoveKey(o, first))
	s.lookForKeys(t.Context(), w)
	refused(t, s, "the first token", token)
	refused(t, s, "the first API key", apiKey)
	accepted(t, s, "the current token", current)
}

// TestRetiredPrivateKeyIsGone: of a retired key only what verifies is kept.
func TestRetiredPrivateKeyIsGone(t *testing.T) {
	o := ringIn(t.TempDir())
	o.Algorithm = "EdDSA"
	openRing(t, newEngine(t), o)
	rotate(t, o, "")
	r, _, err := loadRing(o)
	must(t, err)
	if r[0].private == nil || r[1].private != nil {
		t.Errorf("%+v", r)
	}
	info, err := os.Stat(o.KeysFile)
	if must(t, err); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

// TestTokensFromBefore: what was signed when there was one secret without a name stays good, and the secret does not lie about.
func TestTokensFromBefore(t *testing.T) {
	o, e := ringIn(t.TempDir()), newEngine(t)
	must(t, os.WriteFile(o.SecretFile, []byte(testSecret+"\n"), 0o600))
	s := openRing(t, e, o)
	if _, err := os.Stat(o.SecretFile); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	old := forge(t, jwt.SigningMethodHS256, []byte(testSecret), nil)
	source, err := json.Marshal(record{KUID: "u", ExpiresAt: -1})
	must(t, err)
	_, err = e.Create(t.Context(), tokensCollection, idOf(old).String(), source, storage.WriteOptions{})
	must(t, err)
	accepted(t, s, "a token without kid", old)
	before := keyOf(t, issue(t, s, time.Hour).Text)
	rotate(t, o, "")
	s.Close()
	s = openRing(t, e, o)
	accepted(t, s, "a token without kid, after a rotation", old)
	must(t, RemoveKey(o, before))
	s.lookForKeys(t.Context(), &keysWatch{})
	refused(t, s, "a token without kid, whose key was removed", old)
}

// TestInterruptedTakeover: a crash between writing the keys and removing the secret is made good by the next start.
func TestInterruptedTakeover(t *testing.T) {
	o, e := ringIn(t.TempDir()), newEngine(t)
	must(t, os.WriteFile(o.SecretFile, []byte(testSecret), 0o600))
	r, err := importSecret(o.SecretFile)
	must(t, err)
	must(t, writeRing(o.KeysFile, r))
	s := openRing(t, e, o)
	if got := keyOf(t, issue(t, s, time.Hour).Text); got != r[0].id {
		t.Errorf("signed with %s", got)
	}
	if _, err := os.Stat(o.SecretFile); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
}

// TestChangedAlgorithm: another algorithm in the settings makes a key for it; tokens from before stay good.
func TestChangedAlgorithm(t *testing.T) {
	o, e := ringIn(t.TempDir()), newEngine(t)
	var texts []string
	for _, algorithm := range []string{"", "EdDSA", "ES256", "ES256", "HS256", ""} {
		o.Algorithm = algorithm
		s := openRing(t, e, o)
		texts = append(texts, issue(t, s, time.Hour).Text)
		for _, text := range texts {
			accepted(t, s, "with "+algorithm, text)
		}
		s.Close()
	}
	list, err := ListKeys(o)
	if must(t, err); len(list) != 4 {
		t.Errorf("%+v", list)
	}
	o.Algorithm = "HS256"
	if _, err := RotateKey(o, "EdDSA"); err == nil || !strings.Contains(err.Error(), "security.authToken.algorithm") {
		t.Errorf("against the settings: %v", err)
	}
	o.Algorithm = ""
	if _, err := RotateKey(o, "none"); err == nil {
		t.Error("a key for none was made")
	}
}

// TestConfiguredKeys: where the settings name the key, it changes there, and the data folder only verifies.
func TestConfiguredKeys(t *testing.T) {
	o, e := ringIn(t.TempDir()), newEngine(t)
	s := openRing(t, e, o)
	fromFolder := issue(t, s, time.Hour).Text
	s.Close()
	o.Secret = testSecret
	s = openRing(t, e, o)
	accepted(t, s, "one of the folder's", fromFolder)
	old := issue(t, s, time.Hour).Text
	for _, do := range []func() error{
		func() error { _, err := RotateKey(o, ""); return err },
		func() error { return RemoveKey(o, keyOf(t, old)) },
	} {
		if err := do(); err == nil || !strings.Contains(err.Error(), "retiredSecrets") || strings.Contains(err.Error(), testSecret) {
			t.Errorf("%v", err)
		}
	}
	s.Close()
	o.Secret, o.RetiredSecrets = strings.Repeat("n", 32), []string{testSecret}
	s = openRing(t, e, o)
	accepted(t, s, "one of the retired secret's", old)
	if err := RemoveKey(o, keyOf(t, old)); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("removing a retired one of the settings: %v", err)
	}
	must(t, RemoveKey(o, keyOf(t, fromFolder)))
	s.lookForKeys(t.Context(), &keysWatch{signing: s.keys.Load().signing})
	refused(t, s, "one of the folder's, whose key was removed", fromFolder)
	s.Close()
	o.RetiredSecrets = nil
	s = openRing(t, e, o)
	refused(t, s, "one of a secret that is gone", old)
}

// TestRotationWithoutKeys: nothing is made where no node was, and the error says what to do.
func TestRotationWithoutKeys(t *testing.T) {
	dir := t.TempDir()
	for _, o := range []Options{ringIn(dir), ringIn(filepath.Join(dir, "missing"))} {
		if _, err := RotateKey(o, ""); err == nil || !strings.Contains(err.Error(), "--data") {
			t.Errorf("%v", err)
		}
		if list, err := ListKeys(o); err != nil || len(list) != 0 {
			t.Errorf("%v, %v", list, err)
		}
		must(t, CheckKey(o))
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left %v, %v", entries, err)
	}
}

// TestCrashWhileWriting: a process that dies between writing and renaming leaves the keys from before, and in nobody's way.
func TestCrashWhileWriting(t *testing.T) {
	o := ringIn(t.TempDir())
	s := openRing(t, newEngine(t), o)
	token := issue(t, s, time.Hour).Text
	before, err := os.ReadFile(o.KeysFile)
	must(t, err)
	_, err = writeBeside(o.KeysFile, []byte(`{"format":1,"keys":[{`))
	must(t, err)
	s.lookForKeys(t.Context(), &keysWatch{})
	accepted(t, s, "the token", token)
	if after, err := os.ReadFile(o.KeysFile); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the keys changed: %v", err)
	}
	rotate(t, o, "")
	if _, err := os.Stat(o.KeysFile + ".new"); !os.IsNotExist(err) {
		t.Errorf("something is left: %v", err)
	}
}

// TestUnreadableKeys: a running node keeps what it has and says so once; one that starts does not.
func TestUnreadableKeys(t *testing.T) {
	o, e := ringIn(t.TempDir()), newEngine(t)
	var log bytes.Buffer
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s := openRing(t, e, o)
	s.Close() // so that the test alone looks
	token := issue(t, s, time.Hour).Text
	good, err := os.ReadFile(o.KeysFile)
	must(t, err)
	var file ringFile
	must(t, json.Unmarshal(good, &file))
	secret := file.Keys[0].Secret
	info, err := os.Stat(o.KeysFile)
	must(t, err)
	w := &keysWatch{seen: info}
	entry := func(change func(e *ringEntry)) string {
		var f ringFile
		must(t, json.Unmarshal(good, &f))
		change(&f.Keys[0])
		text, err := json.Marshal(f)
		must(t, err)
		return string(text)
	}
	for name, text := range map[string]string{
		"nothing":           "",
		"half of it":        string(good[:len(good)/2]),
		"another format":    `{"format":2,"keys":[]}`,
		"an unknown member": `{"format":1,"keys":[],"x":1}`,
		"no key":            `{"format":1,"keys":[]}`,
		"another kid":       entry(func(e *ringEntry) { e.ID = "mine" }),
		"another algorithm": entry(func(e *ringEntry) { e.Algorithm = "EdDSA" }),
		"a short secret":    entry(func(e *ringEntry) { e.Secret = []byte("short") }),
		"no secret":         entry(func(e *ringEntry) { e.Secret = nil }),
		"retired":           entry(func(e *ringEntry) { e.Retired = time.Now() }),
		"a public key":      entry(func(e *ringEntry) { e.Secret, e.Public = nil, []byte("x") }),
		"too long":          string(good) + strings.Repeat(" ", maxRingBytes),
		"the same twice":    fmt.Sprintf(`{"format":1,"keys":[%s,%s]}`, keyJSON(t, file.Keys[0]), keyJSON(t, file.Keys[0])),
	} {
		must(t, os.WriteFile(o.KeysFile, []byte(text), 0o600))
		w.failing = false
		log.Reset()
		s.lookForKeys(t.Context(), w)
		s.lookForKeys(t.Context(), w)
		if strings.Count(log.String(), "level=ERROR") != 1 || bytes.Contains(log.Bytes(), secret) {
			t.Errorf("%s: logged %s", name, log.String())
		}
		accepted(t, s, name, token)
		if err := CheckKey(o); err == nil && name != "no key" && name != "retired" { // of which a start makes a new one
			t.Errorf("%s: a start would not mind", name)
		}
	}
	must(t, os.Remove(o.KeysFile))
	s.lookForKeys(t.Context(), w)
	accepted(t, s, "without the file", token)
	must(t, os.WriteFile(o.KeysFile, good, 0o640))
	must(t, os.Chmod(o.KeysFile, 0o640))
	if err := CheckKey(o); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("open to others: %v", err)
	}
	must(t, os.Chmod(o.KeysFile, 0o600))
	log.Reset()
	s.lookForKeys(t.Context(), w)
	if !strings.Contains(log.String(), "can be read again") || w.failing {
		t.Errorf("after it was repaired: %s", log.String())
	}
}

func keyJSON(t *testing.T, e ringEntry) string {
	t.Helper()
	text, err := json.Marshal(e)
	must(t, err)
	return string(text)
}

// TestManyKeysAtOnce: processes that change the keys together do not lose one; there is an end to how many there are.
func TestManyKeysAtOnce(t *testing.T) {
	o := ringIn(t.TempDir())
	e := newEngine(t)
	var all sync.WaitGroup
	all.Go(func() { openRing(t, e, o) })
	all.Wait()
	for range 8 {
		all.Go(func() {
			for range 4 {
				if _, err := RotateKey(o, "HS256"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if list, err := ListKeys(o); err != nil || len(list) != 33 {
		t.Errorf("%d keys, %v", len(list), err)
	}
	for range maxRingKeys - 33 {
		rotate(t, o, "HS256")
	}
	if _, err := RotateKey(o, "HS256"); err == nil || !strings.Contains(err.Error(), "sluice keys remove") {
		t.Errorf("one too many: %v", err)
	}
}

// TestRotationDuringLogins: tokens that are issued and verified while keys change are all good.
func TestRotationDuringLogins(t *testing.T) {
	o := ringIn(t.TempDir())
	s := openRing(t, newEngine(t), o)
	ctx, stop := context.WithCancel(t.Context())
	var logins sync.WaitGroup
	for range 4 {
		logins.Go(func() {
			for ctx.Err() == nil {
				accepted(t, s, "a token", issue(t, s, time.Hour).Text)
			}
		})
	}
	w := &keysWatch{}
	for i := range 12 {
		rotate(t, o, []string{"HS256", "EdDSA", "ES256"}[i%3])
		must(t, s.takeKeys(t.Context(), w))
	}
	stop()
	logins.Wait()
}

// TestVerifyOvertakenByARemoval: a token that was being read when its key went is not remembered.
func TestVerifyOvertakenByARemoval(t *testing.T) {
	o := ringIn(t.TempDir())
	reached, release := make(chan struct{}), make(chan struct{})
	var hold atomic.Bool
	s := openRing(t, heldReads{Engine: newEngine(t), after: func(c storage.Collection) {
		if c == tokensCollection && hold.CompareAndSwap(true, false) {
			close(reached)
			<-release
		}
	}}, o)
	token := issue(t, s, time.Hour).Text
	rotate(t, o, "")
	must(t, s.takeKeys(t.Context(), &keysWatch{}))
	hold.Store(true)
	var verified sync.WaitGroup
	verified.Go(func() { accepted(t, s, "began before the removal", token) })
	<-reached
	must(t, RemoveKey(o, keyOf(t, token)))
	must(t, s.takeKeys(t.Context(), &keysWatch{}))
	close(release)
	verified.Wait()
	refused(t, s, "afterwards", token)
}

// TestRemovedKeyEndsSubscriptions: what was subscribed to with a token of the key ends with it, and nothing else does.
func TestRemovedKeyEndsSubscriptions(t *testing.T) {
	o := ringIn(t.TempDir())
	told := &sockets{}
	s := open(t, newEngine(t), func(all *Options) { all.Secret, all.KeysFile, all.Connections = "", o.KeysFile, told })
	link := func(connection, text string) {
		token, err := s.Verify(t.Context(), text, VerifyOptions{})
		must(t, err)
		must(t, s.Link(t.Context(), &protocol.Connection{ID: connection, Protocol: "websocket"}, token))
	}
	old := issue(t, s, time.Hour).Text
	link("old", old)
	rotate(t, o, "")
	must(t, s.takeKeys(t.Context(), &keysWatch{}))
	link("new", issue(t, s, time.Hour).Text)
	must(t, RemoveKey(o, keyOf(t, old)))
	must(t, s.takeKeys(t.Context(), &keysWatch{}))
	if s.Linked("old", "u") || !s.Linked("new", "u") {
		t.Error("the wrong connection has ended")
	}
	told.expect(t, "the key is gone", "old expired=false")
}

// FuzzParseRing: whatever a file holds, it is refused or read as keys that can be written again.
func FuzzParseRing(f *testing.F) {
	var r ring
	for _, algorithm := range []string{"HS256", "EdDSA", "ES256"} {
		var err error
		r, err = r.rotate(algorithm, time.Unix(1, 0).UTC())
		must(f, err)
		text, err := r.encode()
		must(f, err)
		f.Add(text)
		f.Add(bytes.Replace(text, []byte("retired"), []byte("created"), 1))
	}
	f.Add([]byte(`{"format":1,"keys":[{"kid":"x","algorithm":"none","secret":"","public":""}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := parseRing(text)
		if err != nil {
			return
		}
		again, err := r.encode()
		must(t, err)
		back, err := parseRing(again)
		if err != nil || len(back) != len(r) {
			t.Errorf("%d keys came back as %d: %v", len(r), len(back), err)
		}
		for i := range back {
			if back[i].id != r[i].id || back[i].retired.IsZero() != r[i].retired.IsZero() {
				t.Errorf("key %d: %+v came back as %+v", i, r[i], back[i])
			}
		}
	})
}
