package sdktest_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/sdktest"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil && code == 0 {
		println(err.Error())
		code = 1
	}
	os.Exit(code)
}

// counter counts in a document of its own.
func counter() sdk.Plugin {
	var host *sdk.Host
	return sdk.Plugin{
		ID: "counter", Version: "1", Mount: "/counter",
		Collections: []sdk.Collection{{Name: "counts"}}, Triggers: []string{"count:raised"},
		Refusals: []sdk.Refusal{{Body: `{"no":$message}`}},
		Start: func(_ context.Context, h *sdk.Host, _ jsontext.Value) error {
			host = h
			return nil
		},
		Actions: []sdk.Action{{
			Controller: "counter", Name: "raise", Auth: sdk.AuthPlugin, Profile: protocol.Raw, Routes: []sdk.Route{{Verb: "POST", Path: "/raise"}},
			Handler: func(ctx context.Context, r *sdk.Request) (any, error) {
				if r.Connection.Header.Get("Authorization") != "APIKEY k" {
					return nil, sdk.ServiceError("counter", "UNKNOWN", 1, 401, "who are you?")
				}
				counts := host.Store("counts")
				doc, err := counts.Get(ctx, "n")
				var n struct{ N int }
				switch {
				case errors.Is(err, kerror.ServicesStorageNotFound):
				case err != nil:
					return nil, err
				default:
					if err := (sdk.Result{Value: doc.Source}).Decode(&n); err != nil {
						return nil, err
					}
				}
				n.N++
				var o []sdk.WriteOption
				if doc.Version > 0 {
					o = append(o, sdk.IfVersion(doc.Version))
				}
				if _, err := counts.Put(ctx, "n", n, o...); err != nil {
					return nil, err
				}
				if err := host.Degraded(ctx, "counts are high"); err != nil {
					return nil, err
				}
				return host.Trigger(ctx, "count:raised", n)
			},
		}},
	}
}

// TestInProcess: the same value in a real node, with real storage.
func TestInProcess(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{InProcess: sdktest.InProcess(t, counter())})
	for _, want := range []string{`{"N":1}`, `{"N":2}`} {
		if a := n.HTTP("POST", "/counter/raise", "", "Authorization: APIKEY k"); a.Status != 200 || a.Body != want {
			t.Errorf("%d %s, want %s", a.Status, a.Body, want)
		}
	}
	if a := n.HTTP("POST", "/counter/raise", ""); a.Status != 401 || a.Body != `{"no":"who are you?"}` {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if s := n.Plugins(); s[0].Degraded != "counts are high" {
		t.Errorf("%+v", s)
	}
}

// TestWithoutNode: the same answers, with a node that the test plays.
func TestWithoutNode(t *testing.T) {
	var put *protocol.Request
	var triggered string
	p := sdktest.New(t, counter(), sdktest.Options{
		Host: func(_ context.Context, r *protocol.Request) (any, error) {
			if r.Action == "get" {
				return map[string]any{"_id": "n", "_version": 4, "_source": map[string]int{"N": 6}}, nil
			}
			put = r
			return map[string]any{"_id": "n", "_version": 5}, nil
		},
		Trigger: func(_ context.Context, event string, data jsontext.Value) (jsontext.Value, error) {
			triggered = event
			return data, nil
		},
	})
	call := func(way, key string) string {
		r := &protocol.Request{Controller: "counter", Action: "raise", Connection: &protocol.Connection{
			Protocol: way, Header: http.Header{"Authorization": {key}},
		}}
		return string(p.Execute(t.Context(), r).Append(nil, ""))
	}
	if got := call("http", "APIKEY k"); got != `{"N":7}` || triggered != "count:raised" || p.Degraded() == "" {
		t.Errorf("%s, triggered %q, degraded %q", got, triggered, p.Degraded())
	}
	if put.Index != "counter" || put.Internal.Storage == "" || string(put.Args.Raw("ifVersion")) != "4" || string(put.Body) != `{"N":7}` {
		t.Errorf("%+v %+v", put, put.Internal)
	}
	if got := call("http", "Bearer k"); got != `{"no":"who are you?"}` {
		t.Error(got)
	}
	if got := call("websocket", "Bearer k"); !strings.Contains(got, `"id":"counter.UNKNOWN"`) || !strings.Contains(got, `"result":null`) {
		t.Error(got)
	}
}
