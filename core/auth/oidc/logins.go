package oidc

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxFinished bounds how many finished logins are remembered; one more within their time is refused.
const maxFinished = 65_536

// logins are the logins under way at one provider. Nothing is kept of them while they are: the state carries an id, an end
// and a seal over both and over the client that began, and nonce and PKCE verifier are made from the id. So nobody can push
// out the logins of others by beginning many. Only finished ones are remembered, until their end, that none is finished
// twice.
//
// The key is made anew at each start: logins under way at that moment have to be begun again.
type logins struct {
	key     []byte
	timeout time.Duration
	now     func() time.Time

	mu       sync.Mutex
	finished map[loginID]time.Time // until
}

// loginID is random.
type loginID [16]byte

// pending is one login under way.
type pending struct{ state, nonce, verifier string }

func newLogins(timeout time.Duration) (*logins, error) {
	l := &logins{key: make([]byte, sha256.Size), timeout: timeout, now: time.Now, finished: map[loginID]time.Time{}}
	if _, err := rand.Read(l.key); err != nil {
		return nil, fmt.Errorf("make the key of logins under way: %w", err)
	}
	return l, nil
}

// The parts of a state.
const (
	endOffset  = len(loginID{})
	sealOffset = endOffset + 8
	stateBytes = sealOffset + sha256.Size
)

// stateEncoding takes one text for each state only.
var stateEncoding = base64.RawURLEncoding.Strict()

// begin makes a login of a client.
func (l *logins) begin(client string) (pending, error) {
	var id loginID
	if _, err := rand.Read(id[:]); err != nil {
		return pending{}, fmt.Errorf("make the id of a login: %w", err)
	}
	state := binary.BigEndian.AppendUint64(id[:], uint64(l.now().Add(l.timeout).UnixMilli()))
	state = append(state, l.seal("state", state, client)...)
	return l.pending(id, stateEncoding.EncodeToString(state)), nil
}

// take finishes the login of a state; notBegun unless that client began it and it is neither over nor finished.
func (l *logins) take(text, client string) (pending, error) {
	if len(text) != stateEncoding.EncodedLen(stateBytes) {
		return pending{}, notBegun
	}
	state, err := stateEncoding.DecodeString(text)
	if err != nil || !hmac.Equal(state[sealOffset:], l.seal("state", state[:sealOffset], client)) {
		return pending{}, notBegun
	}
	id := loginID(state[:endOffset])
	end := time.UnixMilli(int64(binary.BigEndian.Uint64(state[endOffset:]))) //nolint:gosec // sealed
	if err := l.finish(id, end); err != nil {
		return pending{}, err
	}
	return l.pending(id, text), nil
}

func (l *logins) finish(id loginID, end time.Time) error {
	now := l.now()
	if !now.Before(end) {
		return notBegun
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.finished[id]; ok {
		return notBegun
	}
	if len(l.finished) >= maxFinished {
		l.forgetLocked(now)
	}
	if len(l.finished) >= maxFinished {
		return kerror.APIProcessOverloaded.New()
	}
	l.finished[id] = end
	return nil
}

// forgetLocked drops the finished logins that could not be resumed any more.
func (l *logins) forgetLocked(now time.Time) {
	for id, end := range l.finished {
		if !now.Before(end) {
			delete(l.finished, id)
		}
	}
}

func (l *logins) pending(id loginID, state string) pending {
	return pending{
		state:    state,
		nonce:    stateEncoding.EncodeToString(l.seal("nonce", id[:], "")),
		verifier: stateEncoding.EncodeToString(l.seal("verifier", id[:], "")),
	}
}

// seal is a keyed digest of all three. No purpose is the beginning of another, and data has one length for each.
func (l *logins) seal(purpose string, data []byte, client string) []byte {
	mac := hmac.New(sha256.New, l.key)
	for _, part := range [][]byte{[]byte(purpose), data, []byte(client)} {
		_, _ = mac.Write(part) // never fails
	}
	return mac.Sum(nil)
}
