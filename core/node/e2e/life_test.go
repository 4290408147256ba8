package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

const checkUserToken = "/_plugin/Comexposium/user/checkUserToken"

// TestWithoutDev: the node makes its own key, runs the pinned plugin, and lets anonymous do next to nothing.
func TestWithoutDev(t *testing.T) {
	data := t.TempDir()
	n := binaries.Serve(t, "--data", data, "--plugins", binaries.Plugins)
	secret, err := os.Stat(filepath.Join(data, "signing-keys.json"))
	if err != nil || secret.Mode().Perm() != 0o600 || secret.Size() < 64 {
		t.Fatalf("the secret: %v, %v", secret, err)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/_now", "", 200},
		{"GET", "/_adminExists", "", 200},
		{"GET", "/_publicApi", "", 200},
		{"GET", "/_healthCheck", "", 200},
		{"GET", "/_serverInfo", "", 401},
		{"GET", "/users/root", "", 401},
		{"POST", "/users/eve/_create", `{"content":{"profileIds":["admin"]}}`, 401},
		{"POST", checkUserToken, `{}`, 401},
		{"POST", "/_createFirstAdmin/root", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`, 200},
		{"POST", "/_createFirstAdmin/eve", `{"content":{},"credentials":{"local":{"username":"eve","password":"eve-Secret-1"}}}`, 412},
	} {
		if a := n.HTTP(c.method, c.path, c.body); a.Status != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, a.Status, a.Body, c.status)
		}
	}
	token := n.Login("root", "root-Secret-1", "")
	a := n.Must("POST", checkUserToken, `{"email":"root"}`, "Authorization: Bearer "+token)
	if a.Get("result.message") != "generic_success" {
		t.Errorf("%s", a.Body)
	}
}

// TestAPluginWithoutPinIsLeftOut: the node starts all the same, and says what to do.
func TestAPluginWithoutPinIsLeftOut(t *testing.T) {
	plugins := filepath.Join(t.TempDir(), "plugins")
	if err := os.CopyFS(plugins, os.DirFS(binaries.Plugins)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(plugins, "comexposium", "comexposium"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(plugins, "sluice.lock")); err != nil {
		t.Fatal(err)
	}
	n := binaries.Serve(t, "--data", t.TempDir(), "--plugins", plugins)
	if a := n.HTTP("POST", checkUserToken, `{}`); a.Status != http.StatusNotFound {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	n.Log.Await(t, "sluice plugin pin")
}

// TestDataOfDevelopmentModeIsNotOpenInProduction: the open rights belong to the mode, not to the data.
func TestDataOfDevelopmentModeIsNotOpenInProduction(t *testing.T) {
	data := t.TempDir()
	dev := binaries.Serve(t, "--dev", "--data", data)
	dev.CreateUser("ann", `{"profileIds":["default"]}`, "ann", "ann-Secret-1")
	stop(t, dev)
	n := binaries.Serve(t, "--data", data)
	if a := n.HTTP("GET", "/users/ann", ""); a.Status != http.StatusUnauthorized {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	n.Login("ann", "ann-Secret-1", "")
}

// TestOnlyThisMachineWhileEverybodyMayDoEverything: no web page reaches an open node through its owner's browser.
func TestOnlyThisMachineWhileEverybodyMayDoEverything(t *testing.T) {
	n := binaries.Serve(t, "--dev", "--data", t.TempDir())
	for _, c := range []struct {
		header string
		status int
	}{
		{"Origin: http://localhost:3000", 200},
		{"Origin: http://evil.example", 401},
		{"Origin: null", 401},
	} {
		if a := n.HTTP("GET", "/_now", "", c.header); a.Status != c.status {
			t.Errorf("%s: %d, want %d", c.header, a.Status, c.status)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+n.Address+"/_now", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "rebound.example"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("host rebound.example: %d", resp.StatusCode)
	}
	n.Must("POST", "/_createFirstAdmin/root?reset", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	if a := n.HTTP("GET", "/_publicApi", "", "Origin: http://elsewhere.example"); a.Status != 200 {
		t.Errorf("after reset: %d %s", a.Status, a.Body)
	}
}

// TestWhatWasAcknowledgedSurvivesKill: users made in a storm are there after kill -9, and so are sessions.
func TestWhatWasAcknowledgedSurvivesKill(t *testing.T) {
	data := t.TempDir()
	n := binaries.Serve(t, "--dev", "--data", data)
	n.CreateUser("ann", `{"profileIds":["default"]}`, "ann", "ann-Secret-1")
	token := n.Login("ann", "ann-Secret-1", "")
	var mu sync.Mutex
	var made []string
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("user-%d-%d", w, i)
				resp, err := http.Post("http://"+n.Address+"/users/"+id+"/_create", "application/json", strings.NewReader(`{"content":{"profileIds":["default"]}}`))
				if err != nil {
					return
				}
				_ = resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					mu.Lock()
					made = append(made, id)
					mu.Unlock()
				}
			}
		})
	}
	time.Sleep(500 * time.Millisecond) // the storm rages
	if err := n.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	writers.Wait()
	if err := n.Wait(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	again := binaries.Serve(t, "--dev", "--data", data)
	if len(made) == 0 {
		t.Fatal("nothing was written")
	}
	for _, id := range made {
		again.Must("GET", "/users/"+id, "")
	}
	if a := again.Must("GET", "/_me", "", "Authorization: Bearer "+token); a.Get("result._id") != "ann" {
		t.Errorf("%s", a.Body)
	}
	t.Logf("%d users", len(made))
}

// TestNoOrphans: when the node is killed its plugins end too.
func TestNoOrphans(t *testing.T) {
	n := binaries.Serve(t, "--dev", "--data", t.TempDir(), "--plugins", binaries.Plugins)
	children := childrenOf(t, n.Cmd.Process.Pid)
	if len(children) == 0 {
		t.Fatal("the node has no plugin process")
	}
	if err := n.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for _, pid := range children {
		for running(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d outlives the node", pid)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// TestSIGTERM: the node closes sockets so that the SDK comes back, and exits with 0.
func TestSIGTERM(t *testing.T) {
	n := binaries.Serve(t, "--dev", "--data", t.TempDir(), "--plugins", binaries.Plugins)
	s := n.WebSocket()
	s.Call(`{"controller":"server","action":"now","requestId":"1"}`)
	if err := n.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.ReadMessage()
	if !websocket.IsCloseError(err, websocket.CloseServiceRestart) {
		t.Errorf("the socket ended with %v, want 1012", err)
	}
	if err := n.Wait(10 * time.Second); err != nil {
		t.Error(err)
	}
	if n.Cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("exit code %d", n.Cmd.ProcessState.ExitCode())
	}
}

// TestSIGTERMWhileARequestArrives: a client that never finishes what it sends delays the stop for a moment and is no
// failure.
func TestSIGTERMWhileARequestArrives(t *testing.T) {
	n := binaries.Serve(t, "--dev", "--data", t.TempDir(), "--plugins", binaries.Plugins)
	conn, err := net.Dial("tcp", n.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /_query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	n.Must("GET", "/_now", "") // the node has accepted the first connection too
	if err := n.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := n.Wait(6 * time.Second); err != nil {
		t.Error(err)
	}
	if strings.Contains(n.Log.String(), "did not drain") {
		t.Error("the plugin had no time to drain")
	}
}

// TestACrashedPluginComesBack: its route answers 503 while it is down, the node does not notice otherwise.
func TestACrashedPluginComesBack(t *testing.T) {
	n := binaries.Serve(t, "--dev", "--data", t.TempDir(), "--plugins", binaries.Plugins)
	n.CreateUser("ann", `{"profileIds":["default"],"email":"ann@example.org"}`, "ann", "ann-Secret-1")
	token := n.Login("ann", "ann-Secret-1", "")
	for _, pid := range childrenOf(t, n.Cmd.Process.Pid) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		n.Must("GET", "/_now", "")
		a := n.HTTP("POST", checkUserToken, `{"email":"ann@example.org"}`, "Authorization: Bearer "+token)
		if a.Status == http.StatusOK {
			return
		}
		if a.Status != http.StatusServiceUnavailable || time.Now().After(deadline) {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
}

func stop(t *testing.T, p *nodetest.Process) {
	t.Helper()
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(10 * time.Second); err != nil {
		t.Fatal(err)
	}
}

func childrenOf(t *testing.T, pid int) []int {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var children []int
	for _, process := range processes {
		child, err := strconv.Atoi(filepath.Base(process))
		if err != nil {
			continue
		}
		var state string
		var parent int
		if _, err := fmt.Sscan(stat(child), &state, &parent); err == nil && parent == pid {
			children = append(children, child)
		}
	}
	return children
}

// stat gives what /proc says of a process after its name: state, parent, …; "" when there is no such process.
func stat(pid int) string {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	return string(b[bytes.LastIndexByte(b, ')')+1:])
}

// running reports whether a process exists and is no zombie.
func running(pid int) bool {
	state := strings.TrimSpace(stat(pid))
	return state != "" && state[0] != 'Z'
}
