package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
)

// Keys that the operator has not set are kept with the data: tokens and accounts outlive the node.
func TestKeysAreKept(t *testing.T) {
	data := t.TempDir()
	o := options{configure: func(c *config.Config) { c.Server.DataDir = data }}
	var token string
	t.Run("first", func(t *testing.T) { token = start(t, o).token("ana", 25) })
	t.Run("second", func(t *testing.T) {
		s := restart(t, o)
		failed(t, s.HTTP("POST", tokenPath, `{"token":"`+token+`"}`), 200, fourthPlatform, "") // good: nothing else is set
		s.token("ana", 25)
		if n := len(stored[user](s, users)); n != 13 {
			t.Errorf("%d users: the fixture was loaded twice", n)
		}
	})
}

// restart is start on data that have an administrator.
func restart(t *testing.T, o options) *service {
	t.Helper()
	o.restarted = true
	return start(t, o)
}

// A key ring rotates: the new key first, the old one until its tokens are over.
func TestRotation(t *testing.T) {
	old, young := "1:"+strings.Repeat("11", 32), "2:"+strings.Repeat("22", 32)
	data := t.TempDir()
	with := func(ring string) options {
		return options{
			configure: func(c *config.Config) { c.Server.DataDir = data },
			secrets:   map[string]string{secretKeyRing: ring, secretIdentifiers: strings.Repeat("33", 32)},
		}
	}
	var token string
	t.Run("old", func(t *testing.T) {
		s := start(t, with(old))
		token = s.token("ana", 25)
		if kept := stored[map[string]string](s, keyStore); len(kept) != 0 {
			t.Errorf("keys are stored: %d", len(kept))
		}
	})
	t.Run("both", func(t *testing.T) {
		s := restart(t, with(young+" "+old))
		failed(t, s.HTTP("POST", tokenPath, `{"token":"`+token+`"}`), 200, fourthPlatform, "")
	})
	t.Run("new", func(t *testing.T) {
		s := restart(t, with(young))
		failed(t, s.HTTP("POST", tokenPath, `{"token":"`+token+`"}`), 200, authRequired, "")
	})
}

// What is over is deleted, however much it is.
func TestSweep(t *testing.T) {
	p := newPlugin()
	s := start(t, inProcess(t, p, options{}))
	s.token("ana", 25)
	s.login(body("ana", 25, "wrong"), fromES)
	many := make([]map[string]any, config.Defaults().Limits.DocumentsWriteCount)
	for i := range many {
		many[i] = map[string]any{"_id": number(int64(i)), "body": loginRow{At: millis(time.Now())}}
	}
	if _, err := p.host.Store(loginLog).Call(t.Context(), "mCreate", map[string]any{"documents": many}, nil); err != nil {
		t.Fatal(err)
	}
	sweep := sweeper{p.host, time.Hour}
	sweep.sweep(t.Context(), time.Now())
	if rows, kept := len(s.rows()), len(stored[tokenRow](s, tokens)); rows != 2+len(many) || kept != 1 {
		t.Errorf("%d rows, %d tokens", rows, kept)
	}
	sweep.sweep(t.Context(), time.Now().Add(2*time.Hour))
	if rows, kept := len(s.rows()), len(stored[tokenRow](s, tokens)); rows != 0 || kept != 1 {
		t.Errorf("%d rows, %d tokens", rows, kept)
	}
	sweep.sweep(t.Context(), time.Now().Add(25*time.Hour))
	if kept := len(stored[tokenRow](s, tokens)); kept != 0 {
		t.Errorf("%d tokens", kept)
	}
}

func TestTokens(t *testing.T) {
	p := newPlugin()
	s := start(t, inProcess(t, p, options{}))
	token := s.token("ana", 25)
	c, ok := open(p.ring, token)
	if !ok || c.UserID != s.user("ana", 25).ID || c.InstanceID != 25 || c.DeviceType != 1 || c.DeviceID != "ana-1" || !c.Trusted || len(c.SessionID) != 32 {
		t.Errorf("%+v %v", c, ok)
	}
	if _, ok := open(p.ring, loggedPrefix+p.ring.Seal("another purpose", []byte(`{"jti":"x"}`))); ok {
		t.Error("sealed for something else")
	}
	if again := s.token("ana", 25); again == token {
		t.Error("the same token twice")
	}
}

// The demo works as its file says.
func TestDemo(t *testing.T) {
	s := start(t, options{settings: map[string]any{
		"fixture": "demo", "geo": map[string]any{"overrides": map[string]string{"127.0.0.0/8": "ES", "::1/128": "ES"}},
	}})
	text, err := os.ReadFile("../demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, credentials, _ := strings.Cut(string(text), "LoginUserPassword -d '")
	credentials, _, _ = strings.Cut(credentials, "'\n")
	succeeded(t, s.login(credentials))
}
