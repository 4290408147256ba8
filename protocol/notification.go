package protocol

import (
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ServerNotificationRoom is the channel of notices from the node itself.
const ServerNotificationRoom = "kuzzle:notification:server"

// Notification is a message that no request asked for: a document or user event on a channel, or a notice of the node.
type Notification struct {
	// Room is the channel; every notification has one.
	Room string `json:"room"`
	// Type is "document" or "user", or that of a notice of the node, such as "TokenExpired".
	Type       string         `json:"type"`
	Status     int            `json:"status"`
	RequestID  string         `json:"requestId"`
	Timestamp  int64          `json:"timestamp"` // milliseconds since 1970
	Volatile   jsontext.Value `json:"volatile"`
	Index      string         `json:"index"`
	Collection string         `json:"collection"`
	Controller string         `json:"controller"`
	Action     string         `json:"action"`
	Protocol   string         `json:"protocol"`
	// Event is "write", "delete" or "publish", Scope "in" or "out": document notifications only.
	Event string `json:"event"`
	Scope string `json:"scope"`
	// User is "in" or "out": user notifications only.
	User string `json:"user"`
	// Result is nil for most notices.
	Result jsontext.Value `json:"result"`
	// Info and Message are the texts of a notice.
	Info    string `json:"info"`
	Message string `json:"message"`
	Node    string `json:"node"`
}

// TokenExpired is the notice that a connection gets when its token ends.
func TokenExpired(node string) *Notification {
	return &Notification{
		Room: ServerNotificationRoom, Type: "TokenExpired", Status: 200, Node: node,
		Info: "This is an automated server notification", Message: "Authentication Token Expired",
	}
}

// MessagesDropped is the notice that a connection gets when it read too slowly and lost notifications.
func MessagesDropped(node string, count int) *Notification {
	return &Notification{
		Room: ServerNotificationRoom, Type: "MessagesDropped", Status: 200, Node: node,
		Info:    "This is an automated server notification",
		Message: strconv.Itoa(count) + " notifications were dropped because they were not read in time",
	}
}

// SubscriptionsEnded is the notice that a connection gets when its user may no longer have some of its subscriptions.
func SubscriptionsEnded(node string, roomIDs []string) *Notification {
	result := []byte(`{"roomIds":[`)
	for i, id := range roomIDs {
		if i > 0 {
			result = append(result, ',')
		}
		result = appendText(result, id)
	}
	return &Notification{
		Room: ServerNotificationRoom, Type: "SubscriptionsEnded", Status: 200, Node: node, Result: append(result, "]}"...),
		Info: "This is an automated server notification", Message: "The right to these subscriptions was taken away",
	}
}

// Append writes the notification after dst. Keys without a value are left out, volatile of a document or user event and
// protocol of a user event excepted.
func (n *Notification) Append(dst []byte) []byte {
	return appendTail(n.AppendHead(dst), "", n.Room)
}

// AppendHead writes all that a notification has on every channel alike, for Tail to finish.
func (n *Notification) AppendHead(dst []byte) []byte {
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
	if n.Protocol == "" && n.Type == "user" { // of those who leave
		dst = append(dst, `,"protocol":null`...)
	}
	if n.Timestamp != 0 {
		dst = strconv.AppendInt(append(dst, `,"timestamp":`...), n.Timestamp, 10)
	}
	if n.Result != nil {
		dst = appendOrNull(append(dst, `,"volatile":`...), n.Volatile)
		dst = append(append(dst, `,"result":`...), n.Result...)
	}
	return appendText(append(dst, `,"node":`...), n.Node)
}

// Tail finishes what AppendHead wrote for one channel, in memory of its own. messageID is left out when it is "".
func Tail(head []byte, messageID, room string) []byte {
	const keys = len(`,"messageId":"","room":""}`)
	return appendTail(append(make([]byte, 0, len(head)+len(messageID)+len(room)+keys), head...), messageID, room)
}

func appendTail(dst []byte, messageID, room string) []byte {
	if messageID != "" {
		dst = appendText(append(dst, `,"messageId":`...), messageID)
	}
	if room != "" {
		dst = appendText(append(dst, `,"room":`...), room)
	}
	return append(dst, '}')
}

// MarshalJSON writes what Append writes: pipes and hooks of plugins see notifications so.
func (n *Notification) MarshalJSON() ([]byte, error) { return n.Append(nil), nil }

// UnmarshalJSON reads what a pipe made of a notification.
func (n *Notification) UnmarshalJSON(data []byte) error {
	type plain Notification // has the fields, not the methods
	return json.Unmarshal(data, (*plain)(n))
}
