package e2e

import (
	"net"
	"os"
	"os/exec"
	"testing"
)

// TestOfficialSDK runs sdk.mjs: Kuzzle's own SDK over HTTP and WebSocket.
func TestOfficialSDK(t *testing.T) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("CI never skips: %v", err)
			}
			t.Skipf("the official SDK was not tried: %v; install Node.js to try it", err)
		}
	}
	run(t, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	n := binaries.Serve(t, "--dev", "--data", t.TempDir(), "--plugins", binaries.Plugins)
	_, port, err := net.SplitHostPort(n.Address)
	if err != nil {
		t.Fatal(err)
	}
	run(t, "node", "sdk.mjs", port)
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	t.Logf("%s", out)
}
