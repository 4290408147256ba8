package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// must ends the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pemFile writes a private or public key.
func pemFile(t testing.TB, k any) string {
	t.Helper()
	kind := "PRIVATE KEY"
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		kind = "PUBLIC KEY"
		der, err = x509.MarshalPKIXPublicKey(k)
	}
	must(t, err)
	file := filepath.Join(t.TempDir(), "key.pem")
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return file
}

func refused(t testing.TB, s *Service, what, text string) {
	t.Helper()
	if _, err := s.Verify(t.Context(), text, VerifyOptions{}); !errors.Is(err, kerror.SecurityTokenInvalid) {
		t.Errorf("%s: %v", what, err)
	}
}

func accepted(t testing.TB, s *Service, what, text string) {
	t.Helper()
	if _, err := s.Verify(t.Context(), text, VerifyOptions{}); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func TestAlgorithms(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	t.Setenv("GODEBUG", "rsa1024min=0")
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	e := newEngine(t)
	for _, test := range []struct {
		algorithm string
		key       any
		signs     string // "" when it is refused
	}{
		{"EdDSA", ed, "EdDSA"},
		{"ES256", p256, "ES256"},
		{"RS256", big, "RS256"},
		{"", ed, "EdDSA"},
		{"", big, "RS256"},
		{"EdDSA", p256, ""},
		{"HS256", big, ""},
		{"ES256", p384, ""},
		{"ES256", big, ""},
		{"RS256", small, ""},
		{"RS256", ed, ""},
		{"RS512", big, ""},
		{"none", big, ""},
		{"PS256", big, ""},
		{"EdDSA", ed.Public(), ""},
	} {
		o := Options{Algorithm: test.algorithm, PrivateKeyFile: pemFile(t, test.key)}
		k, err := configuredKey(o)
		if (err == nil) != (test.signs != "") || err == nil && k.algorithm() != test.signs {
			t.Errorf("%s with a %T: %+v, %v", test.algorithm, test.key, k.method, err)
		}
		if (CheckKey(o) == nil) != (err == nil) {
			t.Errorf("%s with a %T: CheckKey %v, but loading %v", test.algorithm, test.key, CheckKey(o), err)
		}
		if err != nil {
			continue
		}
		s := open(t, e, func(all *Options) {
			all.Algorithm, all.PrivateKeyFile, all.Secret = o.Algorithm, o.PrivateKeyFile, ""
		})
		accepted(t, s, test.signs, issue(t, s, time.Hour).Text)
	}
	for name, o := range map[string]Options{
		"a short secret":         {Secret: "short"},
		"nothing":                {},
		"an algorithm, no key":   {Algorithm: "EdDSA"},
		"a file that is not":     {PrivateKeyFile: "no such file"},
		"a short retired secret": {Secret: testSecret, RetiredSecrets: []string{"short"}},
		"a retired file not PEM": {Secret: testSecret, RetiredKeyFiles: []string{"key_test.go"}},
	} {
		if err := CheckKey(o); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// forge signs a token as an attacker would, with a header of his own.
func forge(t testing.TB, method jwt.SigningMethod, private any, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, newPayload("u", time.Now(), time.Time{}))
	for name, value := range header {
		token.Header[name] = value
	}
	text, err := token.SignedString(private)
	must(t, err)
	return prefix + text
}

// parses reports what the keys in force say of the signature alone: whether a forged token is stored must not matter.
func parses(s *Service, text string) bool {
	_, err := s.keys.Load().parse(text)
	return err == nil
}

// TestForgedHeaders: the key decides on the algorithm; a token only says which of the keys in force it is.
func TestForgedHeaders(t *testing.T) {
	_, own, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	_, his, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	s := open(t, newEngine(t), func(o *Options) {
		o.Secret, o.PrivateKeyFile = "", pemFile(t, own)
		o.RetiredSecrets = []string{testSecret}
		o.RetiredKeyFiles = []string{pemFile(t, &ecKey.PublicKey), pemFile(t, &rsaKey.PublicKey)}
	})
	ids := map[string]string{}
	for id, k := range s.keys.Load().byID {
		ids[k.algorithm()] = id
	}
	secret := []byte(testSecret)
	for name, text := range map[string]string{
		"EdDSA": forge(t, jwt.SigningMethodEdDSA, own, map[string]any{"kid": ids["EdDSA"]}),
		"ES256": forge(t, jwt.SigningMethodES256, ecKey, map[string]any{"kid": ids["ES256"]}),
		"RS256": forge(t, jwt.SigningMethodRS256, rsaKey, map[string]any{"kid": ids["RS256"]}),
		"HS256": forge(t, jwt.SigningMethodHS256, secret, map[string]any{"kid": ids["HS256"]}),
		"HS256 without kid, as it was before there was one": forge(t, jwt.SigningMethodHS256, secret, nil),
		"RS256 without kid": forge(t, jwt.SigningMethodRS256, rsaKey, nil),
	} {
		if !parses(s, text) {
			t.Errorf("%s, signed with a key in force, is refused", name)
		}
		refused(t, s, name+", which nobody issued", text)
	}
	hisJWK := jose.JSONWebKey{Key: his.Public(), KeyID: "mine", Algorithm: "EdDSA"}
	for name, text := range map[string]string{
		"none":                       forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"none with a kid":            forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, map[string]any{"kid": ids["EdDSA"]}),
		"HS512":                      forge(t, jwt.SigningMethodHS512, secret, map[string]any{"kid": ids["HS256"]}),
		"PS256":                      forge(t, jwt.SigningMethodPS256, rsaKey, map[string]any{"kid": ids["RS256"]}),
		"RS512":                      forge(t, jwt.SigningMethodRS512, rsaKey, map[string]any{"kid": ids["RS256"]}),
		"the kid of another key":     forge(t, jwt.SigningMethodHS256, secret, map[string]any{"kid": ids["EdDSA"]}),
		"another key":                forge(t, jwt.SigningMethodEdDSA, his, map[string]any{"kid": ids["EdDSA"]}),
		"another key without kid":    forge(t, jwt.SigningMethodEdDSA, his, nil),
		"an unknown kid":             forge(t, jwt.SigningMethodEdDSA, own, map[string]any{"kid": "mine"}),
		"an empty kid":               forge(t, jwt.SigningMethodHS256, secret, map[string]any{"kid": ""}),
		"a kid that is a path":       forge(t, jwt.SigningMethodHS256, []byte{}, map[string]any{"kid": "../../../../dev/null"}),
		"a kid that is SQL":          forge(t, jwt.SigningMethodHS256, []byte("x"), map[string]any{"kid": "x' UNION SELECT 'x'--"}),
		"a kid that is a command":    forge(t, jwt.SigningMethodHS256, secret, map[string]any{"kid": ids["HS256"] + "|id"}),
		"a kid with a zero":          forge(t, jwt.SigningMethodHS256, secret, map[string]any{"kid": ids["HS256"] + "\x00"}),
		"an overlong kid":            forge(t, jwt.SigningMethodHS256, secret, map[string]any{"kid": strings.Repeat("a", 4096)}),
		"a kid that is a number":     forge(t, jwt.SigningMethodHS256, secret, map[string]any{"kid": 1}),
		"a kid that is a list":       forge(t, jwt.SigningMethodHS256, secret, map[string]any{"kid": []string{ids["HS256"]}}),
		"a kid that is null":         forge(t, jwt.SigningMethodHS256, secret, map[string]any{"kid": nil}),
		"a key of his own":           forge(t, jwt.SigningMethodEdDSA, his, map[string]any{"jwk": hisJWK}),
		"a key of his own, our kid":  forge(t, jwt.SigningMethodEdDSA, his, map[string]any{"jwk": hisJWK, "kid": ids["EdDSA"]}),
		"a set of his own":           forge(t, jwt.SigningMethodEdDSA, his, map[string]any{"jku": "http://evil.example/jwks.json", "kid": "mine"}),
		"a certificate of his own":   forge(t, jwt.SigningMethodEdDSA, his, map[string]any{"x5u": "http://evil.example/cert.pem"}),
		"a chain of his own":         forge(t, jwt.SigningMethodEdDSA, his, map[string]any{"x5c": []string{"AAAA"}}),
		"our key and a jku all same": forge(t, jwt.SigningMethodEdDSA, own, map[string]any{"kid": ids["EdDSA"], "jku": "http://evil.example"}),
		"something critical":         forge(t, jwt.SigningMethodEdDSA, own, map[string]any{"kid": ids["EdDSA"], "crit": []string{"exp"}}),
	} {
		if parses(s, text) {
			t.Errorf("%s: the signature is accepted", name)
		}
		refused(t, s, name, text)
	}
}

// TestPublicKeyAsSecret: what everybody may read signs nothing, in whatever form it is taken for a secret.
func TestPublicKeyAsSecret(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	file := pemFile(t, rsaKey)
	s := open(t, newEngine(t), func(o *Options) { o.Secret, o.PrivateKeyFile = "", file })
	id := s.keys.Load().signing.id
	der, err := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	must(t, err)
	for name, secret := range map[string][]byte{
		"DER":   der,
		"PKCS1": x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey),
		"PEM":   pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"JWKS":  s.PublicKeys(),
		"N":     rsaKey.N.Bytes(),
	} {
		for _, header := range []map[string]any{nil, {"kid": id}} {
			if text := forge(t, jwt.SigningMethodHS256, secret, header); parses(s, text) {
				t.Errorf("%s as the secret, header %v: accepted", name, header)
			}
		}
	}
}

