package codec

import (
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
)

// FromRequest makes the message about r that the plugin to gets. The token stays behind: neither r.Token nor the headers that
// may carry it cross, unless to is the plugin that looks at credentials itself (r.Private). Any other plugin learns of such a
// request no more than that it is there.
func FromRequest(r *protocol.Request, to string) *pluginv1.Request {
	if r.Private != "" && r.Private != to {
		return outline(r)
	}
	m := &pluginv1.Request{
		RequestId: r.RequestID, Controller: r.Controller, Action: r.Action,
		Index: r.Index, Collection: r.Collection, Id: r.ID,
		Args: FromArgs(r.Args), ArgsFromText: r.Args.FromText(),
		Body: r.Body, Volatile: r.Volatile,
		RawBody: r.RawBody, ContentType: r.ContentType,
		Connection: fromConnection(r.Connection, r.Private != ""),
	}
	if r.User != nil {
		m.User = &pluginv1.User{Id: r.User.ID, ProfileIds: r.User.ProfileIDs, Source: r.User.Source}
	}
	addOrigin(m, r)
	return m
}

// outline leaves out all that may hold credentials or what belongs to their owner: the path of the URL too.
func outline(r *protocol.Request) *pluginv1.Request {
	m := &pluginv1.Request{RequestId: r.RequestID, Controller: r.Controller, Action: r.Action}
	if c := r.Connection; c != nil {
		m.Connection = &pluginv1.Connection{Id: c.ID, Protocol: c.Protocol, Ips: c.IPs, ClientIp: c.ClientIP, Verb: c.Verb}
	}
	if r.User != nil {
		m.User = &pluginv1.User{Id: r.User.ID, ProfileIds: r.User.ProfileIDs}
	}
	addOrigin(m, r)
	return m
}

func addOrigin(m *pluginv1.Request, r *protocol.Request) {
	if r.Internal != nil {
		m.Hops, m.Caller = uint32(max(r.Internal.Hops, 0)), r.Internal.Plugin //nolint:gosec // bounded by the host, far below
	}
}

// ToRequest fills r from the message. Arguments that are no JSON object are an error.
func ToRequest(m *pluginv1.Request, r *protocol.Request) error {
	args, err := ToArgs(m.GetArgs(), m.GetArgsFromText())
	if err != nil {
		return err
	}
	*r = protocol.Request{
		RequestID: m.GetRequestId(), Controller: m.GetController(), Action: m.GetAction(),
		Index: m.GetIndex(), Collection: m.GetCollection(), ID: m.GetId(),
		Args: args, Body: orNil(m.GetBody()), Volatile: orNil(m.GetVolatile()),
		RawBody: orNil(m.GetRawBody()), ContentType: m.GetContentType(),
		Connection: toConnection(m.GetConnection()),
	}
	if u := m.GetUser(); u != nil {
		r.User = &protocol.User{ID: u.GetId(), ProfileIDs: u.GetProfileIds(), Source: orNil(u.GetSource())}
	}
	if m.GetHops() > 0 || m.GetCaller() != "" {
		r.Internal = &protocol.Internal{Plugin: m.GetCaller(), Hops: int(m.GetHops())}
	}
	return nil
}

// FromArgs gives the arguments as a JSON object, nil for none.
func FromArgs(a protocol.Args) []byte {
	if len(a.All()) == 0 {
		return nil
	}
	return a.JSON()
}

// ToArgs reads arguments from a JSON object or nothing.
func ToArgs(object []byte, fromText bool) (protocol.Args, error) {
	var args protocol.Args
	if fromText {
		args = protocol.TextArgs()
	}
	if len(object) == 0 {
		return args, nil
	}
	parsed, err := protocol.ParseArgs(object, "")
	if err != nil || !fromText {
		return parsed, err
	}
	for _, a := range parsed.All() {
		args.Set(a.Name, a.Value)
	}
	return args, nil
}

// FromHeader makes the message for headers.
func FromHeader(h http.Header) []*pluginv1.Header {
	if len(h) == 0 {
		return nil
	}
	list := make([]*pluginv1.Header, 0, len(h))
	for name, values := range h {
		list = append(list, &pluginv1.Header{Name: name, Values: values})
	}
	return list
}

// ToHeader reads headers, nil for none.
func ToHeader(list []*pluginv1.Header) http.Header {
	if len(list) == 0 {
		return nil
	}
	h := make(http.Header, len(list))
	for _, x := range list {
		name := http.CanonicalHeaderKey(x.GetName())
		h[name] = append(h[name], x.GetValues()...)
	}
	return h
}

