package network

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Cookies decides when the token in the cookie of a request counts. Browsers add the cookie to requests of any page, so it does
// when a page of the host that it asks sent the request, or one of an origin that the operator named, or no page at all. The zero
// value lets none count.
type Cookies struct {
	// On is the setting.
	On bool
	// Own reports whether an action looks at credentials itself. The cookie is then no business of anybody.
	Own     func(controller, action string) bool
	Origins *Origins
	Proxies Proxies
}

// Cookie is what a request, or the upgrade of a connection, brought. It never changes.
type Cookie struct {
	sent bool
	// token is "" when the cookie cannot be read.
	token string
	// foreign says that page sent it, which may not.
	foreign bool
	page    string
}

// Read gives the cookie of a request; the zero value when there is none.
func (c *Cookies) Read(r *http.Request) Cookie {
	var k Cookie
	k.token, k.sent = tokenIn(r.Header["Cookie"])
	if k.sent && c.On {
		k.page, k.foreign = c.foreignPage(r)
	}
	return k
}

// tokenIn finds the cookie in the header. The value null is what logging out leaves. Of two cookies one was planted by
// somebody else, and nobody can tell which: that is no token.
func tokenIn(lines []string) (token string, sent bool) {
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ";") {
			name, value, found := strings.Cut(part, "=")
			value = strings.Trim(value, " \t")
			switch {
			case strings.Trim(name, " \t") != protocol.TokenCookie || found && (value == "" || value == "null"):
			case sent || strings.IndexFunc(value, foreignToTokens) >= 0:
				return "", true
			default:
				token, sent = value, true
			}
		}
	}
	return token, sent
}

// foreignToTokens reports characters that no token has.
func foreignToTokens(c rune) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return false
	}
	return !strings.ContainsRune("-._~+/=", c)
}

// Foreign is api.process.unauthorized_origin for a cookie of a page that may not use it.
func (k Cookie) Foreign() error {
	if !k.foreign {
		return nil
	}
	return foreignCookie(k.page)
}

// Take gives req the token of the cookie that came with it. Logging in and out and refreshing are about the cookie then, as with
// the argument cookieAuth. Errors:
//
//   - security.cookie.unsupported: cookies are off
//   - api.process.unauthorized_origin: the cookie does not count
//   - security.token.verification_error: there is a token beside it
//   - api.assert.forbidden_argument: there is a token beside cookieAuth
//   - security.cookie.invalid: it cannot be read, unless a login replaces it, or a logout removes it
func (c *Cookies) Take(k Cookie, req *protocol.Request) error {
	asked := asksForCookie(req)
	switch {
	case !k.sent && !asked, k.sent && c.Own != nil && c.Own(req.Controller, req.Action):
		return nil
	case !c.On:
		return kerror.SecurityCookieUnsupported.New()
	case k.foreign:
		return k.Foreign()
	case req.Token != "" && k.sent:
		return kerror.SecurityTokenVerificationError.New("a cookie and another token came together, send one of them")
	case req.Token != "":
		return kerror.APIAssertForbiddenArgument.New(cookieArgument)
	case !k.sent:
		return nil
	}
	return k.give(req)
}

// give gives req the token.
func (k Cookie) give(req *protocol.Request) error {
	if k.token == "" && !isAuth(req, "login", "logout") {
		return kerror.SecurityCookieInvalid.New()
	}
	req.Token = k.token
	if isAuth(req, settingActions...) {
		req.Args.Set(cookieArgument, jsontext.Value("true"))
	}
	return nil
}

// cookieArgument asks for a cookie in place of a token in the answer.
const cookieArgument = "cookieAuth"

// settingActions are the actions of auth that set the cookie.
var settingActions = []string{"login", "logout", "refreshToken"}

func isAuth(req *protocol.Request, actions ...string) bool {
	return req.Controller == "auth" && slices.Contains(actions, req.Action)
}

func asksForCookie(req *protocol.Request) bool {
	if !isAuth(req, settingActions...) && !isAuth(req, "checkToken") {
		return false
	}
	asked, err := req.Args.Bool(cookieArgument) // the action refuses what is no flag
	return err == nil && asked
}

// Sets reports whether the answer to req, whose cookie was taken, sets the cookie.
func (c *Cookies) Sets(req *protocol.Request) bool {
	return isAuth(req, settingActions...) && asksForCookie(req)
}

// Keep leaves the cookie as it is, whose request, which was taken, would set it.
func (c *Cookies) Keep(req *protocol.Request) { req.Args.Remove(cookieArgument) }

// MaySet lets pages that may use the cookie have it set: api.process.unauthorized_origin for others, which could log a user in as
// somebody else. So could a link that he opens, which api.assert.forbidden_argument refuses: where the connection is not encrypted
// a browser that follows one looks like a program.
func (c *Cookies) MaySet(r *http.Request) error {
	page, foreign := c.foreignPage(r)
	switch {
	case foreign:
		return foreignCookie(page)
	case slices.Contains(r.Header["Sec-Fetch-Site"], "none"):
		return foreignCookie("none")
	case r.Method != http.MethodPost:
		e := kerror.APIAssertForbiddenArgument.New(cookieArgument)
		e.Message = "The cookie " + protocol.TokenCookie + " is set by POST alone, as a link can make a browser send " + r.Method +
			". Send the same with POST, or leave " + cookieArgument + " out and take the token from the answer."
		return e
	}
	return nil
}

// foreignPage finds the page that made a browser send the request, when cookies do not count for it. What the browser says of the
// site is worth more than comparing hosts: a proxy may have changed the host. Old browsers, and all where the connection is not
// encrypted, do not say it, and send Origin only with some requests.
func (c *Cookies) foreignPage(r *http.Request) (page string, foreign bool) {
	origin := strings.Join(r.Header["Origin"], ", ")
	sites := r.Header["Sec-Fetch-Site"]
	switch {
	case origin != "" && c.Origins.Named(origin), len(sites) == 1 && sites[0] == "same-origin":
		return "", false
	case slices.ContainsFunc(sites, func(site string) bool { return site != "none" }):
		return cmp.Or(origin, strings.Join(sites, ", ")), true
	}
	origin = cmp.Or(origin, r.Header.Get("Referer"))
	if origin == "" {
		return "", false
	}
	return c.otherOrigin(r, origin)
}

// otherOrigin gives the origin of a page's address when it is not of the host that the request asks. Under a proxy that nobody
// trusts the node does not know that the connection is encrypted.
func (c *Cookies) otherOrigin(r *http.Request, address string) (origin string, other bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address, true
	}
	likely := u.Scheme == "https" || u.Scheme == "http" && !c.Secure(r)
	return u.Scheme + "://" + u.Host, !likely || !strings.EqualFold(u.Host, r.Host)
}

// Secure reports whether the client's connection is encrypted: here, or in front of a trusted proxy.
func (c *Cookies) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	said := r.Header["X-Forwarded-Proto"]
	if len(said) == 0 || !c.Proxies.trusts(PeerAddr(r.RemoteAddr)) {
		return false
	}
	first, _, _ := strings.Cut(said[0], ",")
	return strings.EqualFold(strings.TrimSpace(first), "https")
}

// foreignCookie refuses who, an origin, an address or a kind of site, and says what to do.
func foreignCookie(who string) error {
	e := kerror.APIProcessUnauthorizedOrigin.New(who)
	e.Message = "The cookie " + protocol.TokenCookie + " counts only for pages of the host that they ask, and this request comes from " +
		strconv.Quote(who) + ". Name the page's origin in http.accessControlAllowOrigin, where * names nobody, or send the token in the " +
		"header Authorization and no cookie."
	return e
}
