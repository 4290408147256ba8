package protocol

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// Response is the answer to one request.
type Response struct {
	// Profile is the form in which Append writes the answer.
	Profile   Profile
	RequestID string
	Status    int
	// Error is nil on success. Result and Error are both set when an action partly failed.
	Error      *kerror.Error
	Controller string
	Action     string
	Index      string
	Collection string
	Volatile   jsontext.Value
	// Result is nil when the action returned Absent.
	Result jsontext.Value
	// Header is what the action set; never nil for writing, may be nil for none.
	Header http.Header
	// Raw says that Content is the whole answer, not an envelope.
	Raw         bool
	Content     []byte
	ContentType string
	// Stream, when not nil, writes the whole answer, of type ContentType; then there is nothing else to write.
	Stream Stream
	// Node is the id of the node that answered.
	Node         string
	Deprecations []Deprecation
	// Dev adds stack to errors, as the API does in development mode.
	Dev bool

	answered func(ok bool)
}

// Deprecation tells a client what not to use any more; sent in development mode only.
type Deprecation struct {
	Version string `json:"version"`
	Message string `json:"message"`
}

// NewResponse answers r with result and err as an action returned them. An error that is no *kerror.Error becomes
// core.fatal.unexpected_error; logging it is the funnel's part.
func NewResponse(r *Request, result any, err error) *Response {
	a := &Response{
		RequestID: r.RequestID, Controller: r.Controller, Action: r.Action,
		Index: r.Index, Collection: r.Collection, Volatile: r.Volatile,
		Status: http.StatusOK, Header: r.Reply.Header, ContentType: r.Reply.ContentType, answered: r.Reply.Answered,
	}
	if r.Reply.Status != 0 {
		a.Status = r.Reply.Status
	}
	if err == nil || result != nil {
		err = errors.Join(err, a.setResult(r, result))
	}
	if err != nil {
		a.SetError(err)
	}
	return a
}

// Answered tells the action that the answer was queued for the client, or could not be. A protocol that sends messages without
// a request must call it once.
func (a *Response) Answered(queued bool) {
	if a.answered != nil {
		a.answered(queued && a.Error == nil)
	}
}

// SetError makes a an answer of failure.
func (a *Response) SetError(err error) {
	a.Error = AsError(err)
	a.Status = a.Error.Status
	a.Raw, a.Stream = false, nil
}

// AsError gives the *kerror.Error that a client sees for err.
func AsError(err error) *kerror.Error {
	var ke *kerror.Error
	if errors.As(err, &ke) {
		return ke
	}
	return kerror.CoreFatalUnexpectedError.Wrap(err, "see the log of the node for this request id")
}

func (a *Response) setResult(r *Request, result any) error {
	if s, ok := result.(Stream); ok {
		return a.setStream(r, s)
	}
	if r.Reply.Raw {
		a.Raw = true
		switch v := result.(type) {
		case nil, absent:
			return nil
		case []byte:
			a.Content = v
			return nil
		case string:
			a.Content = []byte(v)
			return nil
		}
	}
	var err error
	switch v := result.(type) {
	case absent:
		return nil
	case nil:
		a.Result = jsontext.Value("null")
	case jsontext.Value:
		a.Result = v
	default:
		if a.Result, err = json.Marshal(v, json.Deterministic(true)); err != nil {
			a.Result = nil // it may hold the beginning of one
			return kerror.PluginControllerUnserializableResponse.Wrap(err)
		}
	}
	if a.Raw {
		a.Content, a.Result = a.Result, nil
	}
	return nil
}

// Append writes the answer after dst. room, when not "", is added as the last key: WebSocket answers carry it.
func (a *Response) Append(dst []byte, room string) []byte {
	if a.Raw && a.Profile != Raw {
		return a.appendRaw(dst, room)
	}
	if a.Profile == KuzzleV1 {
		dst = a.appendV1(dst)
	} else {
		dst = a.appendV2(dst)
	}
	if room != "" {
		dst = appendText(append(dst, `,"room":`...), room)
	}
	return append(dst, '}')
}

