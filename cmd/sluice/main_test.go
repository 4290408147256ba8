package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node"
)

// result is what one command line did.
type result struct {
	code     int
	out, err string
	cfg      *config.Config // what the node was started with
}

func execute(t *testing.T, env []string, nodeError error, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	var r result
	a := &app{out: &out, err: &errs, env: env}
	a.runNode = func(_ context.Context, o node.Options, out io.Writer) error {
		r.cfg = o.Config
		o.Logger.Info("node runs")
		_, _ = io.WriteString(out, "ready\n")
		return nodeError
	}
	r.code = a.run(t.Context(), args)
	r.out, r.err = out.String(), errs.String()
	return r
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args string
		code int
		err  string
	}{
		{"nonsense", exitUsage, "nonsense"},
		{"serve extra", exitUsage, "extra"},
		{"serve --nonsense", exitUsage, "--nonsense"},
		{"serve --port many", exitUsage, "many"},
		{"config", exitUsage, "config"},
		{"config nonsense", exitUsage, "nonsense"},
		{"plugin", exitUsage, "plugin"},
		{"plugin pin", exitUsage, "requires at least 1 arg"},
		{"version extra", exitUsage, "extra"},
		{"serve --port 70000", exitError, "server.port: 70000 is out of range; give 0 to 65535 (command line)"},
		{"serve --config no-such-file", exitError, "no-such-file"},
		{"bench storage --documents 5", exitError, "--documents: 5, expected 1000 or more"},
		{"bench storage --time -1s", exitError, "--time: -1s, expected a duration such as 2s"},
		{"bench storage --callers 1,0", exitError, "--callers: expected"},
		{"bench storage --data no-such-folder", exitError, "--data: expected a folder that can be written to, such as /tmp"},
		{"bench storage --out /dev/null/results", exitError, "--out: expected a folder that can be written to, such as ./results"},
		{"bench storage --elasticsearch 127.0.0.1:9200", exitError, "--elasticsearch: expected http://"},
		{"bench storage --pocketbase http://127.0.0.1:1", exitError, "--pocketbase: expected http://EMAIL:PASSWORD@host:port"},
		{"migrate", exitUsage, "--from"},
		{"migrate --from here", exitUsage, "--to"},
		{"migrate --from here --to there", exitError, "give a data folder and an Elasticsearch"},
		{"migrate --from http://127.0.0.1:1 --to elasticsearch", exitError, "give a data folder and an Elasticsearch"},
		{"migrate --from no-such-folder --to http://127.0.0.1:1", exitError, "no-such-folder: name the data folder of a node"},
		{"migrate --from ftp://127.0.0.1 --to there", exitError, "--from: expected an URL such as http://"},
		{"migrate --from http://root:hush@127.0.0.1:1 --to there", exitError, "SLUICE_STORAGE_ELASTICSEARCH_PASSWORD"},
		{"migrate --from http://127.0.0.1:1 --to there", exitError, "--from: connect to Elasticsearch at http://127.0.0.1:1"},
		{"bench storage --pocketbase http://a@example.com:hush@127.0.0.1:1", exitError, "--pocketbase: log in to PocketBase"},
	} {
		r := execute(t, nil, nil, strings.Fields(test.args)...)
		if r.code != test.code || !strings.Contains(r.err, test.err) || r.out != "" || r.cfg != nil {
			t.Errorf("%s: exit %d, stderr %q, stdout %q", test.args, r.code, r.err, r.out)
		}
		if hint := strings.Contains(r.err, "--help"); hint != (test.code == exitUsage) {
			t.Errorf("%s: stderr %q", test.args, r.err)
		}
	}
}

func TestEveryCommandIsExplained(t *testing.T) {
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		if cmd.Short == "" || cmd.Example == "" || cmd.Long == "" && !cmd.HasSubCommands() {
			t.Errorf("%s lacks a text or an example", cmd.CommandPath())
		}
		r := execute(t, nil, nil, append(strings.Fields(cmd.CommandPath())[1:], "--help")...)
		if r.code != exitOK || !strings.Contains(r.out, "Examples:") || r.err != "" {
			t.Errorf("%s --help: exit %d, %q, %q", cmd.CommandPath(), r.code, r.out, r.err)
		}
		for _, sub := range cmd.Commands() {
			check(sub)
		}
	}
	check((&app{}).rootCommand())
}

