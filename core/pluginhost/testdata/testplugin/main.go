// Command testplugin is a plugin that behaves as its name says: the tests of core/pluginhost copy it under many names.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
)

func main() {
	id := filepath.Base(os.Args[0])
	mode, _, _ := strings.Cut(id, "-")
	p := ok(id)
	switch mode {
	case "garbage":
		fmt.Println("Hello from a library that prints")
	case "prefix":
		fmt.Print("no newline ")
	case "early":
		fmt.Fprintln(os.Stderr, "cannot find my database")
		os.Exit(3)
	case "mute":
		time.Sleep(time.Hour)
	case "hang":
		serveHanging()
		return
	case "empty":
		p = sdk.Plugin{ID: id, Version: "0"}
	case "service":
		p = newService(id)
		switch {
		case strings.HasSuffix(id, "-late"):
			endTheFirstTime()
		case strings.HasSuffix(id, "-refuse"):
			p.Start = func(context.Context, *sdk.Host, jsontext.Value) error { return errors.New("the moon is wrong") }
		case strings.HasSuffix(id, "-schema"):
			p.ConfigSchema = []byte(`{"type":"object","required":["n"]}`)
		}
	case "friend":
		p = newFriend(id)
	case "badge":
		p = newBadges(id)
	case "wrongid":
		p.ID = "other"
	case "native":
		p.Actions[0].Controller = "document"
	case "wirenative":
		p.WireName = "Security"
	case "wireok":
		p.WireName = "OK" // the id of another
	case "foreign":
		p.Actions[0].Controller = "ok"
	case "badroute":
		p.Actions[0].Routes = []sdk.Route{{Verb: "GET", Path: "no-slash"}}
	case "dup":
		p.Actions[0].Routes = []sdk.Route{{Verb: "GET", Path: "/_/the-same"}}
	case "refuse":
		p.Start = func(context.Context, *sdk.Host, jsontext.Value) error { return errors.New("the moon is wrong") }
	case "crashstart":
		p.Start = func(context.Context, *sdk.Host, jsontext.Value) error { os.Exit(4); return nil }
	case "hangstart":
		p.Start = func(ctx context.Context, _ *sdk.Host, _ jsontext.Value) error { <-ctx.Done(); return ctx.Err() }
	case "schema":
		p.ConfigSchema = []byte(`{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}`)
	case "badschema":
		p.ConfigSchema = []byte(`{"$ref":"file:///etc/passwd"}`)
	case "secret":
		p.Secrets = []sdk.Secret{{Name: "key", Required: true, Description: "opens the box"}, {Name: "other"}}
	case "grant":
		p.Grants = []sdk.Grant{{Role: "default", Controller: id, Action: "echo"}}
	case "badgrant":
		p.Grants = []sdk.Grant{{Role: "default", Controller: "security", Action: "createUser"}}
	}
	sdk.Serve(p)
}

// endTheFirstTime ends the process before it says what it is, unless it has done so before.
func endTheFirstTime() {
	f, err := os.OpenFile("ended", os.O_CREATE|os.O_EXCL, 0o600) // in the folder of the copy
	if err == nil {
		_ = f.Close()
		fmt.Fprintln(os.Stderr, "the network is not there yet")
		os.Exit(5)
	}
}

