package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// service is a plugin with an HTTP service of its own.
type service struct {
	id   string
	host *sdk.Host
}

func newService(id string) sdk.Plugin {
	s := &service{id: id}
	raw := func(name, verb, path string, h sdk.Handler) sdk.Action {
		return sdk.Action{
			Controller: id, Name: name, Handler: h, Profile: protocol.Raw, Auth: sdk.AuthPlugin,
			Routes: []sdk.Route{{Verb: verb, Path: path}},
		}
	}
	echo := raw("echo", "GET", "/echo", s.echo)
	echo.Routes = append(echo.Routes, sdk.Route{Verb: "POST", Path: "/echo"}, sdk.Route{Verb: "GET", Path: "/echo/:name"})
	teapot := raw("teapot", "GET", "/teapot", func(_ context.Context, r *sdk.Request) (any, error) {
		r.Reply.Status, r.Reply.ContentType = 418, "application/tea+json"
		r.Reply.SetHeader("X-Pot", "brown")
		return jsontext.Value(`{"z":9007199254740993,  "a":"<&>"}`), nil
	})
	teapot.Routes = append(teapot.Routes, sdk.Route{Verb: "HEAD", Path: "/teapot"})
	open := raw("open", "GET", "/open", s.echo)
	open.Auth = sdk.AuthNone
	hosted := raw("hosted", "GET", "/hosted", s.echo)
	hosted.Auth = sdk.AuthHost
	bytes := raw("bytes", "POST", "/bytes", s.echo)
	bytes.RawBody, bytes.MaxBodyBytes = true, 64
	form := raw("form", "POST", "/form", s.echo)
	form.ContentTypes = []string{"application/json", "application/x-www-form-urlencoded"}
	limited := raw("limited", "GET", "/limited", s.echo)
	limited.RateLimit = sdk.RateLimit{PerSecond: 1.0 / 60, Burst: 2}
	admin := sdk.Action{Controller: id + "/admin", Name: "who", Handler: s.echo, Auth: sdk.AuthRequired, Routes: []sdk.Route{{Verb: "GET", Path: "/admin/who"}}}
	perUser := sdk.Action{
		Controller: id, Name: "perUser", Handler: s.echo, Auth: sdk.AuthRequired,
		RateLimit: sdk.RateLimit{Per: sdk.PerUser, PerSecond: 1.0 / 60, Burst: 1},
	}
	return sdk.Plugin{
		ID: id, Version: "1.0.0", Description: "Is a service.", Mount: "/" + id,
		Actions: []sdk.Action{
			echo, open, hosted, bytes, form, limited, admin, perUser, teapot,
			raw("refused", "GET", "/refused", func(_ context.Context, r *sdk.Request) (any, error) {
				r.Reply.SetHeader("WWW-Authenticate", "APIKEY")
				return map[string]string{"code": "NO"}, sdk.ServiceError(id, "NO", 7, 401, "not you")
			}),
			raw("bare", "GET", "/bare", func(context.Context, *sdk.Request) (any, error) {
				return nil, sdk.ServiceError(id, "TWICE", 8, 409, `it is "there"`)
			}),
			raw("gone", "DELETE", "/things/:name", func(_ context.Context, r *sdk.Request) (any, error) {
				r.Reply.Status = http.StatusNoContent
				return protocol.Absent, nil
			}),
			raw("metrics", "GET", "/metrics", func(_ context.Context, r *sdk.Request) (any, error) {
				r.Reply.Raw, r.Reply.ContentType = true, "text/plain; version=0.0.4"
				return "a_total 1\n", nil
			}),
			raw("wait", "GET", "/wait", waitForFile),
			raw("crash", "GET", "/crash", func(context.Context, *sdk.Request) (any, error) { os.Exit(3); return nil, nil }),
			raw("store", "POST", "/store", s.store),
			raw("call", "POST", "/call", s.call),
			raw("trigger", "POST", "/trigger", func(ctx context.Context, r *sdk.Request) (any, error) {
				event, err := r.Args.String("event")
				if err != nil {
					return nil, err
				}
				return s.host.Trigger(ctx, event, r.Body)
			}),
			raw("health", "POST", "/health", func(ctx context.Context, r *sdk.Request) (any, error) {
				reason, err := r.Args.OptString("reason", "")
				if err != nil {
					return nil, err
				}
				if reason == "" {
					return nil, s.host.Healthy(ctx)
				}
				return nil, s.host.Degraded(ctx, reason)
			}),
			raw("secret", "GET", "/secret", func(context.Context, *sdk.Request) (any, error) { return s.host.Secret("key"), nil }),
		},
		Refusals: []sdk.Refusal{
			{Status: 415, Body: `{"refused":$status,"why":$message}`, AnswerStatus: 400},
			{Status: 404, Body: "nothing here: $message", ContentType: "text/plain"},
			{Status: 429, Body: `{"busy":true,"id":$requestId}`, Header: http.Header{"X-Busy": {"$status"}}},
			{Body: `{"refused":$status,"why":$message}`},
		},
		Collections: []sdk.Collection{
			{Name: "things", Mapping: []byte(`{"dynamic":"strict","properties":{"n":{"type":"integer"}}}`)},
			{Index: "more", Name: "things"},
		},
		Triggers: []string{"identity:erased", "identity:loop"},
		Calls:    []string{"friend:*", "friend-quiet:*", "document:*", "index:*", "collection:*", "server:now"},
		Secrets:  []sdk.Secret{{Name: "key"}},
		Pipes: map[string]sdk.PipeFunc{"identity:loop": func(ctx context.Context, e *sdk.Event) error {
			_, err := s.host.Trigger(ctx, "identity:loop", nil)
			return err
		}},
		Start: func(ctx context.Context, h *sdk.Host, _ jsontext.Value) error {
			s.host = h
			_, err := h.Store("things").Put(ctx, "started", map[string]int{"n": 1})
			return err
		},
	}
}

