package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"
)

// Outcome is how what happened ended.
type Outcome string

// The outcomes.
const (
	Success Outcome = "success"
	// Refused: whoever asked may not, is not who he says, or asks too often.
	Refused Outcome = "refused"
	// Failed: it could not be done.
	Failed Outcome = "failed"
)

// Event is one line. Texts that clients choose, and lists, are cut to what a line has room for; see bounded.
type Event struct {
	Time time.Time `json:"time"`
	// Event says what it is about: one of the names in Audited, Refusal, or what core/node calls it.
	Event   string  `json:"event"`
	Outcome Outcome `json:"outcome"`
	// Error is the id of the error, such as security.rights.forbidden.
	Error string `json:"error,omitzero"`

	// User is the kuid of who asked, after a login of who logged in; "-1" is anonymous.
	User     string   `json:"user,omitzero"`
	Profiles []string `json:"profiles,omitempty"`
	// Strategy is what a login, or credentials, are about.
	Strategy string `json:"strategy,omitzero"`
	// Token is the Fingerprint of the token shown, Issued that of the one made.
	Token  string `json:"token,omitzero"`
	Issued string `json:"issued,omitzero"`

	IP         string `json:"ip,omitzero"`
	Protocol   string `json:"protocol,omitzero"`
	Connection string `json:"connection,omitzero"`
	Request    string `json:"request,omitzero"`
	// Plugin called, or is what a plugin event is about.
	Plugin string `json:"plugin,omitzero"`

	Controller string `json:"controller,omitzero"`
	Action     string `json:"action,omitzero"`
	// Targets are the ids of the users, profiles, roles, API keys, indexes or collections that it was done to.
	Targets []string `json:"targets,omitempty"`
	// Owner is the kuid of the user whose API keys the targets are.
	Owner string `json:"owner,omitzero"`

	// Cut is whether texts or lists are longer than what is here. Those end in cutMark, which a client may also send.
	Cut bool `json:"cut,omitzero"`
	// Count is how many times it happened since Since, 0 for once; see repeats.
	Count int       `json:"count,omitzero"`
	Since time.Time `json:"since,omitzero"`
	// Facts are of the node itself: its version, a state.
	Facts map[string]string `json:"facts,omitempty"`
}

// Events that are no action.
const (
	// Refusal is a request for anything that is not in Audited, refused for want of rights or of a good token.
	Refusal = "refusal"
	// Lost says how many events could not be recorded.
	Lost = "lost"
	// NodeStart and NodeStop are of the node.
	NodeStart = "nodeStart"
	NodeStop  = "nodeStop"
	// Plugin is a change in the life of a plugin.
	Plugin = "plugin"
	// Keys is a change of the keys that sign and verify tokens.
	Keys = "keys"
	// NewUser is a user that a login made.
	NewUser = "user"
)

const (
	// maxText is how many bytes a text takes up in a line at most, before cutMark.
	maxText = 256
	// maxTargets is how long lists are, maxUndone of targets to which nothing was done: anybody can name some.
	maxTargets = 1000
	maxUndone  = 4
	cutMark    = "…"
)

// Fingerprint tells tokens apart and gives none away: 48 bits of the SHA-256 of its text. The id under which a token is stored
// begins with it.
func Fingerprint(token string) string {
	if token == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:6])
}

// bounded is e with nothing longer than a line should hold: lists of so many targets.
func (e Event) bounded(targets int) Event {
	for _, text := range []*string{&e.Error, &e.User, &e.Strategy, &e.IP, &e.Connection, &e.Request, &e.Plugin, &e.Controller, &e.Action, &e.Owner} {
		*text = e.cut(*text)
	}
	e.Profiles, e.Targets = e.cutAll(e.Profiles, maxTargets), e.cutAll(e.Targets, targets)
	return e
}

// cut gives a text as valid UTF-8, which all lines are, or its beginning. It counts what the text is in JSON.
func (e *Event) cut(text string) string {
	size := 0
	for i, r := range text {
		if size += escapedLen(r); size > maxText {
			e.Cut = true
			return strings.ToValidUTF8(text[:i], "\uFFFD") + cutMark
		}
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// escapedLen is how many bytes a character takes up in JSON, or more.
func escapedLen(r rune) int {
	switch {
	case r < ' ':
		return len(`\u0000`)
	case r == '"' || r == '\\':
		return len(`\\`)
	default:
		return utf8.RuneLen(r)
	}
}

// cutAll leaves the list of the caller as it is.
func (e *Event) cutAll(texts []string, limit int) []string {
	var all []string
	for _, text := range texts[:min(len(texts), limit)] {
		all = append(all, e.cut(text))
	}
	if len(texts) > limit {
		e.Cut = true
		all = append(all, cutMark)
	}
	return all
}
