package httpserver

import (
	"net/http"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Services are plugins whose routes of the profile raw answer in their own shape: what they say is the whole answer, and what
// the node refuses is answered as they have told it beforehand. They are also HTTP as others know it: HEAD goes where GET does,
// and another verb on a known path is 405.

// match finds the route of the request. HEAD without a route of its own finds that of GET, and is answered without the plugin:
// what GET does there may not be for those who only ask whether it is there.
func (x *exchange) match(site *router.Site, path string) (router.Match, bool) {
	m, found := site.Match(x.r.Method, path)
	if !found && x.r.Method == http.MethodHead {
		m, found = site.Match(http.MethodGet, path)
		found = found && m.Entry.Service != nil
		x.headOfGet = found
	}
	return m, found
}

// verbs answers without a body which verbs a path has.
func (x *exchange) verbs(verbs []string) *protocol.Response {
	x.allow = allowed(verbs)
	resp := protocol.NewResponse(x.req, protocol.Absent, nil)
	resp.Raw, resp.Status = true, http.StatusNoContent
	return resp
}

// take makes the exchange one with the action: its form of answers, its bounds, and what is its business.
func (x *exchange) take(e *router.Entry) {
	x.profile, x.service = e.Profile, e.Service
	x.req.Controller, x.req.Action = e.Controller, e.Name
	if e.MaxBodyBytes > 0 {
		x.limit = min(x.limit, e.MaxBodyBytes)
	}
	if e.Auth.Own() {
		x.req.Token = ""
		x.req.Connection.URL = x.r.RequestURI
	}
}

// readService reads parameters and body of a service. No parameter means anything to the node, but for the token where the
// node looks at it.
func (x *exchange) readService(match router.Match) error {
	var list [16]pair
	pairs, err := parsePairs(list[:0], x.r.URL.RawQuery)
	if err != nil {
		return err
	}
	for i, p := range pairs {
		if p.name != "jwt" || match.Entry.Auth.Own() {
			setParameter(x.req, pairs, i)
		} else if x.req.Token == "" {
			x.req.Token = p.value
		}
	}
	match.Fill(x.req)
	if err := x.repeatedReserved(); err != nil {
		return err
	}
	if x.r.ContentLength == 0 {
		return nil
	}
	return x.readBody(&match.Entry.Action)
}

// shape gives an answer the form of the service, when it is one's.
func (x *exchange) shape(resp *protocol.Response) *protocol.Response {
	if x.service != nil {
		resp.Bare(x.service.Refusals)
	}
	return resp
}

// missed answers for a service what no route of it takes.
func (x *exchange) missed(miss router.Miss) *protocol.Response {
	x.service, x.profile = miss.Service, protocol.Raw
	if miss.Service.Down != nil {
		return x.fail(miss.Service.Down)
	}
	if len(miss.Verbs) == 0 {
		return x.fail(kerror.NetworkHTTPURLNotFound.New(x.r.URL.EscapedPath()))
	}
	return x.notAllowed(allowed(miss.Verbs))
}

// allowed is the header Allow for the verbs that have routes.
func allowed(verbs []string) string {
	if slices.Contains(verbs, http.MethodGet) && !slices.Contains(verbs, http.MethodHead) {
		verbs = append(verbs, http.MethodHead)
	}
	return strings.Join(append(verbs, http.MethodOptions), ", ")
}

// answerOptions answers OPTIONS: of services without a body and for paths that are there alone, of the API on any path. Pages
// may send a service every header that they ask for: its headers are its own business, such as one with its credentials.
// Which pages may call at all is the node's.
func (x *exchange) answerOptions(site *router.Site) {
	miss := site.Miss(x.r.URL.EscapedPath())
	switch {
	case miss.Service == nil:
		x.answerPreflight()
	case len(miss.Verbs) == 0:
		x.answer(x.missed(miss))
	default:
		resp := x.verbs(miss.Verbs)
		if asked := x.r.Header["Access-Control-Request-Headers"]; len(asked) > 0 {
			resp.Header = http.Header{"Access-Control-Allow-Headers": {strings.Join(asked, ", ")}}
		}
		x.answer(resp)
	}
}

// answerNobody answers on the hosts of a plugin that is not there.
func (x *exchange) answerNobody(plugin string) {
	x.service, x.profile = &router.Service{}, protocol.Raw
	x.answer(x.fail(kerror.PluginRuntimeUnavailable.New(plugin, "not started")))
}

// unsupported refuses a media type, to clients of a service with the status that HTTP has for it.
func (x *exchange) unsupported(media string) error {
	refused := kerror.NetworkHTTPUnsupportedContent.New(media)
	if x.service != nil {
		refused.Status = http.StatusUnsupportedMediaType
	}
	return refused
}
