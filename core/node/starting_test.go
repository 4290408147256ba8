package node_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node"
	"github.com/sluicehq/sluice/core/storage"
)

// TestWhileStarting: a node whose storage takes long to open answers at once that it starts, and serves later on the same port
// without a moment in which nobody answers.
func TestWhileStarting(t *testing.T) {
	address := freeAddress(t)
	opened := make(chan struct{})
	started := startAt(t.Context(), t, address, func(e storage.Engine) storage.Engine { <-opened; return e })
	for path, want := range map[string]int{"/_ready": 503, "/_healthCheck": 503, "/_healthcheck": 200, "/i/c/_search": 503, "/_query": 503} {
		status, body := eventuallyAsk(t, address, path)
		var answer struct {
			Status int
			Node   string
			Error  *struct{ ID string }
		}
		err := json.Unmarshal(body, &answer)
		if err != nil || status != want || answer.Status != want || answer.Node == "" || (want == 503) != (answer.Error != nil) {
			t.Errorf("%s answers %d %s, %v", path, status, body, err)
		}
		if answer.Error != nil && answer.Error.ID != "api.process.starting" {
			t.Errorf("%s answers %s", path, body)
		}
	}
	close(opened)
	for until := time.Now().Add(30 * time.Second); ; {
		status, body, err := ask("GET", address, "/_ready", "")
		if err != nil || status != http.StatusOK && status != http.StatusServiceUnavailable || time.Now().After(until) {
			t.Fatalf("/_ready answers %d %s, %v", status, body, err)
		}
		if status == http.StatusOK {
			break
		}
	}
	stop(t, <-started)
}

// TestStartEnds: a start that waits ends when it is told to, and leaves the port.
func TestStartEnds(t *testing.T) {
	address := freeAddress(t)
	ctx, cancel := context.WithCancel(t.Context())
	opened := make(chan struct{})
	started := startAt(ctx, t, address, func(e storage.Engine) storage.Engine { <-opened; return e })
	eventuallyAsk(t, address, "/_ready")
	cancel()
	close(opened)
	if s := <-started; s.err == nil {
		stop(t, s)
		t.Error("started all the same")
	}
	if l, err := net.Listen("tcp", address); err != nil {
		t.Error(err)
	} else {
		_ = l.Close()
	}
}

type started struct {
	node *node.Node
	err  error
}

// startAt starts a node in the background.
func startAt(ctx context.Context, t *testing.T, address string, wrap func(storage.Engine) storage.Engine) <-chan started {
	t.Helper()
	c := config.Defaults()
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c.Dev, c.Server.Port, c.Server.DataDir, c.Plugins.Dir = true, a.Port, t.TempDir(), ""
	done := make(chan started, 1)
	go func() {
		n, err := node.Start(ctx, node.Options{Config: c, Version: "test", WrapEngine: wrap, Logger: slog.New(slog.DiscardHandler)})
		done <- started{n, err}
	}()
	return done
}

func stop(t *testing.T, s started) {
	t.Helper()
	if s.err != nil {
		t.Fatal(s.err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.node.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// eventuallyAsk asks until somebody listens.
func eventuallyAsk(t *testing.T, address, path string) (status int, body []byte) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		status, body, err := ask("GET", address, path, "")
		if err == nil {
			return status, body
		}
		if time.Now().After(until) {
			t.Fatal(err)
		}
	}
}
