package config_test

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
)

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "sluice.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLoadNothing(t *testing.T) {
	c, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, config.Defaults()) {
		t.Errorf("got %+v, want the defaults", c)
	}
}

func TestLoadEveryKindOfValue(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(secret, []byte("from a file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Sources{File: write(t, `
# a comment
dev: true
server:
  port: 8080
  maxRequestSize: 2MB
  maxHeaderSize: 8192
  shutdownTimeout: 0
  readTimeout: 1m30s
  trustedProxies: [10.1.2.3/8, "::1"]
  host:
http:
  accessControlAllowOrigin: http://a.example, http://b.example
  additionalContentTypes:
    - text/csv
security:
  authToken:
    secret: file:`+secret+`
    retiredSecrets: ["first,", "file:`+secret+`"]
    retiredKeyFiles: a.pem, b.pem
    expiresIn: 7 days
    maxTTL: -1
    gracePeriod: 2000
plugins:
  config:
    gvp: {deep: {1: one}, list: [{2: two}]}
    empty:
  secrets:
    gvp:
      key: inline
limits:
`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range []struct {
		what      string
		got, want any
	}{
		{"dev", c.Dev, true},
		{"port", c.Server.Port, 8080},
		{"host, without a value", c.Server.Host, "127.0.0.1"},
		{"maxRequestSize", c.Server.MaxRequestSize, 2 * config.MB},
		{"maxHeaderSize", c.Server.MaxHeaderSize, 8 * config.KB},
		{"shutdownTimeout", c.Server.ShutdownTimeout, time.Duration(0)},
		{"readTimeout", c.Server.ReadTimeout, 90 * time.Second},
		{"trustedProxies", c.Server.TrustedProxies, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}},
		{"accessControlAllowOrigin", c.HTTP.AccessControlAllowOrigin, []string{"http://a.example", "http://b.example"}},
		{"additionalContentTypes", c.HTTP.AdditionalContentTypes, []string{"text/csv"}},
		{"secret", c.Security.AuthToken.Secret.Reveal(), "from a file"},
		{"retiredSecrets", config.Reveal(c.Security.AuthToken.RetiredSecrets), []string{"first,", "from a file"}},
		{"retiredKeyFiles", c.Security.AuthToken.RetiredKeyFiles, []string{"a.pem", "b.pem"}},
		{"expiresIn", c.Security.AuthToken.ExpiresIn.Duration(), 7 * 24 * time.Hour},
		{"maxTTL", c.Security.AuthToken.MaxTTL, config.Infinite},
		{"gracePeriod", c.Security.AuthToken.GracePeriod.Duration(), 2 * time.Second},
		{"plugins.config", c.Plugins.Config, map[string]map[string]any{"gvp": {
			"deep": map[string]any{"1": "one"}, "list": []any{map[string]any{"2": "two"}},
		}}},
		{"plugins.secrets", c.Plugins.Secrets["gvp"]["key"].Reveal(), "inline"},
		{"limits, an empty section", c.Limits, config.Defaults().Limits},
	} {
		if !reflect.DeepEqual(check.got, check.want) {
			t.Errorf("%s: got %v, want %v", check.what, check.got, check.want)
		}
	}
}

func TestLoadOrder(t *testing.T) {
	file := write(t, "server: {port: 1, host: file, dataDir: file}\n")
	c, err := config.Load(config.Sources{
		File:  file,
		Env:   []string{"SLUICE_SERVER_PORT=2", "SLUICE_SERVER_HOST=env", "PATH=/bin", "nonsense"},
		Flags: map[string]string{"server.port": "3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Server.Port != 3 || c.Server.Host != "env" || c.Server.DataDir != "file" {
		t.Errorf("got port %d, host %q, dataDir %q", c.Server.Port, c.Server.Host, c.Server.DataDir)
	}
}

func TestLoadEnvironment(t *testing.T) {
	c, err := config.Load(config.Sources{Env: []string{
		"SLUICE_DEV=true",
		"SLUICE_SERVER_MAX_REQUEST_SIZE=3MB",
		"SLUICE_SERVER_TRUSTED_PROXIES=10.0.0.0/8, 192.168.1.1",
		"SLUICE_HTTP_ACCESS_CONTROL_ALLOW_ORIGIN=",
		"SLUICE_SECURITY_AUTH_TOKEN_EXPIRES_IN=60000",
		"SLUICE_SECURITY_AUTH_TOKEN_SECRET=12345",
		`SLUICE_PLUGINS_CONFIG={"gvp": {"n": 1}}`,
		`SLUICE_PLUGINS_SECRETS={"gvp": {"key": "k"}}`,
		`SLUICE_PLUGINS_MOUNTS={"gvp": "/uniapi", "none": null}`,
		`SLUICE_PLUGINS_HOSTS={"gvp": ["a.example", "b.example"], "aura": "c.example, d.example"}`,
		`SLUICE_PLUGINS_STORAGE={"gvp": ["*"]}`,
		// not ours
		"SLUICE_CONFIG=/etc/sluice.yaml", "SLUICE_TEST_ALL=1",
		"SLUICE_PORT=tcp://10.0.0.1:7512", "SLUICE_SERVICE_HOST=10.0.0.1", "SLUICE_PORT_7512_TCP_ADDR=10.0.0.1", "SLUICE_API_SERVICE_PORT_HTTP=1", "SLUICE_API_PORT=udp://10.0.0.1:53",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Dev || c.Server.MaxRequestSize != 3*config.MB || len(c.Server.TrustedProxies) != 2 || len(c.HTTP.AccessControlAllowOrigin) != 0 ||
		c.Security.AuthToken.ExpiresIn.Duration() != time.Minute || c.Security.AuthToken.Secret.Reveal() != "12345" ||
		c.Plugins.Config["gvp"]["n"] != 1 || c.Plugins.Secrets["gvp"]["key"].Reveal() != "k" {
		t.Errorf("got %+v", c)
	}
	if p := c.Plugins; !reflect.DeepEqual(p.Mounts, map[string]string{"gvp": "/uniapi"}) ||
		!reflect.DeepEqual(p.Hosts, map[string][]string{"gvp": {"a.example", "b.example"}, "aura": {"c.example", "d.example"}}) ||
		!reflect.DeepEqual(p.Storage, map[string][]string{"gvp": {"*"}}) {
		t.Errorf("got %v, %v, %v", p.Mounts, p.Hosts, p.Storage)
	}
}

// Each source holds mistakes; every single one is named with its place.
func TestLoadNamesEveryMistake(t *testing.T) {
	file := write(t, `server:
  # not a number
  port: "7512"
  maxRequestSize: much
  maxRequestsSize: 1MB
  readTimeout: 60000
  strictSdkVersion: yes please
  trustedProxies: [10.0.0.0/99]
  host: 1
srver: {port: 1}
limits: 12
server.port: 1
http:
  accessControlAllowOrigin: {a: b}
  additionalContentTypes: [1]
  maxEncodingLayers: 99
security:
  authToken:
    secret: [hidden-value]
    expiresIn: soon
    algorithm: none
    retiredSecrets: [[hidden-value]]
plugins:
  config: {gvp: hidden-value}
  secrets:
    gvp: {key: {hidden-value: 1}}
    other: {key: "file:does-not-exist"}
`)
	_, err := config.Load(config.Sources{
		File:  file,
		Env:   []string{"SLUICE_SERVER_PROT=1", "SLUICE_SERVR_PORT=1", "SLUICE_LIMITS_DOCUMENTS_WRITE_COUNT=0", "SLUICE_PLUGINS_CONFIG={hidden-value"},
		Flags: map[string]string{"log.level": "loud", "no.such": "1"},
	})
	if err == nil {
		t.Fatal("no error")
	}
	text := strings.ReplaceAll(err.Error(), file, "FILE")
	for _, line := range []string{
		`server.port: "7512" does not fit; give a whole number, without quotes (FILE line 3)`,
		`server.maxRequestSize: "much" is not a size; give a size such as "512KB" or "1MB", or a number of bytes (FILE line 4)`,
		`server.maxRequestsSize: there is no such key; did you mean server.maxRequestSize? (FILE line 5)`,
		`server.readTimeout: 60000 does not fit; give a duration with its unit, such as "500ms", "30s" or "1h30m" (FILE line 6)`,
		`server.strictSdkVersion: "yes please" does not fit; give true or false (FILE line 7)`,
		`server.trustedProxies: "10.0.0.0/99" does not fit; give a list of networks or addresses such as "10.0.0.0/8" or "::1" (FILE line 8)`,
		`server.host: 1 does not fit; give a text, in quotes when it looks like a number (FILE line 9)`,
		`srver: there is no such key; did you mean server? (FILE line 10)`,
		`limits: is a section, not a value; put its keys below it, indented (FILE line 11)`,
		`server.port: there is no such key; write it as a section with the key below it, indented (FILE line 12)`,
		`http.accessControlAllowOrigin: a section does not fit; give a list of texts, or one text with commas (FILE line 14)`,
		`http.additionalContentTypes: 1 does not fit; give a list of texts, or one text with commas (FILE line 15)`,
		`http.maxEncodingLayers: 99 is out of range; give 1 to 10 (FILE line 16)`,
		`security.authToken.secret: has the wrong type; give the secret as text (in quotes), or "file:PATH" of a readable file that holds it (FILE line 19)`,
		`security.authToken.expiresIn: "soon" is not a lifetime; give a lifetime such as "1h" or "7 days", a number of milliseconds, or -1 for no end (FILE line 20)`,
		`security.authToken.algorithm: "none" is unknown; give one of HS256, EdDSA, ES256, RS256 (FILE line 21)`,
		`security.authToken.retiredSecrets: has the wrong type; give a list of secrets, each as text (in quotes) or "file:PATH" of a readable file that holds it (FILE line 22)`,
		`plugins.config: plugin "gvp" has the wrong type; give one section a plugin id, with that plugin's settings inside (FILE line 24)`,
		`plugins.secrets: "key" of plugin "gvp" has the wrong type; give one section a plugin id, with name: "secret" or name: "file:PATH" inside (FILE line 25)`,
		`SLUICE_SERVER_PROT: there is no such environment variable; did you mean SLUICE_SERVER_PORT?`,
		`SLUICE_SERVR_PORT: there is no such environment variable; did you mean SLUICE_SERVER_PORT?`,
		`limits.documentsWriteCount: 0 is out of range; give at least 1 (SLUICE_LIMITS_DOCUMENTS_WRITE_COUNT)`,
		`plugins.config: has the wrong type; give one section a plugin id, with that plugin's settings inside (SLUICE_PLUGINS_CONFIG)`,
		`log.level: "loud" is unknown; give one of debug, info, warn, error (command line)`,
		`no.such: there is no such key; sluice config doc lists all (command line)`,
	} {
		if !strings.Contains("\n"+text+"\n", "\n"+line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
	if strings.Contains(text, "hidden-value") {
		t.Error("a secret is shown")
	}
	if t.Failed() {
		t.Log("\n" + text)
	}
	var mistake *config.Mistake
	if !errors.As(err, &mistake) || len(config.Mistakes(err)) != strings.Count(text, "\n")+1 {
		t.Errorf("%d mistakes, want one a line", len(config.Mistakes(err)))
	}
}

func TestLoadBadFile(t *testing.T) {
	if _, err := config.Load(config.Sources{File: filepath.Join(t.TempDir(), "none.yaml")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := config.Load(config.Sources{File: t.TempDir()}); err == nil {
		t.Error("a folder was read as a file")
	}
	for _, text := range []string{"server: [", "- a\n- b\n", "just text", "server:\n\tport: 1", "server: {port: 1}\nserver: {port: 2}\n"} {
		file := write(t, text)
		c, err := config.Load(config.Sources{File: file})
		if err == nil || c != nil || !strings.Contains(err.Error(), file) || len(config.Mistakes(err)) != 0 {
			t.Errorf("%q: config %v, error %v", text, c, err)
		}
	}
	if _, err := config.Load(config.Sources{File: write(t, "# nothing\n")}); err != nil {
		t.Errorf("empty file: %v", err)
	}
}

func TestSecretFromFile(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, empty + "-missing"} {
		_, err := config.Load(config.Sources{Env: []string{"SLUICE_SECURITY_AUTH_TOKEN_SECRET=file:" + path}})
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
