package httpserver

import (
	"strings"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxParameters bounds the parameters of one query string and the fields of one form.
const maxParameters = 1000

// pair is one parameter of a query string, both valid UTF-8.
type pair struct{ name, value string }

// readParameters spreads the query over the request, then the path's parameters, which win. controller, action and body
// in a query are ignored: a URL must not say one thing by its path and mean another.
func (x *exchange) readParameters(match router.Match) error {
	x.req.Args = protocol.TextArgs()
	var list [16]pair
	pairs, err := parsePairs(list[:0], x.r.URL.RawQuery)
	if err != nil {
		return err
	}
	for i, p := range pairs {
		switch p.name {
		case "jwt":
			if x.req.Token == "" {
				x.req.Token = p.value
			}
		case "requestId":
			if p.value != "" && x.r.Header["X-Kuzzle-Request-Id"] == nil {
				x.req.RequestID = p.value
			}
		case "volatile":
			if err := x.setVolatile(p.value); err != nil {
				return err
			}
		case "pretty":
			x.pretty = true
		case "controller", "action", "body":
		default:
			setParameter(x.req, pairs, i)
		}
	}
	match.Fill(x.req)
	if x.req.Args.Has("index") || x.req.Args.Has("collection") || x.req.Args.Has("_id") {
		return x.repeatedReserved()
	}
	return nil
}

// setParameter sets the parameter at i with all its values when it is the first of its name.
func setParameter(req *protocol.Request, pairs []pair, i int) {
	name := pairs[i].name
	for _, earlier := range pairs[:i] {
		if earlier.name == name {
			return
		}
	}
	values := []string{pairs[i].value}
	for _, later := range pairs[i+1:] {
		if later.name == name {
			values = append(values, later.value)
		}
	}
	router.SetArgument(req, name, values...)
}

// repeatedReserved deals with an index, collection or _id given several times: the path's own wins, otherwise it is of the
// wrong type.
func (x *exchange) repeatedReserved() error {
	for name, field := range map[string]string{"index": x.req.Index, "collection": x.req.Collection, "_id": x.req.ID} {
		if x.req.Args.Has(name) && field == "" {
			return kerror.APIAssertInvalidType.New(name, "string")
		}
		x.req.Args.Remove(name)
	}
	return nil
}

// parsePairs reads a query string or an urlencoded form after list.
func parsePairs(list []pair, raw string) ([]pair, error) {
	for raw != "" {
		var part string
		part, raw, _ = strings.Cut(raw, "&")
		if part == "" {
			continue
		}
		if len(list) == maxParameters {
			return nil, kerror.NetworkHTTPUnexpectedError.New("too many parameters")
		}
		name, value, _ := strings.Cut(part, "=")
		list = append(list, pair{validText(network.Unescape(name)), validText(network.Unescape(value))})
	}
	return list, nil
}

func hasParameter(raw, wanted string) bool {
	for raw != "" {
		var part string
		part, raw, _ = strings.Cut(raw, "&")
		if name, _, _ := strings.Cut(part, "="); name == wanted {
			return true
		}
	}
	return false
}

// validText replaces invalid UTF-8 as it is replaced in JSON. Names go through it before they are compared: those that
// differ in nothing else would become the same name twice in one object. A value may become an id, which is answered.
func validText(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