func ok(id string) sdk.Plugin {
	t := &tester{id: id}
	act := func(name string, h sdk.Handler) sdk.Action {
		return sdk.Action{Controller: id, Name: name, Handler: h}
	}
	return sdk.Plugin{
		ID: id, Version: "1.0.0", Description: "Behaves as its name says.",
		Calls: []string{"document:get", id + ":*", "missing:*"},
		Start: func(_ context.Context, h *sdk.Host, config jsontext.Value) error {
			t.host, t.config = h, config
			return nil
		},
		Stop: func(context.Context) error {
			slog.Info("stopped")
			return nil
		},
		Actions: []sdk.Action{
			{Controller: id, Name: "echo", Handler: t.echo, Auth: sdk.AuthRequired, Profile: protocol.KuzzleV1, Routes: []sdk.Route{{Verb: "POST", Path: "/_/" + id + "/echo/:x"}}},
			act("config", func(context.Context, *sdk.Request) (any, error) {
				return map[string]any{"config": t.config, "key": t.host.Secret("key"), "other": t.host.Secret("other"), "env": os.Environ()}, nil
			}),
			act("pid", func(context.Context, *sdk.Request) (any, error) { return os.Getpid(), nil }),
			act("sleep", func(ctx context.Context, r *sdk.Request) (any, error) {
				ms, err := r.Args.OptInt("ms", 0)
				if err != nil {
					return nil, err
				}
				time.Sleep(time.Duration(ms) * time.Millisecond) // deaf to ctx, as plugins are
				return "slept", nil
			}),
			act("crash", func(context.Context, *sdk.Request) (any, error) {
				os.Stderr.WriteString("about to crash\n")
				time.Sleep(20 * time.Millisecond)
				os.Exit(3)
				return nil, nil
			}),
			act("fatal", func(context.Context, *sdk.Request) (any, error) {
				go func() { panic("in another goroutine") }()
				time.Sleep(time.Minute)
				return nil, nil
			}),
			act("panic", func(context.Context, *sdk.Request) (any, error) { panic("ouch") }),
			act("big", func(_ context.Context, r *sdk.Request) (any, error) {
				n, err := r.Args.OptInt("n", 0)
				return strings.Repeat("x", int(n)), err
			}),
			act("fork", t.fork),
			act("print", func(context.Context, *sdk.Request) (any, error) {
				fmt.Println("printed after the handshake")
				fmt.Println(strings.Repeat("long ", 50_000))
				for range 20 { // past go-plugin, and more than a pipe holds
					syscall.Write(1, []byte(strings.Repeat("raw ", 25_000)+"\n"))
				}
				slog.Warn("logged", "a", 1)
				return nil, nil
			}),
			act("call", t.call),
			act("loop", func(ctx context.Context, r *sdk.Request) (any, error) {
				out, err := t.host.Call(ctx, sdk.Call{Controller: t.id, Action: "loop"})
				return out.Value, err
			}),
			act("fail", func(context.Context, *sdk.Request) (any, error) {
				return nil, kerror.APIAssertMissingArgument.New("x").WithV1("v1 text").WithErrors([]any{map[string]int{"a": 1}})
			}),
		},
		Pipes: map[string]sdk.PipeFunc{
			"test:beforeChange": func(_ context.Context, e *sdk.Event) error {
				e.Request.Body = jsontext.Value(`{"changed":true}`)
				e.Request.Index = "new"
				return nil
			},
			"test:beforeStop":  func(context.Context, *sdk.Event) error { return kerror.APIProcessActionLocked.New("x") },
			"test:beforeSleep": func(context.Context, *sdk.Event) error { time.Sleep(time.Second); return nil },
			"test:beforeCrash": func(context.Context, *sdk.Event) error { os.Exit(5); return nil },
			"test:errorX": func(_ context.Context, e *sdk.Event) error {
				e.Err, e.Result = nil, jsontext.Value(`"recovered"`)
				return nil
			},
		},
		Hooks: map[string]sdk.HookFunc{
			"test:after*": func(_ context.Context, e *sdk.Event) { slog.Info("hooked", "event", e.Name, "data", string(e.Data)) },
			"test:slow":   func(context.Context, *sdk.Event) { time.Sleep(100 * time.Millisecond) },
		},
	}
}

type tester struct {
	id     string
	host   *sdk.Host
	config jsontext.Value
}

func (t *tester) echo(_ context.Context, r *sdk.Request) (any, error) {
	user := ""
	if r.User != nil {
		user = r.User.ID
	}
	hops := 0
	if r.Internal != nil {
		hops = r.Internal.Hops
	}
	return map[string]any{
		"index": r.Index, "args": r.Args.JSON(), "body": r.Body, "user": user, "authorization": r.Connection.Header.Get("Authorization"),
		"ip": r.Connection.ClientIP, "hops": hops,
	}, nil
}

func (t *tester) call(ctx context.Context, r *sdk.Request) (any, error) {
	what, err := r.Args.String("what")
	if err != nil {
		return nil, err
	}
	c := sdk.Call{Body: map[string]int{"n": 1}}
	c.Controller, c.Action, _ = strings.Cut(what, ":")
	asUser, err := r.Args.Bool("user")
	if err != nil {
		return nil, err
	}
	if detached, _ := r.Args.Bool("detached"); detached {
		ctx = context.Background()
	}
	f := t.host.Call
	if asUser {
		f = t.host.CallAsUser
	}
	out, err := f(ctx, c)
	return out.Value, err
}

// fork starts a process that outlives its parent if it can.
func (t *tester) fork(_ context.Context, r *sdk.Request) (any, error) {
	own, err := r.Args.Bool("ownSession")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("sleep", "30")
	cmd.Stdout, cmd.Stderr = os.NewFile(1, "stdout"), os.NewFile(2, "stderr")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: own}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return cmd.Process.Pid, nil
}

// serveHanging completes the handshake and never answers Describe.
func serveHanging() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: pluginv1.HandshakeVersion, MagicCookieKey: pluginv1.CookieName, MagicCookieValue: pluginv1.CookieValue,
		},
		Plugins: plugin.PluginSet{"plugin": hanging{}},
		GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(o, grpc.MaxRecvMsgSize(math.MaxInt32))...)
		},
		Logger: hclog.NewNullLogger(),
	})
}

type hanging struct{ plugin.NetRPCUnsupportedPlugin }

func (hanging) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	pluginv1.RegisterLifecycleServer(s, hangingLifecycle{})
	return nil
}

func (hanging) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("not a client")
}

type hangingLifecycle struct {
	pluginv1.UnimplementedLifecycleServer
}

func (hangingLifecycle) Describe(context.Context, *pluginv1.DescribeRequest) (*pluginv1.DescribeResponse, error) {
	select {}
}
