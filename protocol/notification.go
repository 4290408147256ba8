package protocol

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// ServerNotificationRoom is the channel of notices from the node itself.
const ServerNotificationRoom = "kuzzle:notification:server"

// Notification is a message that no request asked for: a document or user event on a channel, or a notice of the node.
type Notification struct {
	// Room is the channel; every notification has one.
	Room string
	// Type is "document", "user" or "TokenExpired".
	Type       string
	Status     int
	RequestID  string
	Timestamp  int64 // milliseconds since 1970
	Volatile   jsontext.Value
	Index      string
	Collection string
	Controller string
	Action     string
	Protocol   string
	// Event is "write", "delete" or "publish", Scope "in" or "out": document notifications only.
	Event string
	Scope string
	// User is "in" or "out": user notifications only.
	User string
	// Result is nil for notices.
	Result jsontext.Value
	// Info and Message are the texts of a notice.
	Info    string
	Message string
	Node    string
}

// TokenExpired is the notice that a connection gets when its token ends.
func TokenExpired(node string) *Notification {
	return &Notification{
		Room: ServerNotificationRoom, Type: "TokenExpired", Status: 200, Node: node,
		Info: "This is an automated server notification", Message: "Authentication Token Expired",
	}
}

// Append writes the notification after dst. Keys without a value are left out, volatile of a document or user event
// excepted.
func (n *Notification) Append(dst []byte) []byte {
	dst = appendText(append(dst, `{"type":`...), n.Type)
	dst = strconv.AppendInt(append(dst, `,"status":`...), int64(n.Status), 10)
	for _, m := range [...]struct{ key, value string }{
		{`,"info":`, n.Info},
		{`,"message":`, n.Message},
		{`,"requestId":`, n.RequestID},
		{`,"index":`, n.Index},
		{`,"collection":`, n.Collection},
		{`,"controller":`, n.Controller},
		{`,"action":`, n.Action},
		{`,"protocol":`, n.Protocol},
		{`,"event":`, n.Event},
		{`,"scope":`, n.Scope},
		{`,"user":`, n.User},
	} {
		if m.value != "" {
			dst = appendText(append(dst, m.key...), m.value)
		}
	}
	if n.Timestamp != 0 {
		dst = strconv.AppendInt(append(dst, `,"timestamp":`...), n.Timestamp, 10)
	}
	if n.Result != nil {
		dst = appendOrNull(append(dst, `,"volatile":`...), n.Volatile)
		dst = append(append(dst, `,"result":`...), n.Result...)
	}
	dst = appendText(append(dst, `,"node":`...), n.Node)
	dst = appendText(append(dst, `,"room":`...), n.Room)
	return append(dst, '}')
}
