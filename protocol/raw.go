package protocol

import (
	"net/http"
	"strconv"
	"strings"
)

// Refusal is how a service of the profile Raw answers an error of one HTTP status that has no body of its own: what the node
// refuses before the service sees it, among others. Body and the values of Header are templates, see FillRefusal.
type Refusal struct {
	Body string
	// ContentType is application/json when "".
	ContentType string
	// Status replaces the one that is answered when not 0.
	Status int
	Header http.Header
}

// Refusals are those of one service by HTTP status; 0 is each status that has none of its own. Statuses that are not there
// are answered {"status":…,"message":…}. They never change once in use.
type Refusals map[int]Refusal

var plainRefusal = Refusal{Body: `{"status":$status,"message":$message}`}

func (r Refusals) of(status int) Refusal {
	if one, ok := r[status]; ok {
		return one
	}
	if rest, ok := r[0]; ok {
		return rest
	}
	return plainRefusal
}

// FillRefusal fills in a template: $message is the message as a JSON text with its quotes, $status the status as a number,
// $requestId the id of the request as a JSON text.
func FillRefusal(template string, status int, message, requestID string) string {
	if strings.IndexByte(template, '$') < 0 {
		return template
	}
	return strings.NewReplacer(
		"$message", string(appendText(nil, message)),
		"$status", strconv.Itoa(status),
		"$requestId", string(appendText(nil, requestID)),
	).Replace(template)
}

// Bare makes a, an answer of the profile Raw, what is sent over the routes of its action: no envelope, but the result itself
// with the answer's own status and content type. An error without a result is answered as refusals say.
func (a *Response) Bare(refusals Refusals) {
	if a.Stream != nil {
		return
	}
	// Append writes the content itself from now on.
	a.Profile, a.Raw = KuzzleV2, true
	switch {
	case a.Error != nil && len(a.Content) == 0 && len(a.Result) == 0:
		a.refuse(refusals.of(a.Status))
	case a.Content == nil:
		a.Content = a.Result
	}
	a.Result = nil
}

func (a *Response) refuse(r Refusal) {
	a.Content = []byte(FillRefusal(r.Body, a.Status, a.Error.Message, a.RequestID))
	a.ContentType = r.ContentType
	if len(r.Header) > 0 {
		header := a.Header.Clone()
		if header == nil {
			header = make(http.Header, len(r.Header))
		}
		for name, values := range r.Header {
			filled := make([]string, len(values))
			for i, v := range values {
				filled[i] = FillRefusal(v, a.Status, a.Error.Message, a.RequestID)
			}
			header[name] = filled
		}
		a.Header = header
	}
	if r.Status != 0 {
		a.Status = r.Status
	}
}
