package sseserver

import (
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// readSubscription turns the arguments of the URL into those of realtime:subscribe, and gives the id of the last message that
// the client got, "" for none. What browsers send on their own when they come back is newer than what stands in the URL.
func readSubscription(r *http.Request, req *protocol.Request) (after string, err error) {
	filter, err := req.Args.OptString("filter", "{}")
	if err != nil {
		return "", err
	}
	req.Body = jsontext.Value(filter)
	if network.TooDeep(req.Body) || !req.Body.IsValid() || req.Body.Kind() != '{' {
		return "", kerror.APIAssertInvalidType.New("filter", "object")
	}
	if after, err = req.Args.OptString("lastEventId", ""); err != nil {
		return "", err
	}
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		after = id
	}
	for _, name := range [...]string{"filter", "lastEventId", "lastMessageId"} {
		req.Args.Remove(name)
	}
	req.Args.AddText("resumable", "true")
	if after != "" {
		req.Args.AddText("lastMessageId", after)
	}
	return after, nil
}

// opening gives the events that a stream begins with. The first names the message from which the client goes on when it loses
// the connection right away: the one it named itself, as long as what followed that is still on its way.
func opening(resp *protocol.Response, after string) []event {
	var answer struct {
		LastMessageID string `json:"lastMessageId"`
		Resumed       bool   `json:"resumed"`
	}
	_ = json.Unmarshal(resp.Result, &answer) // a pipe may answer with something else, from which nobody can go on
	id := answer.LastMessageID
	if answer.Resumed {
		id = after
	}
	if strings.ContainsAny(id, "\x00\r\n") {
		id = ""
	}
	events := []event{{name: "subscribed", id: id, data: resp.Append(nil, "")}}
	if after != "" && !answer.Resumed {
		lost, _ := jsontext.AppendQuote([]byte(`{"lastEventId":`), after) // invalid UTF-8 is replaced
		events = append(events, event{name: "gap", id: id, data: append(lost, '}')})
	}
	return events
}
