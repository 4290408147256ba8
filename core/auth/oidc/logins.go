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

const (
	// maxFinished bounds how many finished logins are remembered; one more within their time is refused.
	maxFinished = 65_536
	// maxOfNetwork bounds those of one client network, see auth.Network: it is refused then, and the others are not.
	maxOfNetwork = maxFinished / 8
	// forgetEvery is how often the memory is looked through at most, when there is no room in it.
	forgetEvery = time.Second
)

// logins are the logins under way at one provider. Nothing is kept of them while they are: the state carries an id, an end
// and a seal over both and over the client that began, and nonce and PKCE verifier are made from the id. So nobody can push
// out the logins of others by beginning many. Only those are remembered that are being finished, and those that succeeded,
// until their end, that none logs in twice. One that came to nothing can be resumed: a code that is no good would otherwise
// take as much room as a login, and costs nothing.
//
// The key is made anew at each start: logins under way at that moment have to be begun again.
type logins struct {
	key     []byte
	timeout time.Duration
	now     func() time.Time

	mu       sync.Mutex
	finished map[loginID]finished
	networks map[string]int // how many of finished each has
	forgotAt time.Time
}

// finished is one that cannot be resumed before end.
type finished struct {
	end     time.Time
	network string
}

// loginID is random.
type loginID [16]byte

// pending is one login under way.
type pending struct {
	id                     loginID
	state, nonce, verifier string
}

func newLogins(timeout time.Duration) (*logins, error) {
	l := &logins{
		key: make([]byte, sha256.Size), timeout: timeout, now: time.Now,
		finished: map[loginID]finished{}, networks: map[string]int{},
	}
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

// take finishes the login of a state; notBegun unless that client began it and it is neither over nor finished,
// api.process.too_many_logins_requests when its network has finished too many. drop must follow when it comes to nothing.
func (l *logins) take(text, client, network string) (pending, error) {
	if len(text) != stateEncoding.EncodedLen(stateBytes) {
		return pending{}, notBegun
	}
	state, err := stateEncoding.DecodeString(text)
	if err != nil || !hmac.Equal(state[sealOffset:], l.seal("state", state[:sealOffset], client)) {
		return pending{}, notBegun
	}
	id := loginID(state[:endOffset])
	end := time.UnixMilli(int64(binary.BigEndian.Uint64(state[endOffset:]))) //nolint:gosec // sealed
	if err := l.finish(id, finished{end, network}); err != nil {
		return pending{}, err
	}
	return l.pending(id, text), nil
}

func (l *logins) finish(id loginID, f finished) error {
	now := l.now()
	if !now.Before(f.end) {
		return notBegun
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.finished[id]; ok {
		return notBegun
	}
	if err := l.roomLocked(f.network); err != nil {
		l.forgetLocked(now)
	}
	if err := l.roomLocked(f.network); err != nil {
		return err
	}
	l.finished[id] = f
	l.networks[f.network]++
	return nil
}

// roomLocked fails when one more cannot be remembered.
func (l *logins) roomLocked(network string) error {
	switch {
	case l.networks[network] >= maxOfNetwork:
		return kerror.APIProcessTooManyLoginsRequests.New()
	case len(l.finished) >= maxFinished:
		return kerror.APIProcessOverloaded.New()
	}
	return nil
}

// forgetLocked drops the finished logins that could not be resumed any more.
func (l *logins) forgetLocked(now time.Time) {
	if now.Sub(l.forgotAt) < forgetEvery {
		return
	}
	l.forgotAt = now
	for id, f := range l.finished {
		if !now.Before(f.end) {
			l.dropLocked(id)
		}
	}
}

// drop lets the login that was taken be resumed.
func (l *logins) drop(p pending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropLocked(p.id)
}

func (l *logins) dropLocked(id loginID) {
	f, ok := l.finished[id]
	if !ok {
		return
	}
	delete(l.finished, id)
	if l.networks[f.network]--; l.networks[f.network] == 0 {
		delete(l.networks, f.network)
	}
}

func (l *logins) pending(id loginID, state string) pending {
	return pending{
		id:       id,
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
