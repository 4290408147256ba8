package auth

import (
	"net/http"
	"slices"
	"time"

	tokens "github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// keepLongest is how long a cookie is kept whose token never expires. Browsers keep none longer.
const keepLongest = 400 * 24 * time.Hour

// setsCookie reports whether the client wants the token in a cookie, which only an answer over HTTP can set. The network has
// checked then that it may, and that the token of the request, if any, is that of the cookie.
func setsCookie(req *protocol.Request) (bool, error) { return cookieAuth(req, "http") }

// readsCookie reports whether the client asks about the token in its cookie.
func readsCookie(req *protocol.Request) (bool, error) { return cookieAuth(req, "http", "websocket") }

func cookieAuth(req *protocol.Request, protocols ...string) (bool, error) {
	asked, err := req.Args.Bool("cookieAuth")
	if err != nil || !asked || slices.Contains(protocols, req.Connection.Protocol) {
		return asked, err
	}
	e := kerror.APIAssertUnsupportedProtocol.New(req.Connection.Protocol, req.Controller+":"+req.Action)
	e.Message = "With a cookie " + req.Controller + ":" + req.Action + " is called over HTTP, not over " + req.Connection.Protocol +
		". A connection has the cookie that the browser had when it was opened: open it again afterwards."
	return false, e
}

// kept is the answer to a client that got its token in a cookie.
type kept struct {
	KUID      string `json:"_id"`
	ExpiresAt int64  `json:"expiresAt"`
	TTL       int64  `json:"ttl"`
}

// hand gives the client a new token: in the answer, or in a cookie that no script of the page can read. The network adds Secure.
func hand(req *protocol.Request, issued tokens.Issued, inCookie bool) any {
	if !inCookie {
		return issued
	}
	expires := time.Now().Add(keepLongest)
	if issued.ExpiresAt >= 0 {
		expires = time.UnixMilli(issued.ExpiresAt)
	}
	req.Reply.SetHeader("Set-Cookie", (&http.Cookie{ //nolint:gosec // the network adds Secure where the connection is encrypted
		Name: protocol.TokenCookie, Value: issued.Text, Path: "/", Expires: expires, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}).String())
	return kept{issued.KUID, issued.ExpiresAt, issued.TTL}
}