// TestPublicKeys: a third party verifies tokens with the published set and nothing else; what is secret is not in it.
func TestPublicKeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	o := Options{KeysFile: file, RetiredSecrets: []string{testSecret}}
	s := open(t, newEngine(t), func(all *Options) { all.Secret, all.KeysFile, all.RetiredSecrets = "", file, o.RetiredSecrets })
	if got := string(s.PublicKeys()); got != `{"keys":[]}` {
		t.Errorf("with HS256: %s", got)
	}
	texts := map[string]string{}
	w := &keysWatch{}
	for _, algorithm := range []string{"EdDSA", "ES256", "RS256"} {
		_, err := RotateKey(o, algorithm)
		must(t, err)
		must(t, s.takeKeys(t.Context(), w))
		texts[algorithm] = strings.TrimPrefix(issue(t, s, time.Hour).Text, prefix)
	}
	var set jose.JSONWebKeySet
	must(t, json.Unmarshal(s.PublicKeys(), &set))
	if len(set.Keys) != 3 {
		t.Fatalf("%d keys", len(set.Keys))
	}
	for _, k := range set.Keys {
		thumbprint, err := k.Thumbprint(crypto.SHA256)
		must(t, err)
		if !k.IsPublic() || !k.Valid() || k.Use != "sig" || base64.RawURLEncoding.EncodeToString(thumbprint) != k.KeyID {
			t.Errorf("%+v", k)
		}
	}
	for _, private := range []string{`"d":`, `"k":`, `"p":`, `"oct"`} {
		if strings.Contains(string(s.PublicKeys()), private) {
			t.Errorf("the set has %s", private)
		}
	}
	for algorithm, text := range texts {
		claims := jwt.MapClaims{}
		_, err := jwt.ParseWithClaims(text, claims, func(token *jwt.Token) (any, error) {
			id, _ := token.Header["kid"].(string)
			found := set.Key(id)
			if len(found) != 1 || found[0].Algorithm != token.Method.Alg() {
				return nil, errors.New("not in the set")
			}
			return found[0].Key, nil
		}, jwt.WithValidMethods([]string{algorithm}))
		if err != nil || claims["_id"] != "u" {
			t.Errorf("%s by golang-jwt: %v, %v", algorithm, claims, err)
		}
		signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(algorithm)})
		must(t, err)
		if payload, err := signed.Verify(set); err != nil || !strings.Contains(string(payload), `"_id":"u"`) {
			t.Errorf("%s by go-jose: %s, %v", algorithm, payload, err)
		}
	}
}