func TestServe(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "sluice.yaml"), "server: {port: 1, host: file}\nlog: {format: json}\n")
	r := execute(t, []string{"SLUICE_SERVER_HOST=env", "SLUICE_SERVER_PORT=2", "SLUICE_CONFIG=" + file}, nil,
		"serve", "--dev", "--port=3", "--data=d", "--plugins=p", "--log-level=debug")
	if r.code != exitOK || r.cfg == nil {
		t.Fatalf("exit %d, %s", r.code, r.err)
	}
	c := r.cfg
	if !c.Dev || c.Server.Port != 3 || c.Server.Host != "env" || c.Server.DataDir != "d" || c.Plugins.Dir != "p" || c.Log.Level != "debug" {
		t.Errorf("got %+v", c)
	}
	if r.out != "ready\n" || !strings.Contains(r.err, `"msg":"node runs"`) {
		t.Errorf("stdout %q, stderr %q", r.out, r.err)
	}
	if r := execute(t, nil, nil, "serve", "--log-level=error", "--config="+file); r.code != exitOK || r.err != "" {
		t.Errorf("exit %d, %q", r.code, r.err)
	}
	if r := execute(t, nil, errors.New("port 7512 is taken"), "serve"); r.code != exitError || !strings.Contains(r.err, "sluice: port 7512 is taken\n") {
		t.Errorf("exit %d, %q", r.code, r.err)
	}
}

// Every flag of serve but --config is a setting with the same default.
func TestServeFlagsAreSettings(t *testing.T) {
	cmd := (&app{}).serveCommand()
	for flag, key := range serveKeys {
		f := cmd.Flags().Lookup(flag)
		if f == nil {
			t.Errorf("no flag --%s", flag)
			continue
		}
		if _, err := config.Load(config.Sources{Flags: map[string]string{key: f.DefValue}}); err != nil {
			t.Errorf("--%s: %v", flag, err)
		}
	}
}

func TestConfigCheck(t *testing.T) {
	dir := t.TempDir()
	good := write(t, filepath.Join(dir, "good.yaml"), "server: {port: 1}\n")
	bad := write(t, filepath.Join(dir, "bad.yaml"), "server:\n  port: one\n  prot: 1\n")
	broken := write(t, filepath.Join(dir, "broken.yaml"), "server: [\n")
	if r := execute(t, nil, nil, "config", "check", "--config", good); r.code != exitOK || r.out != "ok\n" || r.err != "" {
		t.Errorf("good: exit %d, %q, %q", r.code, r.out, r.err)
	}
	if r := execute(t, nil, nil, "config", "check"); r.code != exitOK || r.out != "ok\n" {
		t.Errorf("nothing: exit %d, %q", r.code, r.out)
	}
	r := execute(t, []string{"SLUICE_NONSENSE=1"}, nil, "config", "check", "--config", bad)
	if r.code != exitError || strings.Count(r.out, "\n") != 3 || !strings.Contains(r.out, bad+" line 3") || !strings.Contains(r.err, "mistakes: 3") {
		t.Errorf("bad: exit %d, %q, %q", r.code, r.out, r.err)
	}
	if r := execute(t, nil, nil, "config", "check", "--config", broken); r.code != exitError || r.out != "" || !strings.Contains(r.err, broken) {
		t.Errorf("broken: exit %d, %q, %q", r.code, r.out, r.err)
	}
}

