package main

import (
	"os"
	"strings"
	"testing"
)

func TestCatalogueIsCommitted(t *testing.T) {
	tsv, err := os.ReadFile("../errors.tsv")
	if err != nil {
		t.Fatal(err)
	}
	want, err := generate(string(tsv))
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../catalogue_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if string(committed) != string(want) {
		t.Error("catalogue_gen.go is out of date: run go generate ./protocol/kerror")
	}
}

func TestGenerate(t *testing.T) {
	source, err := generate("# comment\ncode\tid\tclass\tmessage\tdescription\n0x00000001\tapi.assert.invalid_id\tBadRequestError\tNo \"id\".\tWhy.\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"// APIAssertInvalidID: Why.\n",
		`APIAssertInvalidID = &Def{ID: "api.assert.invalid_id", Code: 0x00000001, Class: BadRequestError, Message: "No \"id\"."}`,
		"var catalogue = []*Def{\n\tAPIAssertInvalidID,\n}",
	} {
		if !strings.Contains(string(source), part) {
			t.Errorf("missing %q in\n%s", part, source)
		}
	}
}

func TestGenerateRefuses(t *testing.T) {
	for name, tsv := range map[string]string{
		"too few columns":  "0x1\ta.b.c\tBadRequestError\ttext\n",
		"too many columns": "0x1\ta.b.c\tBadRequestError\ttext\tdescription\tmore\n",
		"no Go source":     "0x1\ta.b.c\tBad Request\ttext\tdescription\n",
	} {
		if _, err := generate(tsv); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestGoName(t *testing.T) {
	for id, want := range map[string]string{
		"api.assert.missing_argument":                                "APIAssertMissingArgument",
		"network.websocket.ratelimit_exceeded":                       "NetworkWebSocketRatelimitExceeded",
		"plugin.kuzzle-plugin-auth-passport-local.login_in_password": "PluginLocalLoginInPassword",
		"security.token.ttl_exceeded":                                "SecurityTokenTTLExceeded",
	} {
		if got := goName(id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}