// echo answers all that arrived.
func (s *service) echo(_ context.Context, r *sdk.Request) (any, error) {
	user := "nobody"
	if r.User != nil {
		user = r.User.ID
	}
	h := r.Connection.Header
	return map[string]any{
		"args": r.Args.JSON(), "id": r.ID, "body": r.Body, "raw": strings.ToValidUTF8(string(r.RawBody), "?"), "bytes": r.RawBody, "type": r.ContentType, "user": user, "ip": r.Connection.ClientIP,
		"authorization": h.Get("Authorization"), "token": h.Get("Token"), "cookie": h.Get("Cookie"), "many": h.Values("X-Many"),
		"query": r.RawQuery(), "protocol": r.Connection.Protocol, "jwt": r.Token,
	}, nil
}

type storeRequest struct {
	Do         string
	Index      string
	Collection string
	ID         string
	Document   jsontext.Value
	IfVersion  int64
}

func (s *service) store(ctx context.Context, r *sdk.Request) (any, error) {
	var in storeRequest
	if err := json.Unmarshal(r.Body, &in, json.MatchCaseInsensitiveNames(true)); err != nil {
		return nil, kerror.Bare(kerror.BadRequestError, err.Error())
	}
	store := s.host.Store(in.Collection)
	if in.Index != "" {
		store = s.host.StoreIn(in.Index, in.Collection)
	}
	var o []sdk.WriteOption
	if in.IfVersion != 0 {
		o = append(o, sdk.IfVersion(in.IfVersion))
	}
	switch in.Do {
	case "get":
		return answer(store.Get(ctx, in.ID))
	case "create":
		return answer(store.Create(ctx, in.ID, in.Document, o...))
	case "put":
		return answer(store.Put(ctx, in.ID, in.Document, o...))
	case "replace":
		return answer(store.Replace(ctx, in.ID, in.Document, o...))
	case "update":
		return answer(store.Update(ctx, in.ID, in.Document, o...))
	case "delete":
		return nil, store.Delete(ctx, in.ID, o...)
	}
	out, err := store.Call(ctx, in.Do, in.Document, nil)
	return orNil(out.Value), err
}