// TestConfigCheckLooksForPlugins: every setting that names a plugin names one that is there.
func TestConfigCheckLooksForPlugins(t *testing.T) {
	dir := t.TempDir()
	for _, id := range []string{"amplifi", "gvp"} {
		executable(t, write(t, filepath.Join(dir, id, id), "x"))
	}
	good := write(t, filepath.Join(dir, "good.yaml"), "plugins: {required: [gvp], config: {amplifi: {fixture: demo}}}\n")
	bad := write(t, filepath.Join(dir, "bad.yaml"), `plugins:
  required: [gvpp]
  mounts: {amplify: /a}
  hosts: {aura: [a.example]}
  listen: {aura: "127.0.0.1:0"}
  storage: {aura: ["*"]}
  config: {gvp: {n: 1}, amplfi: {password: hunter2}}
  secrets: {AMPLIFI: {key: hunter2}}
`)
	if r := execute(t, nil, nil, "config", "check", "--config", good, "--plugins", dir); r.code != exitOK || r.out != "ok\n" || r.err != "" {
		t.Errorf("good: exit %d, %q, %q", r.code, r.out, r.err)
	}
	in := " in " + dir
	want := `plugins.required: there is no plugin "gvpp"` + in + `. Did you mean "gvp"?
plugins.mounts: there is no plugin "amplify"` + in + `. Did you mean "amplifi"?
plugins.hosts: there is no plugin "aura"` + in + `. There are: amplifi, gvp
plugins.listen: there is no plugin "aura"` + in + `. There are: amplifi, gvp
plugins.storage: there is no plugin "aura"` + in + `. There are: amplifi, gvp
plugins.config: there is no plugin "amplfi"` + in + `. Did you mean "amplifi"?
plugins.secrets: there is no plugin "AMPLIFI"` + in + `. Did you mean "amplifi"?
`
	for name, env := range map[string][]string{"flag": nil, "variable": {"SLUICE_PLUGINS_DIR=" + dir}} {
		args := []string{"config", "check", "--config", bad}
		if env == nil {
			args = append(args, "--plugins", dir)
		}
		if r := execute(t, env, nil, args...); r.code != exitError || r.out != want || !strings.Contains(r.err, "mistakes: 7") {
			t.Errorf("%s: exit %d, %q\n%swant\n%s", name, r.code, r.err, r.out, want)
		}
	}
	// Where nobody has said which plugins there are, it says that it has not looked.
	if r := execute(t, nil, nil, "config", "check", "--config", bad); r.code != exitOK || r.out != "ok\n" || strings.Count(r.err, "\n") != 1 || !strings.Contains(r.err, "--plugins") {
		t.Errorf("no folder: exit %d, %q, %q", r.code, r.out, r.err)
	}
	if r := execute(t, nil, nil, "config", "check", "--plugins", filepath.Join(dir, "none")); r.code != exitError || r.out != "" {
		t.Errorf("a folder that is not there: exit %d, %q, %q", r.code, r.out, r.err)
	}
}

func TestConfigDoc(t *testing.T) {
	if r := execute(t, nil, nil, "config", "doc"); r.code != exitOK || r.out != config.Reference() {
		t.Errorf("exit %d, %q", r.code, r.out)
	}
}

