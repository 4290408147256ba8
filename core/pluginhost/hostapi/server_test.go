package hostapi_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sluicehq/sluice/core/pluginhost/hostapi"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/pluginv1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// funnel answers with what it was asked, and whether it has a deadline.
type funnel struct{}

func (funnel) Execute(ctx context.Context, r *protocol.Request) *protocol.Response {
	_, limited := ctx.Deadline()
	if r.Action == "wait" {
		<-ctx.Done()
		return protocol.NewResponse(r, nil, ctx.Err())
	}
	if r.Action == "raw" {
		r.Reply.Raw = true
		return protocol.NewResponse(r, "text", nil)
	}
	return protocol.NewResponse(r, map[string]any{"limited": limited, "id": r.RequestID, "hops": r.Internal.Hops}, nil)
}

func serve(t *testing.T) (*hostapi.Server, pluginv1.HostClient, *hostapi.Calls, *bytes.Buffer) {
	t.Helper()
	dir, err := os.MkdirTemp("", "sluice-") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	log, calls := &bytes.Buffer{}, &hostapi.Calls{}
	s, err := hostapi.Listen(t.Context(), dir, hostapi.Options{
		Plugin: "p", Manifest: &pluginv1.Manifest{Id: "p", Calls: []string{"document:*"}}, Granted: []string{"*"}, Calls: calls, Executor: funnel{}, MaxHops: 2,
		Concurrent: 2, CallTimeout: time.Second, MaxMessageBytes: 1 << 20, Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient(s.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		s.Close()
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
	return s, pluginv1.NewHostClient(conn), calls, log
}

func with(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, pluginv1.TokenKey, token)
}

func TestOnlyTheTokenLetsIn(t *testing.T) {
	s, client, _, _ := serve(t)
	in := &pluginv1.CallRequest{Controller: "document", Action: "get"}
	for name, ctx := range map[string]context.Context{
		"none":  t.Context(),
		"wrong": with(t.Context(), "x"),
		"empty": with(t.Context(), ""),
		"two":   with(with(t.Context(), s.Token()), "x"),
	} {
		if _, err := client.Call(ctx, in); status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := client.Log(ctx, &pluginv1.LogRequest{}); status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := client.Call(with(t.Context(), s.Token()), in); err != nil {
		t.Error(err)
	}
}

func TestCall(t *testing.T) {
	s, client, calls, _ := serve(t)
	ctx := with(t.Context(), s.Token())
	id, end := calls.Serve(&protocol.Request{RequestID: "r1", User: &protocol.User{ID: "ann"}, Internal: &protocol.Internal{Hops: 1}})
	ended, gone := calls.Serve(&protocol.Request{User: &protocol.User{ID: "bob"}})
	gone()
	defer end()
	looped, endLooped := calls.Serve(&protocol.Request{Internal: &protocol.Internal{Hops: 2}})
	defer endLooped()
	for _, c := range []struct {
		name   string
		in     *pluginv1.CallRequest
		status int32
		want   string
	}{
		{"plain", &pluginv1.CallRequest{Action: "get", CallId: id}, 200, `"hops":2,"id":"r1","limited":true`},
		{"raw", &pluginv1.CallRequest{Action: "raw"}, 200, `text`},
		{"as user", &pluginv1.CallRequest{Action: "get", CallId: id, AsUser: true}, 200, `"r1"`},
		{"as the user of a call that has ended", &pluginv1.CallRequest{Action: "get", CallId: ended, AsUser: true}, 403, `only while it works`},
		{"as nobody", &pluginv1.CallRequest{Action: "get", AsUser: true}, 403, `only while it works`},
		{"too many hops", &pluginv1.CallRequest{Action: "get", CallId: looped}, 500, `circle`},
		{"args", &pluginv1.CallRequest{Action: "get", Args: []byte(`[1]`)}, 400, `arguments`},
		{"body", &pluginv1.CallRequest{Action: "get", Body: []byte(`{"a":1}}`)}, 400, `body`},
		{"volatile", &pluginv1.CallRequest{Action: "get", Volatile: []byte(`1`)}, 400, `volatile`},
		{"not listed", &pluginv1.CallRequest{Controller: "security", Action: "createUser"}, 403, `manifest`},
	} {
		if c.in.GetController() == "" {
			c.in.Controller = "document"
		}
		out, err := client.Call(ctx, c.in)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := string(out.GetResult()) + out.GetError().GetMessage(); out.GetStatus() != c.status || !strings.Contains(got, c.want) {
			if c.name != "plain" || !strings.Contains(got, `"hops":2`) { // the order of a map's keys is free
				t.Errorf("%s: %d %s", c.name, out.GetStatus(), got)
			}
		}
	}
}

func TestCloseEndsCalls(t *testing.T) {
	s, client, _, _ := serve(t)
	answered := make(chan error, 1)
	go func() {
		_, err := client.Call(with(context.Background(), s.Token()), &pluginv1.CallRequest{Controller: "document", Action: "wait"})
		answered <- err
	}()
	time.Sleep(50 * time.Millisecond)
	s.Close()
	if err := <-answered; err == nil {
		t.Error("a call outlived the server")
	}
}

func TestLogIsBounded(t *testing.T) {
	s, client, _, log := serve(t)
	ctx := with(t.Context(), s.Token())
	in := &pluginv1.LogRequest{Dropped: 7, Entries: []*pluginv1.LogEntry{
		{Level: 4, Message: "hello", Attributes: []byte(`{"a":1}`)},
		{Message: strings.Repeat("m", 100_000)},
		{Message: "bad", Attributes: []byte(`{"a":1}}`)},
		{Message: "line\nbreak"},
	}}
	if _, err := client.Log(ctx, in); err != nil {
		t.Fatal(err)
	}
	got := log.String()
	for _, want := range []string{"level=WARN msg=hello", "fields.a=1", "msg=bad\n", `line\nbreak`, "entries=7"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %.2000s", want, got)
		}
	}
	if len(got) > 20_000 {
		t.Errorf("%d bytes", len(got))
	}
	log.Reset()
	flood := &pluginv1.LogRequest{}
	for range 20_000 {
		flood.Entries = append(flood.Entries, &pluginv1.LogEntry{Message: "flood"})
	}
	if _, err := client.Log(ctx, flood); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "flood"); n > 10_000 || n < 1000 {
		t.Errorf("%d entries", n)
	}
}
