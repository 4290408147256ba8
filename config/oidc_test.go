package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
)

func loadText(t *testing.T, text string) (*config.Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sluice.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(config.Sources{File: file})
}

func TestOIDCProviders(t *testing.T) {
	c, err := loadText(t, `
security:
  oidc:
    google:
      issuer: https://accounts.google.com
      clientId: me
      clientSecret: "hunter2"
      redirectUrl: https://api.example.com/_login/google
      createUser: true
      userFields: {name: given_name}
      timeout: 3s
    local-test: {issuer: "http://127.0.0.1:9000", clientId: me, redirectUrl: "http://localhost:7512/_login/local-test", scopes: []}
    off:
`)
	if err != nil {
		t.Fatal(err)
	}
	all := c.Security.OIDC
	google := all["google"]
	if len(all) != 2 || google.ClientSecret.Reveal() != "hunter2" || !google.CreateUser || google.UserFields["name"] != "given_name" ||
		google.Timeout != 3*time.Second || google.LoginTimeout != 10*time.Minute || google.ProfileIDs[0] != "default" || len(google.Scopes) != 2 {
		t.Errorf("%+v", all)
	}
	if len(all["local-test"].Scopes) != 0 {
		t.Errorf("%+v", all["local-test"])
	}
}

func TestOIDCProvidersInAVariable(t *testing.T) {
	c, err := config.Load(config.Sources{Env: []string{
		`SLUICE_SECURITY_OIDC={"kc":{"issuer":"https://id.example.com","clientId":"me","redirectUrl":"https://api.example.com/_login/kc"}}`,
	}})
	if err != nil || c.Security.OIDC["kc"].ClientID != "me" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestMistakesInOIDCProviders(t *testing.T) {
	const good = `issuer: "https://id.example.com", clientId: me, redirectUrl: "https://api.example.com/_login/kc"`
	for providers, want := range map[string]string{
		`kc: text`:                                                                     "wrong type",
		`kc: {` + good + `, clientID: x}`:                                              "did you mean clientId?",
		`kc: {` + good + `, clientSecret: 5}`:                                          "wrong type",
		`kc: {` + good + `, timeout: 5}`:                                               "give a duration",
		`kc: {` + good + `, timeout: 0}`:                                               "at least 1ms",
		`kc: {` + good + `, loginTimeout: 2h}`:                                         "1s to 1h",
		`local: {` + good + `}`:                                                        "no name",
		`passkey: {` + good + `}`:                                                      "no name",
		`"a b": {` + good + `}`:                                                        "no name",
		`kc: {` + good + `, createUser: true, profileIds: []}`:                         "profileIds is empty",
		`kc: {` + good + `, userFields: {profileIds: groups}}`:                         "cannot come from a claim",
		`kc: {` + good + `, userFields: {_kuzzle_info: x}}`:                            "cannot come from a claim",
		`kc: {issuer: "https://a.com", redirectUrl: "https://b.com"}`:                  "clientId is empty",
		`kc: {issuer: "http://a.com", clientId: a, redirectUrl: "https://b.com"}`:      "with https://",
		`kc: {issuer: "https://a.com?x=1", clientId: a, redirectUrl: "https://b.com"}`: "with https://",
		`kc: {issuer: "https://a.com", clientId: a, redirectUrl: "/_login/kc"}`:        "redirectUrl",
		`kc: {issuer: "https://a.com", clientId: a, redirectUrl: "javascript://x"}`:    "redirectUrl",
		`kc: {` + good + `}, other: {` + good + `}`:                                    "has the issuer of",
	} {
		_, err := loadText(t, "security:\n  oidc: {"+providers+"}\n")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", providers, err, want)
		}
	}
}

func TestASecretOfAProviderIsNotInErrors(t *testing.T) {
	_, err := loadText(t, `security: {oidc: {kc: {clientSecret: [hunter2], issuer: x}}}`)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}