func TestPluginPin(t *testing.T) {
	dir := t.TempDir()
	b, a := write(t, filepath.Join(dir, "b", "b"), "b"), write(t, filepath.Join(dir, "a", "a"), "a")
	const (
		sumA = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
		sumB = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"
		sumC = "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6"
	)
	executable(t, a, b)
	lock := filepath.Join(dir, "sluice.lock")
	expect := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(lock); err != nil || string(got) != want {
			t.Errorf("%v\n%swant\n%s", err, got, want)
		}
	}
	if r := execute(t, nil, nil, "plugin", "pin", b, a); r.code != exitOK || r.out != "pinned b/b in "+lock+"\npinned a/a in "+lock+"\n" {
		t.Fatalf("exit %d, %q, %q", r.code, r.out, r.err)
	}
	expect(sumA + "  a/a\n" + sumB + "  b/b\n")
	write(t, a, "c")
	if r := execute(t, nil, nil, "plugin", "pin", a); r.code != exitOK {
		t.Fatal(r.err)
	}
	expect(sumC + "  a/a\n" + sumB + "  b/b\n")

	other := filepath.Join(t.TempDir(), "other.lock")
	if r := execute(t, nil, nil, "plugin", "pin", "--lock", other, a); r.code != exitOK {
		t.Fatal(r.err)
	}
	if text, err := os.ReadFile(other); err != nil || !regexp.MustCompile(`^`+sumC+`  (\.\./)+.*/a/a\n$`).Match(text) {
		t.Errorf("%v, %s", err, text)
	}

	write(t, lock, "nonsense\n")
	for name, args := range map[string][]string{
		"a missing file":   {"plugin", "pin", filepath.Join(dir, "none", "none")},
		"another name":     {"plugin", "pin", write(t, filepath.Join(dir, "c", "d"), "d")},
		"no executable":    {"plugin", "pin", write(t, filepath.Join(dir, "e", "e"), "e")},
		"a folder":         {"plugin", "pin", dir},
		"a broken lock":    {"plugin", "pin", a},
		"no lock's folder": {"plugin", "pin", "--lock", filepath.Join(dir, "none", "x.lock"), a},
	} {
		if r := execute(t, nil, nil, args...); r.code != exitError || r.out != "" || !strings.Contains(r.err, "pin ") {
			t.Errorf("%s: exit %d, %q, %q", name, r.code, r.out, r.err)
		}
	}
	expect("nonsense\n") // a lock file that says nothing reliable is not overwritten
}

func executable(t *testing.T, files ...string) {
	t.Helper()
	for _, file := range files {
		if err := os.Chmod(file, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// TestConfigCheckFindsWhatServeRefuses: settings that are well-formed, but of no use.
func TestConfigCheckFindsWhatServeRefuses(t *testing.T) {
	for _, env := range [][]string{
		{"SLUICE_SECURITY_AUTH_TOKEN_SECRET=tooshort"},
		{"SLUICE_SECURITY_AUTH_TOKEN_ALGORITHM=EdDSA", "SLUICE_SECURITY_AUTH_TOKEN_PRIVATE_KEY_FILE=" + write(t, filepath.Join(t.TempDir(), "key.pem"), "no key")},
		{`SLUICE_SECURITY_OIDC={"kc":{"issuer":"https://id.example.com","clientId":"me","redirectUrl":"https://api.example.com/_login/kc","caFile":"` +
			write(t, filepath.Join(t.TempDir(), "ca.pem"), "no certificate") + `"}}`},
		{"SLUICE_PLUGINS_DIR=" + t.TempDir(), "SLUICE_PLUGINS_LOCK_FILE=" + write(t, filepath.Join(t.TempDir(), "x.lock"), "nonsense\n")},
	} {
		if r := execute(t, env, nil, "config", "check"); r.code != exitError || r.out != "" {
			t.Errorf("%s: exit %d, %q, %q", env, r.code, r.out, r.err)
		}
	}
}

func TestVersion(t *testing.T) {
	if r := execute(t, nil, nil, "version"); r.code != exitOK || !regexp.MustCompile(`^sluice \S+ \(commit \S+, go1\.\S+, \w+/\w+\)\n$`).MatchString(r.out) {
		t.Errorf("exit %d, %q", r.code, r.out)
	}
	vcs := []debug.BuildSetting{{Key: "vcs.modified", Value: "true"}, {Key: "vcs.revision", Value: "abc"}}
	for _, test := range []struct {
		version, commit string
		info            *debug.BuildInfo
		want            string
	}{
		{"", "", nil, "untagged unknown"},
		{"1.0.0", "def", nil, "1.0.0 def"},
		{"1.0.0", "def", &debug.BuildInfo{Main: debug.Module{Version: "v2"}, Settings: vcs}, "1.0.0 def"},
		{"", "", &debug.BuildInfo{Main: debug.Module{Version: "v2"}}, "v2 unknown"},
		{"", "", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: vcs}, "untagged abc+changes"},
		{"", "", &debug.BuildInfo{Settings: vcs[:1]}, "untagged unknown"},
	} {
		v, c := versionOf(test.version, test.commit, test.info)
		if got := v + " " + c; got != test.want {
			t.Errorf("%+v: got %s", test, got)
		}
	}
}
