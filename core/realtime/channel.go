package realtime

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Scope says which of two sides a subscriber wants to hear of: documents that are in the filter or leave it, users that come
// or go.
type Scope uint8

// The scopes.
const (
	All Scope = iota
	In
	Out
	None
)

// ParseScope reads the argument scope of a subscription; core.realtime.invalid_scope.
func ParseScope(text string) (Scope, error) {
	s, ok := scopes[text]
	if !ok {
		return 0, kerror.CoreRealtimeInvalidScope.New()
	}
	return s, nil
}

// ParseUsers reads the argument users of a subscription; core.realtime.invalid_users.
func ParseUsers(text string) (Scope, error) {
	s, ok := scopes[text]
	if !ok {
		return 0, kerror.CoreRealtimeInvalidUsers.New()
	}
	return s, nil
}

var scopes = map[string]Scope{"all": All, "in": In, "out": Out, "none": None}

// admits reports whether who chose s hears of side, In or Out.
func (s Scope) admits(side Scope) bool { return s == All || s == side }

func (s Scope) String() string { return [...]string{"all", "in", "out", "none"}[s] }

// Options are what a subscriber wants to hear of a room; the zero value hears all of documents and users on all nodes.
type Options struct {
	// Documents is for messages about documents, published ones too; Users for those about subscribers.
	Documents Scope
	Users     Scope
	// Local keeps the subscription to what happens on this node.
	Local bool
	// Resumable gives every message an id, from which a later subscription may go on.
	Resumable bool
}

// Digits of channel names. Where the API gives users:out and users:none one digit, out has its own here: their messages must
// not reach who wants none. No client looks into the name.
var (
	usersDigits     = [...]byte{All: '1', In: '2', Out: '4', None: '3'}
	documentsDigits = [...]byte{All: '1', In: '2', Out: '3', None: '4'}
)

// suffix makes the name of a channel out of that of its room.
func (o Options) suffix() string {
	cluster := byte('1')
	if o.Local {
		cluster = '2'
	}
	text := []byte{'-', usersDigits[o.Users], cluster, documentsDigits[o.Documents]}
	if o.Resumable {
		text = append(text, 'r')
	}
	return string(text)
}

// IsChannel reports whether a topic is one on which the node tells clients something, or begins as the name of a room does:
// nobody else may send on it.
func IsChannel(topic string) bool {
	const roomDigits = 2 * sha256.Size
	if len(topic) < roomDigits {
		return topic == protocol.ServerNotificationRoom
	}
	_, err := hex.DecodeString(topic[:roomDigits])
	return err == nil
}
