package httpserver

import (
	"net/http"
	"strings"

	"github.com/sluicehq/sluice/protocol"
)

// takeCookie gives the request the token of its cookie, and lets none be set for a page that may not use it.
func (x *exchange) takeCookie() error {
	cookies := &x.server.o.Cookies
	asked := cookies.Sets(x.req)
	err := cookies.Take(cookies.Read(x.r), x.req)
	switch {
	case err != nil || !cookies.Sets(x.req):
	case !asked && x.r.Method == http.MethodGet:
		// A login by GET, such as one that goes on at an OpenID provider: that the browser has a cookie is no reason to refuse it.
		cookies.Keep(x.req)
	default:
		err = cookies.MaySet(x.r)
	}
	return x.refusal(err)
}

// leaves reports whether the request logs out of the session in the cookie.
func (x *exchange) leaves() bool { return x.req.Action == "logout" && x.server.o.Cookies.Sets(x.req) }

// gone is what a browser keeps of the cookie after logging out: nothing.
var gone = (&http.Cookie{
	Name: protocol.TokenCookie, Value: "null", Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode,
}).String()

// dropCookie takes the cookie away from a browser that logs out, also when the session in it had ended before: pages cannot
// remove it, and with it every request would be refused.
func (x *exchange) dropCookie(resp *protocol.Response) {
	if resp.Error == nil || resp.Status == http.StatusUnauthorized {
		x.w.Header()["Set-Cookie"] = []string{gone}
	}
}

// secureToken keeps the cookie to encrypted connections when it is set over one.
func (x *exchange) secureToken(h http.Header) {
	set := h["Set-Cookie"]
	if len(set) == 0 || !x.server.o.Cookies.Secure(x.r) {
		return
	}
	secured := make([]string, len(set))
	for i, cookie := range set {
		if strings.HasPrefix(cookie, protocol.TokenCookie+"=") {
			cookie += "; Secure"
		}
		secured[i] = cookie
	}
	h["Set-Cookie"] = secured
}