func fromConnection(c *protocol.Connection, private bool) *pluginv1.Connection {
	if c == nil {
		return nil
	}
	return &pluginv1.Connection{
		Id: c.ID, Protocol: c.Protocol, Ips: c.IPs, ClientIp: c.ClientIP, Verb: c.Verb, Url: c.URL,
		Headers: withoutToken(FromHeader(c.Header), private),
	}
}

func toConnection(c *pluginv1.Connection) *protocol.Connection {
	return &protocol.Connection{
		ID: c.GetId(), Protocol: c.GetProtocol(), IPs: c.GetIps(), ClientIP: c.GetClientIp(), Verb: c.GetVerb(), URL: c.GetUrl(),
		Header: ToHeader(c.GetHeaders()),
	}
}

// withoutToken takes out what proves who the user is: with it a plugin could act as the user on every action, whatever its
// manifest says. Other schemes of Authorization belong to plugins, and all of them to a private request's. The cookie is the
// node's own and sent by browsers unasked, so it never crosses.
func withoutToken(headers []*pluginv1.Header, private bool) []*pluginv1.Header {
	kept := headers[:0]
	for _, h := range headers {
		switch http.CanonicalHeaderKey(h.GetName()) {
		case "Authorization":
			if private {
				break
			}
			h.Values = keep(h.GetValues(), func(v string) bool { return !hasPrefixFold(strings.TrimSpace(v), "bearer") })
		case "Cookie":
			h.Values = withoutTokenCookie(h.GetValues())
		}
		if len(h.GetValues()) > 0 {
			kept = append(kept, h)
		}
	}
	return kept
}

func withoutTokenCookie(lines []string) []string {
	var kept []string
	for _, line := range lines {
		cookies := keep(strings.Split(line, ";"), func(c string) bool {
			name, _, _ := strings.Cut(c, "=")
			return !strings.EqualFold(strings.TrimSpace(name), protocol.TokenCookie)
		})
		if len(cookies) > 0 {
			kept = append(kept, strings.TrimSpace(strings.Join(cookies, ";")))
		}
	}
	return kept
}

// keep copies: the headers of a request are shared by all who read it.
func keep(list []string, wanted func(string) bool) []string {
	var kept []string
	for _, x := range list {
		if wanted(x) {
			kept = append(kept, x)
		}
	}
	return kept
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// orNil makes absent JSON nil, as protocol has it.
func orNil(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// ToCall fills r from a call of a plugin's: what the plugin says. Who it is, its hops, request id and user are for the
// caller to add; r.Internal is set.
func ToCall(m *pluginv1.CallRequest, r *protocol.Request) error {
	args, err := ToArgs(m.GetArgs(), false)
	if err != nil {
		return kerror.Bare(kerror.BadRequestError, "The arguments of a call must be a JSON object.")
	}
	body, volatile := jsontext.Value(orNil(m.GetBody())), jsontext.Value(orNil(m.GetVolatile()))
	if body.Kind() == 'n' {
		body = nil
	}
	if body != nil && (!body.IsValid() || body.Kind() != '{' && body.Kind() != '[') {
		return kerror.Bare(kerror.BadRequestError, "The body of a call must be a JSON object or array.")
	}
	if volatile != nil && (!volatile.IsValid() || volatile.Kind() != '{') {
		return kerror.Bare(kerror.BadRequestError, "The volatile data of a call must be a JSON object.")
	}
	*r = protocol.Request{
		Controller: m.GetController(), Action: m.GetAction(),
		Index: m.GetIndex(), Collection: m.GetCollection(), ID: m.GetId(),
		Args: args, Body: body, Volatile: volatile,
		Connection: &protocol.Connection{Protocol: "internal"},
		Internal:   &protocol.Internal{CheckRights: m.GetAsUser(), TriggerEvents: m.GetTriggerEvents()},
	}
	return nil
}

// ApplyChange makes the changes of a pipe to r. JSON that is none is an error, and r stays as it was.
func ApplyChange(m *pluginv1.RequestChange, r *protocol.Request) error {
	args, err := ToArgs(m.GetArgs(), r.Args.FromText())
	if err != nil {
		return kerror.PluginRuntimeUnexpectedError.Wrap(err, "a pipe changed the arguments to something that is no JSON object")
	}
	for _, b := range [][]byte{m.GetBody(), m.GetVolatile()} {
		if len(b) > 0 && !jsontext.Value(b).IsValid() {
			return kerror.PluginRuntimeUnexpectedError.New("a pipe changed the body or the volatile data to something that is no JSON")
		}
	}
	r.Index, r.Collection, r.ID, r.Args = m.GetIndex(), m.GetCollection(), m.GetId(), args
	r.Body, r.Volatile = orNil(m.GetBody()), orNil(m.GetVolatile())
	return nil
}
