package pluginv1_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The code must be what the tools of .ci/tools make of plugin.proto.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("runs buf")
	}
	dir := t.TempDir()
	for _, args := range [][]string{{"lint"}, {"generate", "-o", dir}} {
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"tool", "-modfile=../../.ci/tools/go.mod", "buf"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("buf %v: %v\n%s", args, err, out)
		}
	}
	for _, name := range []string{"plugin.pb.go", "plugin_grpc.pb.go"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run go generate ./protocol/pluginv1", name)
		}
	}
}