// appendRaw writes the content itself; over WebSocket an object gets its room and nothing at all becomes "".
func (a *Response) appendRaw(dst []byte, room string) []byte {
	if room == "" {
		return append(dst, a.Content...)
	}
	content := jsontext.Value(a.Content)
	switch {
	case len(content) == 0:
		return append(dst, `""`...)
	case content.Kind() != '{' || !content.IsValid():
		return append(dst, content...)
	}
	object := slices.Clone(content)
	if object.Compact() != nil {
		return append(dst, content...)
	}
	dst = append(dst, object[:len(object)-1]...)
	if len(object) > len("{}") {
		dst = append(dst, ',')
	}
	dst = appendText(append(dst, `"room":`...), room)
	return append(dst, '}')
}

// appendV2 writes all but the closing brace. Keys and their order: Kuzzle 2.56.
func (a *Response) appendV2(dst []byte) []byte {
	dst = a.appendHead(dst)
	if a.Index != "" {
		dst = appendText(append(dst, `,"index":`...), a.Index)
	}
	if a.Collection != "" {
		dst = appendText(append(dst, `,"collection":`...), a.Collection)
	}
	dst = appendOrNull(append(dst, `,"volatile":`...), a.Volatile)
	switch {
	case a.Profile == Raw:
		dst = a.appendRawResult(append(dst, `,"result":`...))
	case a.Result != nil:
		dst = append(append(dst, `,"result":`...), a.Result...)
	}
	dst = a.appendHeaders(append(dst, `,"headers":`...))
	dst = appendText(append(dst, `,"node":`...), a.Node)
	if len(a.Deprecations) > 0 {
		if list, err := json.Marshal(a.Deprecations); err == nil {
			dst = append(append(dst, `,"deprecations":`...), list...)
		}
	}
	return dst
}

// appendRawResult writes the result of the profile Raw: null beside an error, whose body is for routes alone, and text for
// what is no JSON.
func (a *Response) appendRawResult(dst []byte) []byte {
	switch {
	case a.Error == nil && a.Raw:
		return appendText(dst, string(a.Content))
	case a.Error == nil && a.Result != nil:
		return append(dst, a.Result...)
	}
	return append(dst, "null"...)
}

// appendV1 writes all but the closing brace: nine keys, always, in the order of Kuzzle 1.
func (a *Response) appendV1(dst []byte) []byte {
	dst = a.appendHead(dst)
	dst = appendTextOrNull(append(dst, `,"collection":`...), a.Collection)
	dst = appendTextOrNull(append(dst, `,"index":`...), a.Index)
	dst = appendOrNull(append(dst, `,"volatile":`...), a.Volatile)
	return appendOrNull(append(dst, `,"result":`...), a.Result)
}

// appendHead writes the keys that both profiles begin with.
func (a *Response) appendHead(dst []byte) []byte {
	dst = appendText(append(dst, `{"requestId":`...), a.RequestID)
	dst = strconv.AppendInt(append(dst, `,"status":`...), int64(a.Status), 10)
	dst = append(dst, `,"error":`...)
	switch {
	case a.Error == nil:
		dst = append(dst, "null"...)
	case a.Profile == KuzzleV1:
		dst = a.appendErrorV1(dst)
	default:
		dst = a.appendError(dst)
	}
	dst = appendTextOrNull(append(dst, `,"controller":`...), a.Controller)
	return appendTextOrNull(append(dst, `,"action":`...), a.Action)
}

func (a *Response) appendHeaders(dst []byte) []byte {
	dst = append(dst, '{')
	if len(a.Header) == 0 {
		return append(dst, '}')
	}
	names := make([]string, 0, len(a.Header))
	for name := range a.Header {
		if name != "Set-Cookie" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, strings.ToLower(name))
		dst = appendText(append(dst, ':'), strings.Join(a.Header[name], ", "))
	}
	return append(dst, '}')
}

func appendText(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // invalid UTF-8 is replaced, the rest is written all the same
	return dst
}

func appendTextOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return appendText(dst, s)
}

func appendOrNull(dst []byte, v jsontext.Value) []byte {
	if v == nil {
		return append(dst, "null"...)
	}
	return append(dst, v...)
}
