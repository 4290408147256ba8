package oidc

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"

	"github.com/sluicehq/sluice/protocol"
)

// A login is finished by the client that began it, or somebody could have a victim's browser finish his own (login CSRF), or
// finish one whose code he stole. Over HTTP the client is the browser with the cookie that it got with the redirect; on a
// WebSocket or MQTT it is the connection.
//
// The cookie belongs to one strategy and the last login that a browser began with it. It is SameSite=Lax: sent when the
// provider sends the browser back, and by pages of the same site that pass the code on.

// bind gives the client that begins a login a name that only it can show again.
func (s *Strategy) bind(req *protocol.Request) (string, error) {
	if name, ok := socket(req); ok {
		return name, nil
	}
	if !browser(req) {
		return "", noWayToBind
	}
	value := make([]byte, 32)
	if _, err := rand.Read(value); err != nil {
		return "", fmt.Errorf("make a cookie: %w", err)
	}
	text := stateEncoding.EncodeToString(value)
	s.setCookie(req, text, int(s.options.LoginTimeout.Seconds()))
	return "cookie " + text, nil
}

// bound gives the name of the client that finishes a login, and takes a cookie away again.
func (s *Strategy) bound(req *protocol.Request) (string, error) {
	if name, ok := socket(req); ok {
		return name, nil
	}
	if !browser(req) {
		return "", noWayToBind
	}
	cookie, err := (&http.Request{Header: req.Connection.Header}).Cookie(s.cookieName())
	if err != nil {
		return "", notBegun
	}
	s.setCookie(req, "", -1)
	return "cookie " + cookie.Value, nil
}

// socket names a connection that stays open between the two steps.
func socket(req *protocol.Request) (string, bool) {
	if req == nil || req.Connection == nil || req.Connection.ID == "" {
		return "", false
	}
	switch req.Connection.Protocol {
	case "websocket", "mqtt":
		return "connection " + req.Connection.ID, true
	}
	return "", false
}

func browser(req *protocol.Request) bool {
	return req != nil && req.Connection != nil && req.Connection.Protocol == "http"
}

// secure reports whether browsers see this node over TLS: the redirect comes back to it, or to a page that could not call
// it otherwise.
func (s *Strategy) secure() bool { return strings.HasPrefix(s.options.RedirectURL, "https:") }

// cookieName has, over TLS, the prefix with which browsers take the cookie from this host only, not from its neighbours.
func (s *Strategy) cookieName() string {
	name := "sluice-login-" + s.options.Name
	if s.secure() {
		return "__Host-" + name
	}
	return name
}

// setCookie puts it beside what else the answer sets. It does not go into the result of the login, which scripts can read.
func (s *Strategy) setCookie(req *protocol.Request, value string, maxAge int) {
	cookie := &http.Cookie{ //nolint:gosec // Secure wherever there is TLS
		Name: s.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode,
	}
	if req.Reply.Header == nil {
		req.Reply.Header = http.Header{}
	}
	req.Reply.Header.Add("Set-Cookie", cookie.String())
}
