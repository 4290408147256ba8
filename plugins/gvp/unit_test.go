package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/sdktest"
	"github.com/sluicehq/sluice/plugins/sdk/sealed"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestFlights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		background, stop := context.WithCancel(t.Context())
		f := newFlights(background, time.Minute)
		runs := 0
		slow := func(ctx context.Context) (string, error) {
			runs++
			select {
			case <-time.After(time.Second):
				return "done", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		impatient, cancel := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		wait.Go(func() {
			if _, err := f.do(impatient, "a", slow); !errors.Is(err, context.Canceled) {
				t.Errorf("who gave up: %v", err)
			}
		})
		synctest.Wait()
		cancel()
		for range 5 {
			wait.Go(func() {
				if got, err := f.do(t.Context(), "a", slow); got != "done" || err != nil {
					t.Errorf("%q %v", got, err)
				}
			})
		}
		wait.Wait()
		if runs != 1 {
			t.Errorf("%d runs", runs)
		}
		if _, _ = f.do(t.Context(), "a", slow); runs != 2 {
			t.Errorf("%d runs after the first was over", runs)
		}
		wait.Go(func() {
			if _, err := f.do(t.Context(), "b", slow); !errors.Is(err, context.Canceled) {
				t.Errorf("at the end: %v", err)
			}
		})
		synctest.Wait()
		stop()
		wait.Wait()
		f.wait.Wait()
	})
}

// A store that is down for long: rows wait up to the bound, and what is beyond is counted.
func TestTheRowsThatWaitAreBounded(t *testing.T) {
	var host *sdk.Host
	p := sdk.Plugin{
		ID: "gvp", Version: "1", Collections: collections(),
		Start: func(_ context.Context, h *sdk.Host, _ jsontext.Value) error { host = h; return nil },
	}
	sdktest.New(t, p, sdktest.Options{Host: func(context.Context, *protocol.Request) (any, error) {
		return nil, kerror.Bare(kerror.ServiceUnavailableError, "down")
	}})
	m := newMetrics()
	l := newLogins(host, m)
	for range maxWaitingRows + 3 {
		l.keep(t.Context(), loginRow{ID: "x"})
	}
	text, err := m.text(t.Context(), &sdk.Request{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"gvp_log_login_waiting 1000\n", "gvp_log_login_dropped_total 3\n", "gvp_log_login_write_failures_total 1003\n"} {
		if !strings.Contains(text.(string), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"a duration": `{"watchFiles":"soon"}`, "no duration": `{"watchFiles":"0s"}`, "an outcome": `{"uniapi":{"statusCodes":{"Nonsense":1}}}`,
	} {
		if _, err := readConfiguration(jsontext.Value(text)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	for name, o := range map[string]sdktest.Options{
		"a network":         {Config: map[string]any{"geo": map[string]any{"overrides": map[string]string{"x": "ES"}}}},
		"an http address":   {Config: map[string]any{"auraToken": map[string]any{"url": "http://aura.example.org"}}},
		"a key ring":        {Secrets: map[string]string{secretKeyRing: "x"}},
		"a key of ids":      {Secrets: map[string]string{secretIdentifiers: "x"}},
		"keys of Aura":      {Secrets: map[string]string{secretAuraKeys: "x"}},
		"an absent fixture": {Config: map[string]any{"fixture": "/nowhere"}},
	} {
		t.Run(name, func(t *testing.T) {
			secrets := map[string]string{secretKeyRing: "1:" + strings.Repeat("00", 32), secretIdentifiers: strings.Repeat("00", 32)}
			for k, v := range o.Secrets {
				secrets[k] = v
			}
			o.Secrets = secrets
			if _, err := sdktest.Start(t, New(), o); err == nil || strings.Contains(err.Error(), "00") {
				t.Errorf("started: %v", err)
			}
		})
	}
}

func TestNumbersOfOutcomesAreUnique(t *testing.T) {
	seen := map[int]string{}
	for _, o := range outcomes {
		if other, twice := seen[o.code]; twice {
			t.Errorf("%s and %s are both %d", other, o.name, o.code)
		}
		seen[o.code] = o.name
	}
}

// Whatever is sent as a token, opening it does not fail in another way than by saying no.
func FuzzOpen(f *testing.F) {
	ring, err := sealed.Parse("1:" + strings.Repeat("00", 32))
	if err != nil {
		f.Fatal(err)
	}
	good, err := seal(ring, claims{ID: "x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("AU_")
	f.Fuzz(func(t *testing.T, token string) {
		if c, ok := open(ring, token); ok && c != (claims{ID: "x"}) { // every process of the fuzzer seals a good one of its own
			t.Errorf("%q opens as %+v", token, c)
		}
	})
}

func FuzzCredentials(f *testing.F) {
	f.Add([]byte(`{"deviceType":1,"instanceId":25,"userName":"a@b","password":"x","deviceId":"d"}`), typeJSON)
	f.Add([]byte(`deviceType=1&instanceId=25&userName=a%40b&password=x`), typeForm)
	f.Fuzz(func(t *testing.T, body []byte, media string) {
		r := &sdk.Request{Request: protocol.Request{RawBody: body, ContentType: media, Connection: &protocol.Connection{}}}
		c, err := readCredentials(r)
		if err == nil && (c.userName == "" || c.password == "" || c.userName != normalUserName(c.userName)) {
			t.Errorf("%+v", c)
		}
		if err != nil && asFailure(err).outcome != invalidParameter {
			t.Errorf("%v", err)
		}
	})
}
