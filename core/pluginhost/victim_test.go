package pluginhost_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluicehq/sluice/core/pluginhost"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol/pluginv1"
)

// victim is a node that waits to be killed: the test binary, run again.
func victim(dir string) {
	n := &node{registry: router.NewRegistry()}
	h, err := pluginhost.Open(context.Background(), pluginhost.Options{
		Dir: filepath.Join(dir, "plugins"), LockFile: filepath.Join(dir, "none"), DataDir: filepath.Join(dir, "data"), Dev: true,
		Registry: n.registry, Executor: n, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		panic(err)
	}
	for _, s := range h.Plugins() {
		fmt.Println(s.PID)
	}
	select {}
}

func TestNothingOutlivesANodeThatIsKilled(t *testing.T) {
	dir := t.TempDir()
	for _, id := range []string{"ok", "empty"} {
		if err := os.MkdirAll(filepath.Join(dir, "plugins", id), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(testPlugin, filepath.Join(dir, "plugins", id, id)); err != nil {
			t.Fatal(err)
		}
	}
	sockets := ""
	for round := range 2 { // the second starts over what the first left behind
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "SLUICE_TEST_VICTIM="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var pids []int
		for lines := bufio.NewScanner(out); len(pids) < 2 && lines.Scan(); {
			pid, err := strconv.Atoi(lines.Text())
			if err != nil || !alive(pid) {
				t.Fatalf("pid %q: %v", lines.Text(), err)
			}
			pids = append(pids, pid)
		}
		if round == 1 {
			if _, err := os.Stat(sockets); err == nil {
				t.Errorf("%s of the killed node is still there", sockets)
			}
		}
		if sockets, err = os.Readlink(filepath.Join(dir, "data", "plugins", "run", ".sockets")); err != nil {
			t.Error(err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		killed := time.Now()
		_ = cmd.Wait()
		for _, pid := range pids {
			eventually(t, "the plugin is gone", func() bool { return !alive(pid) })
		}
		if took := time.Since(killed); took > 2*time.Second {
			t.Errorf("gone after %s", took)
		}
	}
	_ = os.RemoveAll(sockets)
}

// Where the kernel does not tell, the SDK sees that its parent is another.
func TestPluginEndsWithItsParent(t *testing.T) {
	shell := exec.CommandContext(t.Context(), "sh", "-c", `"$0" & echo $!; wait`, testPlugin)
	shell.Env = []string{pluginv1.CookieName + "=" + pluginv1.CookieValue}
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	var pid int
	for range 2 { // the number, and the handshake, in either order
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if n, err := strconv.Atoi(strings.TrimSpace(line)); err == nil {
			pid = n
		}
	}
	if pid == 0 || !alive(pid) {
		t.Fatalf("no plugin: pid %d", pid)
	}
	if err := shell.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	_, _ = io.Copy(io.Discard, r) // until the plugin has closed it
	_ = shell.Wait()
	eventually(t, "the plugin is gone", func() bool { return !alive(pid) })
	if took := time.Since(killed); took > 2*time.Second {
		t.Errorf("gone after %s", took)
	}
}