// call runs the action in the body, {controller, action, index, …, asUser}.
func (s *service) call(ctx context.Context, r *sdk.Request) (any, error) {
	var in struct {
		Controller, Action, Index, Collection, ID string
		Args, Body                                jsontext.Value
		AsUser, Events                            bool
	}
	if err := json.Unmarshal(r.Body, &in, json.MatchCaseInsensitiveNames(true)); err != nil {
		return nil, kerror.Bare(kerror.BadRequestError, err.Error())
	}
	c := sdk.Call{Controller: in.Controller, Action: in.Action, Index: in.Index, Collection: in.Collection, ID: in.ID, TriggerEvents: in.Events}
	if in.Args != nil {
		c.Args = in.Args
	}
	if in.Body != nil {
		c.Body = in.Body
	}
	f := s.host.Call
	if in.AsUser {
		f = s.host.CallAsUser
	}
	out, err := f(ctx, c)
	return orNil(out.Value), err
}

func answer(d sdk.Document, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

func orNil(v jsontext.Value) any {
	if v == nil {
		return nil
	}
	return v
}

// newFriend is a plugin beside the service: it listens, is called, and has storage of its own.
func newFriend(id string) sdk.Plugin {
	f := &service{id: id}
	p := sdk.Plugin{
		ID: id, Version: "1.0.0", Description: "Listens.", Calls: []string{"document:*"},
		Collections: []sdk.Collection{{Name: "things"}},
		Start: func(_ context.Context, h *sdk.Host, config jsontext.Value) error {
			f.host = h
			var c struct{ After string } // a file without which it does not start
			if err := json.Unmarshal(config, &c, json.MatchCaseInsensitiveNames(true)); err != nil || c.After == "" {
				return err
			}
			_, err := os.Stat(c.After)
			return err
		},
		Hooks: map[string]sdk.HookFunc{"identity:erased": func(_ context.Context, e *sdk.Event) {
			slog.Info("erased", "by", e.Request.Internal.Plugin, "what", string(e.Data))
		}},
		Pipes: map[string]sdk.PipeFunc{
			"service:*": func(_ context.Context, e *sdk.Event) error {
				r := e.Request
				slog.Info(fmt.Sprintf("seen %s args %s body %s raw %s result %s connection %+v", e.Name, r.Args.JSON(), r.Body, r.RawBody, e.Result, r.Connection))
				e.Request.Body, e.Result = jsontext.Value(`{"changed":true}`), jsontext.Value(`{"changed":true}`)
				return nil
			},
			"service:beforeOpen": func(_ context.Context, e *sdk.Event) error {
				if e.Request.User != nil {
					return kerror.Bare(kerror.ForbiddenError, "a user where there is none")
				}
				return nil
			},
			"service:beforeBare": func(context.Context, *sdk.Event) error { return kerror.Bare(kerror.ForbiddenError, "stopped") },
			"generic:document:beforeWrite": func(_ context.Context, e *sdk.Event) error {
				slog.Info("document " + string(e.Data))
				return nil
			},
		},
		Actions: []sdk.Action{
			{Controller: id, Name: "forget", Auth: sdk.AuthRequired, Handler: func(_ context.Context, r *sdk.Request) (any, error) {
				return map[string]any{"caller": r.Internal.Plugin, "body": r.Body, "user": r.User != nil}, nil
			}},
			{Controller: id, Name: "crash", Handler: func(context.Context, *sdk.Request) (any, error) { os.Exit(3); return nil, nil }},
			{Controller: id, Name: "peek", Handler: f.call, Auth: sdk.AuthNone},
		},
	}
	if id != "friend" { // a pipe of a plugin that is down stops what it guards
		p.Pipes = nil
	}
	return p
}

// waitForFile answers once there is the file that the argument "for" names.
func waitForFile(ctx context.Context, r *sdk.Request) (any, error) {
	file, err := r.Args.String("for")
	if err != nil {
		return nil, err
	}
	for {
		if _, err := os.Stat(file); err == nil {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}
