package nodetest

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node"
	"github.com/sluicehq/sluice/core/storage"
)

// Options of a node in the process of the test; the zero value is a node in production mode without plugins.
type Options struct {
	Dev bool
	// PluginDir holds the plugins, as Binaries.Plugins does.
	PluginDir string
	// Configure changes further settings.
	Configure func(*config.Config)
	// InProcess are plugins that run in the process of the test; plugins/sdk/sdktest makes such a map.
	InProcess map[string]func(context.Context) (grpc.ClientConnInterface, error)
	// WrapEngine is node.Options.WrapEngine.
	WrapEngine func(storage.Engine) storage.Engine
}

// Node is a running node and its log.
type Node struct {
	*node.Node
	Client
	Log *Log
}

// Start runs a node until the test ends.
func Start(t testing.TB, o Options) *Node {
	t.Helper()
	c := config.Defaults()
	c.Dev, c.Server.Port, c.Server.DataDir, c.Plugins.Dir = o.Dev, 0, t.TempDir(), o.PluginDir
	c.Limits.LoginsPerSecond = 1000
	if o.Configure != nil {
		o.Configure(c)
	}
	if c.Storage.Engine == "embedded" {
		chooseEngine(t, c)
	}
	log := &Log{}
	n, err := node.Start(t.Context(), node.Options{
		Config: c, Version: "test", InProcess: o.InProcess, WrapEngine: o.WrapEngine,
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatalf("start a node: %v\n%s", err, log)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := n.Stop(ctx); err != nil {
			t.Errorf("stop the node: %v", err)
		}
		if t.Failed() {
			t.Logf("log of the node:\n%s", log)
		}
	})
	return &Node{Node: n, Client: Client{T: t, Address: n.Address()}, Log: log}
}

// Log keeps what was written; it may be read while a node writes.
type Log struct {
	mu   sync.Mutex
	text []byte
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

// Await waits until text stands in the log: what plugins log arrives a moment after their answer.
func (l *Log) Await(t testing.TB, text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(l.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%q is not in the log", text)
		}
	}
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}
