package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/network/certs/certstest"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// serveTLS runs a node with a certificate of the authority.
func serveTLS(t *testing.T, authority *certstest.Authority) *nodetest.Process {
	t.Helper()
	pair := authority.Pair()
	t.Setenv("SLUICE_SERVER_TLS_CERT_FILE", pair.CertFile)
	t.Setenv("SLUICE_SERVER_TLS_KEY_FILE", pair.KeyFile)
	return binaries.Serve(t, "--dev", "--data", t.TempDir())
}

// TestOfficialSDKOverTLS runs sdk-tls.mjs.
func TestOfficialSDKOverTLS(t *testing.T) {
	needs(t, "node", "npm")
	run(t, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	authority := certstest.New(t)
	n := serveTLS(t, authority)
	_, port, err := net.SplitHostPort(n.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NODE_EXTRA_CA_CERTS", authority.File)
	run(t, "node", "sdk-tls.mjs", port)
}

func TestCommandsOverTLS(t *testing.T) {
	plain := binaries.Serve(t, "--dev", "--data", t.TempDir()).Address
	authority := certstest.New(t)
	n := serveTLS(t, authority)
	if out := n.Out.String(); !strings.Contains(out, "https://"+n.Address+" and wss://"+n.Address) || !strings.Contains(out, "curl --insecure https://"+n.Address) {
		t.Errorf("it says %s", out)
	}
	const now = `{"controller":"server","action":"now"}`
	for _, scheme := range []string{"https", "wss"} {
		if out := run(t, binaries.Sluice, "query", "--url", scheme+"://"+n.Address, "--ca", authority.File, now); !strings.Contains(out, `"status":200`) {
			t.Errorf("%s: %s", scheme, out)
		}
	}
	for _, test := range []struct{ url, want string }{
		{"https://" + n.Address, "give its PEM file with --ca"},
		{"wss://" + n.Address, "give its PEM file with --ca"},
		{"http://" + n.Address, "use --url https://" + n.Address},
		{"ws://" + n.Address, "use --url wss://" + n.Address},
		{"https://" + plain, "use --url http://" + plain},
		{"wss://" + plain, "use --url ws://" + plain},
	} {
		out, err := exec.CommandContext(t.Context(), binaries.Sluice, "query", "--url", test.url, now).CombinedOutput()
		if err == nil || !strings.Contains(string(out), test.want) {
			t.Errorf("%s: %s %v", test.url, out, err)
		}
	}
	t.Run("curl", func(t *testing.T) {
		needs(t, "curl")
		out := run(t, "curl", "-sS", "--http2", "--cacert", authority.File, "-w", " over %{http_version}", "https://"+n.Address+"/_now")
		if !strings.Contains(out, `"status":200`) || !strings.Contains(out, " over 2") {
			t.Error(out)
		}
	})
}

// TestTLSDocument replays what docs/security.md says about TLS: what comes before the node starts, then the rest.
func TestTLSDocument(t *testing.T) {
	needs(t, "curl", "openssl")
	text, err := os.ReadFile(filepath.Join(nodetest.Root(), "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile("(?s)\n## TLS\n(.*?)\n## ").FindString(string(text))
	folder := t.TempDir()
	if err := os.Symlink(binaries.Dir, filepath.Join(folder, "bin")); err != nil {
		t.Fatal(err)
	}
	address, replayed := "", 0
	for _, e := range exchanges(section) {
		if args, ok := strings.CutPrefix(e.command, serve+" "); ok {
			address = binaries.ServeIn(t, folder, strings.Fields(args)...).Address
			continue
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(e.command, "127.0.0.1:7512", address))
		cmd.Dir = folder
		if out, err := cmd.CombinedOutput(); err != nil || !matches(e.output, string(out)) {
			t.Errorf("$ %s\ngot  %s %v\nwant %s", e.command, out, err, e.output)
		}
		replayed++
	}
	if address == "" || replayed < 4 {
		t.Errorf("%d commands, node at %q", replayed, address)
	}
}
