package config

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestEveryKeyIsDescribed(t *testing.T) {
	env := map[string]string{}
	defaults := Defaults()
	for _, k := range keys() {
		if other, taken := env[k.env]; taken {
			t.Errorf("%s and %s are both %s", k.path, other, k.env)
		}
		env[k.env] = k.path
		if name := k.field.Tag.Get("config"); name == "" || strings.Contains(name, ".") || k.field.Tag.Get("doc") == "" {
			t.Errorf("%s: field %s needs a name and a doc", k.path, k.field.Name)
		}
		if k.env == FileVariable || strings.HasPrefix(k.env, testPrefix) || serviceLink.MatchString(k.env+"=1") {
			t.Errorf("%s takes a reserved name", k.env)
		}
		dst := k.in(defaults)
		if typeName(dst) == "" || want(dst) == "" {
			t.Errorf("%s: no reader for %T", k.path, dst)
		}
		for _, tag := range []string{"min", "max"} {
			if text := k.field.Tag.Get(tag); text != "" {
				bound(k.field.Type, text) // panics when it cannot be read
			}
		}
	}
	for _, s := range sections() {
		if s.path != "" && s.doc == "" {
			t.Errorf("section %s has no doc", s.path)
		}
	}
}

// The default as the reference prints it, given in a variable, gives the default again.
func TestDefaultsCanBeWritten(t *testing.T) {
	var environ []string
	for _, k := range keys() {
		if text := defaultText(k.in(Defaults())); text != "empty" {
			environ = append(environ, k.env+"="+strings.Trim(text, "`"))
		}
	}
	c, err := Load(Sources{Env: environ})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, Defaults()) {
		t.Errorf("got %+v", c)
	}
}

func TestEnvName(t *testing.T) {
	for path, want := range map[string]string{
		"dev":                                    "SLUICE_DEV",
		"server.maxRequestSize":                  "SLUICE_SERVER_MAX_REQUEST_SIZE",
		"security.authToken.maxTTL":              "SLUICE_SECURITY_AUTH_TOKEN_MAX_TTL",
		"security.passwordHash.memoryKiB":        "SLUICE_SECURITY_PASSWORD_HASH_MEMORY_KIB",
		"http.accessControlAllowOriginUseRegExp": "SLUICE_HTTP_ACCESS_CONTROL_ALLOW_ORIGIN_USE_REG_EXP",
	} {
		if got := envName(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestReferenceIsCommitted(t *testing.T) {
	committed, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(committed) != Reference() {
		t.Error("docs/configuration.md is out of date: run go generate ./config")
	}
}

func TestLineOf(t *testing.T) {
	var document yaml.Node
	text := "---\n# c: 1\na:\n  text: |\n    b: in a text\n  \"b\": # yes\n      c : 1\n\nb:\n  c: 2\nflow: {x: 1}\n"
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"a": 3, "a.text": 4, "a.b": 6, "a.b.c": 7, "b": 9, "b.c": 10, "flow": 11, "flow.x": 11, "a.none": 0, "b.c.d": 0, "none": 0} {
		if got := lineOf(&document, strings.Split(path, ".")); got != want {
			t.Errorf("%s: line %d, want %d", path, got, want)
		}
	}
	if got := lineOf(&yaml.Node{}, []string{"a"}); got != 0 {
		t.Errorf("line %d of nothing", got)
	}
}

func TestNearest(t *testing.T) {
	var known []string
	for _, k := range keys() {
		known = append(known, k.path)
	}
	for text, want := range map[string]string{
		"server.prot":                            "server.port",
		"server.maxrequestsize":                  "server.maxRequestSize",
		"server.protocols.websocket.idleTimeout": "websocket.idleTimeout",
		"limits.documentFetchCount":              "limits.documentsFetchCount",
		"zzzzzzzzz":                              "",
		"":                                       "",
	} {
		if got := nearest(text, known); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
