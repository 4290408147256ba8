package pluginhost_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/pluginhost"
	"github.com/sluicehq/sluice/core/pluginhost/catalog"
	"github.com/sluicehq/sluice/core/pluginhost/process"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// testPlugin is the executable of testdata/testplugin.
var testPlugin string

func TestMain(m *testing.M) {
	if dir := os.Getenv("SLUICE_TEST_VICTIM"); dir != "" {
		victim(dir)
		return
	}
	dir, err := os.MkdirTemp("", "sluice-test")
	if err != nil {
		panic(err)
	}
	testPlugin = filepath.Join(dir, "testplugin")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", testPlugin, "./testdata/testplugin")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the test plugin: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// node is a host with what a node has around it.
type node struct {
	*pluginhost.Host
	dir, data string
	registry  *router.Registry
	metrics   *prometheus.Registry
	log       *logged
	// opening is the context of Open.
	opening context.Context

	mu       sync.Mutex
	requests []*protocol.Request
}

// start runs the plugins with these names, pinned. change may adjust the options and the folder before.
func start(t testing.TB, change func(*node, *pluginhost.Options), ids ...string) *node {
	t.Helper()
	n, err := open(t, change, ids...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.close(t) })
	return n
}

func open(t testing.TB, change func(*node, *pluginhost.Options), ids ...string) (*node, error) {
	t.Helper()
	n := &node{dir: t.TempDir(), data: t.TempDir(), registry: router.NewRegistry(), metrics: prometheus.NewRegistry(), log: &logged{}, opening: t.Context()}
	for _, id := range ids {
		n.install(t, id)
		n.pin(t, id)
	}
	err := n.registry.Set(router.Contribution{Owner: "document", Actions: []router.Action{
		{Controller: "document", Name: "get", Handler: n.document, Routes: []router.Route{{Verb: "GET", Path: "/:index/:collection/:_id"}}},
		{Controller: "custom", Name: "x", Handler: n.document},
	}})
	if err != nil {
		t.Fatal(err)
	}
	o := pluginhost.Options{
		Dir: n.dir, LockFile: n.lockFile(), DataDir: n.data, Registry: n.registry, Executor: n,
		Strategies: auth.NewStrategies(),
		Logger:     slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Metrics: n.metrics,
		StartTimeout: 20 * time.Second, DrainTimeout: 2 * time.Second,
		Restart: process.Policy{InitialDelay: 10 * time.Millisecond, MaxDelay: 50 * time.Millisecond, HealthyAfter: time.Minute, MaxRestarts: 3, Window: time.Minute},
	}
	o.Storage = map[string][]string{}
	for _, id := range ids {
		o.Storage[id] = []string{"*"}
	}
	if change != nil {
		change(n, &o)
	}
	n.Host, err = pluginhost.Open(n.opening, o)
	return n, err
}

// close ends the host and looks for what it left behind.
func (n *node) close(t testing.TB) {
	t.Helper()
	var pids []int
	for _, s := range n.Plugins() {
		if s.PID != 0 {
			pids = append(pids, s.PID)
		}
	}
	if err := n.Close(context.Background()); err != nil { // t.Context is over
		t.Errorf("close: %v", err)
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(n.data, "plugins", "run", "*")); len(left) > 0 {
		t.Errorf("files are left: %v", left)
	}
	if t.Failed() {
		t.Logf("log:\n%s", n.log)
	}
}

func (n *node) lockFile() string { return filepath.Join(n.dir, "sluice.lock") }

func (n *node) file(id string) string { return filepath.Join(n.dir, id, id) }

func (n *node) install(t testing.TB, id string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(n.dir, id), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(testPlugin, n.file(id)); err != nil {
		t.Fatal(err)
	}
}

func (n *node) pin(t testing.TB, id string) {
	t.Helper()
	lock, err := catalog.ReadLock(n.lockFile())
	if err != nil {
		t.Fatal(err)
	}
	sum, err := catalog.HashFile(n.file(id))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(lock.Pin(id+"/"+id, sum), catalog.WriteLock(n.lockFile(), lock)); err != nil {
		t.Fatal(err)
	}
}

// Execute is a funnel without stages.
func (n *node) Execute(ctx context.Context, r *protocol.Request) *protocol.Response {
	n.mu.Lock()
	n.requests = append(n.requests, r)
	n.mu.Unlock()
	e, _ := n.registry.Current().Action(r.Controller, r.Action)
	if e == nil {
		return protocol.NewResponse(r, nil, kerror.APIProcessActionNotFound.New(r.Controller, r.Action))
	}
	result, err := e.Handler(ctx, r)
	return protocol.NewResponse(r, result, err)
}

func (n *node) document(_ context.Context, r *protocol.Request) (any, error) {
	return map[string]any{"body": r.Body, "as": r.User != nil}, nil
}

// call runs an action of a plugin with JSON arguments.
func (n *node) call(t testing.TB, id, action, args string) *protocol.Response {
	t.Helper()
	r := &protocol.Request{RequestID: "r1", Controller: id, Action: action, Connection: &protocol.Connection{}, User: &protocol.User{ID: "ann"}}
	if args != "" {
		var err error
		if r.Args, err = protocol.ParseArgs(jsontext.Value(args), ""); err != nil {
			t.Fatal(err)
		}
	}
	return n.Execute(context.Background(), r)
}

// metric gives what is measured under a name, nil for nothing.
func (n *node) metric(t testing.TB, name string) *dto.MetricFamily {
	t.Helper()
	families, err := n.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f
		}
	}
	return nil
}

func (n *node) status(id string) pluginhost.Status {
	all := n.Plugins()
	i := slices.IndexFunc(all, func(s pluginhost.Status) bool { return s.ID == id })
	if i < 0 {
		return pluginhost.Status{}
	}
	return all[i]
}

// eventually waits until ok says so.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Errorf("never: %s", what)
}

// alive reports whether the process runs; a dead one that nobody has reaped does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !bytes.Contains(stat, []byte(") Z "))
}

// logged is a log in memory.
type logged struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func kill(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) } // it may be gone
