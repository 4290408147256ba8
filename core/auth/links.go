package auth

import (
	"container/heap"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sluicehq/sluice/protocol"
)

// Connections are the sockets that messages can be sent to without a request. Their subscriptions end with their token.
type Connections interface {
	// Open reports whether there is such a connection. Unlink is called after it said no for the first time.
	Open(id string) bool
	// TokenEnded is told of connections on which the token of a user has expired, was revoked otherwise, or made room for that
	// of another. Linked says whose tokens they still have. It is called without a lock, and Revoke and RevokeAll return after
	// it.
	TokenEnded(ctx context.Context, ids []string, expired bool)
	// UserEnded is told of a user whose session tokens were all revoked: not all that was subscribed to in his name is linked
	// to one. spared reports connections on which he speaks with an API key: what they subscribed to stays.
	UserEnded(ctx context.Context, kuid string, spared func(connection string) bool)
}

// maxUsers is how many users a connection has links for. The one who came first makes room for another: what such a program
// asks for goes on being answered, and nothing that it hears outlives its token.
const maxUsers = 64

// Link makes a token that Verify gave the token of its user on the connection that a request came over, in place of the one
// before. It costs one look-up when it is that already. A token that was refreshed takes no connection away from its
// successor: it may belong to a request that was under way. Over HTTP there is nothing to link. A token for a single use is
// linked by Confirm.
//
// security.token.invalid when the token has ended since it was verified.
func (s *Service) Link(ctx context.Context, c *protocol.Connection, t *Token) error {
	if c.Protocol == "http" || s.options.Connections == nil || t.SingleUse || s.links.has(c.ID, t) {
		return nil
	}
	return s.link(ctx, c, t.Text)
}

// linkIssued is Link for a token that a login made.
func (s *Service) linkIssued(ctx context.Context, c *protocol.Connection, issued Issued) error {
	if c.Protocol == "http" || s.options.Connections == nil {
		return nil
	}
	return s.link(ctx, c, issued.Text)
}

// LogIn makes a token for a user who has just logged in on a connection, and links the two. If he has a token there that never
// expires, or an API key, he gets that again; else the new one takes the place of his, on all of its connections, and the old
// one ends when it would have.
func (s *Service) LogIn(ctx context.Context, c *protocol.Connection, kuid string, ttl time.Duration) (Issued, error) {
	before := s.links.of(c.ID, kuid)
	if before != nil && !before.SingleUse && (before.APIKey || before.ExpiresAt.IsZero()) {
		if t, err := s.Verify(ctx, before.Text, VerifyOptions{}); err == nil {
			return s.handBack(t), nil
		}
	}
	issued, err := s.Issue(ctx, kuid, ttl)
	if err != nil {
		return Issued{}, err
	}
	if before != nil {
		if err := s.relink(ctx, idOf(before.Text), issued.Text); err != nil {
			return Issued{}, err
		}
	}
	return issued, s.linkIssued(ctx, c, issued)
}

// handBack is a token that was issued before, with what is left of its life.
func (s *Service) handBack(t *Token) Issued {
	if t.ExpiresAt.IsZero() {
		return Issued{KUID: t.KUID, Text: t.Text, ExpiresAt: -1, TTL: -1}
	}
	return Issued{KUID: t.KUID, Text: t.Text, ExpiresAt: t.ExpiresAt.UnixMilli(), TTL: t.ExpiresAt.Sub(s.now()).Milliseconds()}
}

// Confirm asks again about the token of a request that has just subscribed, and links it again: another of its user may have
// taken its place meanwhile and ended, or the connection was crowded. One for a single use, which Verify took for this request,
// is linked now if nothing else of its user is, so that the subscription ends when the token would have.
func (s *Service) Confirm(ctx context.Context, c *protocol.Connection, text string) error {
	t, err := s.Verify(ctx, text, VerifyOptions{AcceptUnprefixed: true, used: true})
	switch {
	case err != nil:
		return err
	case !t.SingleUse:
		return s.Link(ctx, c, t)
	case c.Protocol == "http" || s.options.Connections == nil || s.links.joins(c.ID, t.KUID):
		return nil
	}
	return s.link(ctx, c, t.Text)
}

// Linked reports whether a connection has a token of a user.
func (s *Service) Linked(connection, kuid string) bool { return s.links.joins(connection, kuid) }

// Unlink forgets a connection that was closed.
func (s *Service) Unlink(connection string) { s.links.remove(connection) }

func (s *Service) link(ctx context.Context, c *protocol.Connection, text string) error {
	id := idOf(text)
	var crowded bool
	err := s.whileValid(ctx, text, func(t *Token, valid func() bool) (done bool) {
		crowded, done = s.links.add(c.ID, id, t, valid)
		return done
	})
	if crowded {
		s.options.Connections.TokenEnded(ctx, []string{c.ID}, false)
	}
	if err == nil && !s.options.Connections.Open(c.ID) { // closed meanwhile: Unlink may have come before
		s.links.remove(c.ID)
	}
	return err
}

// relink moves all connections of a token to the one that took its place.
func (s *Service) relink(ctx context.Context, from tokenID, text string) error {
	if !s.links.linked(from) {
		return nil
	}
	to := idOf(text)
	return s.whileValid(ctx, text, func(t *Token, valid func() bool) bool { return s.links.move(from, to, t, valid) })
}

// whileValid runs put with the token of that text until put has found it valid under the lock of the links: whatever ends the
// token afterwards finds what put did.
func (s *Service) whileValid(ctx context.Context, text string, put func(t *Token, valid func() bool) bool) error {
	for {
		generation := s.generation.Load()
		t, err := s.Verify(ctx, text, VerifyOptions{used: true})
		if err != nil {
			return err
		}
		if put(t, func() bool { return s.generation.Load() == generation }) {
			return nil
		}
	}
}

// endLinks tells of the connections of a token that was revoked.
func (s *Service) endLinks(ctx context.Context, id tokenID) {
	if ended := s.links.end(id); len(ended) > 0 {
		s.options.Connections.TokenEnded(ctx, ended, false)
	}
}

// expireUntil tells of the connections of every token that expires, until ctx ends.
func (s *Service) expireUntil(ctx context.Context) {
	timer := time.NewTimer(longestWait)
	defer timer.Stop()
	for ctx.Err() == nil {
		if latest, others := s.links.expire(s.now()); len(latest)+len(others) > 0 {
			s.options.Connections.TokenEnded(ctx, latest, true)
			s.options.Connections.TokenEnded(ctx, others, false)
			continue
		}
		timer.Reset(s.links.wait(s.now()))
		select {
		case <-ctx.Done():
		case <-s.links.earlier:
		case <-timer.C:
		}
	}
}

// The clock is looked at after longestWait at the latest, because it may be set, and not again before shortestWait.
const (
	longestWait  = time.Hour
	shortestWait = time.Millisecond
)

// links say which token each user of a connection last spoke with. They hold nothing of tokens without a connection.
type links struct {
	// earlier gets something when another token is the next to expire.
	earlier chan struct{}

	mu sync.RWMutex
	// byConnection has one link for each user, in the order in which they came or brought another token; no list is empty.
	byConnection map[string][]*link
	byToken      map[tokenID]*linkedToken
	expiring     expiryQueue
}

// link is a connection on the token of one of its users.
type link struct {
	connection string
	token      *linkedToken
	// place is where it stands in token.links.
	place int
}

// linkedToken is a token that has connections.
type linkedToken struct {
	id    tokenID
	token *Token
	links []*link
	// expires is zero for never.
	expires time.Time
	// place is where it stands in the queue, -1 when it never expires.
	place int
}

func newLinks() *links {
	return &links{earlier: make(chan struct{}, 1), byConnection: map[string][]*link{}, byToken: map[tokenID]*linkedToken{}}
}

// has reports whether t is the token of its user on the connection, as it was verified last.
func (l *links) has(connection string, t *Token) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	k := l.linkLocked(connection, t.KUID)
	return k != nil && k.token.token == t
}

// of gives the token of a user on a connection, nil for none.
func (l *links) of(connection, kuid string) *Token {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if k := l.linkLocked(connection, kuid); k != nil {
		return k.token.token
	}
	return nil
}

// joins reports whether the connection is on a token of the user.
func (l *links) joins(connection, kuid string) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.linkLocked(connection, kuid) != nil
}

// onKey reports whether the connection is on an API key of the user.
func (l *links) onKey(connection, kuid string) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	k := l.linkLocked(connection, kuid)
	return k != nil && k.token.token.APIKey
}

// linked reports whether any connection is on the token.
func (l *links) linked(id tokenID) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.byToken[id] != nil
}

// texts gives the tokens that have connections.
func (l *links) texts() []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	texts := make([]string, 0, len(l.byToken))
	for _, lt := range l.byToken {
		texts = append(texts, lt.token.Text)
	}
	return texts
}

// add puts a connection on a token, unless valid says no. crowded says that the token of another user made room for it.
func (l *links) add(connection string, id tokenID, t *Token, valid func() bool) (crowded, done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !valid() {
		return false, false
	}
	k := l.linkLocked(connection, t.KUID)
	switch {
	case k == nil:
		crowded = l.makeRoomLocked(connection)
		k = &link{connection: connection}
		l.byConnection[connection] = append(l.byConnection[connection], k)
	case k.token.id == id:
		k.token.token = t
		l.expireByLocked(k.token, t.ExpiresAt)
		return false, true
	case t.Refreshed:
		return false, true
	default:
		l.offLocked(k)
		all := l.byConnection[connection]
		i := slices.Index(all, k)
		copy(all[i:], all[i+1:])
		all[len(all)-1] = k
	}
	l.onLocked(k, id, t)
	return crowded, true
}

// move puts all connections of one token on another, unless valid says no.
func (l *links) move(from, to tokenID, t *Token, valid func() bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !valid() {
		return false
	}
	if old := l.byToken[from]; old != nil {
		l.dropLocked(old)
		for _, k := range old.links {
			l.onLocked(k, to, t)
		}
	}
	return true
}

// expireBy lets a token expire at that time at the latest.
func (l *links) expireBy(id tokenID, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lt := l.byToken[id]; lt != nil {
		l.expireByLocked(lt, at)
	}
}

// remove forgets a connection.
func (l *links) remove(connection string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.byConnection[connection] {
		l.offLocked(k)
	}
	delete(l.byConnection, connection)
}

// end forgets a token and gives its connections.
func (l *links) end(id tokenID) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lt := l.byToken[id]
	if lt == nil {
		return nil
	}
	latest, others := l.endLocked(lt)
	return append(latest, others...)
}

// expire forgets the next token that has expired and gives its connections: latest are those that nobody else has brought a
// token to since. A client of the others speaks for somebody else by now, and would take the notice for the end of that.
func (l *links) expire(now time.Time) (latest, others []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.expiring) == 0 || now.Before(l.expiring[0].expires) {
		return nil, nil
	}
	return l.endLocked(l.expiring[0])
}

// wait is how long nothing expires.
func (l *links) wait(now time.Time) time.Duration {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if len(l.expiring) == 0 {
		return longestWait
	}
	return min(max(l.expiring[0].expires.Sub(now), shortestWait), longestWait)
}

// linkLocked gives the link of a user on a connection, nil for none.
func (l *links) linkLocked(connection, kuid string) *link {
	for _, k := range l.byConnection[connection] {
		if k.token.token.KUID == kuid {
			return k
		}
	}
	return nil
}

// makeRoomLocked forgets the oldest link of a connection that has as many as it may; it reports whether it did.
func (l *links) makeRoomLocked(connection string) bool {
	all := l.byConnection[connection]
	if len(all) < maxUsers {
		return false
	}
	l.offLocked(all[0])
	l.byConnection[connection] = slices.Delete(all, 0, 1)
	return true
}

func (l *links) endLocked(lt *linkedToken) (latest, others []string) {
	l.dropLocked(lt)
	for _, k := range lt.links {
		all := l.byConnection[k.connection]
		if all[len(all)-1] == k {
			latest = append(latest, k.connection)
		} else {
			others = append(others, k.connection)
		}
		rest := slices.DeleteFunc(all, func(other *link) bool { return other == k })
		if l.byConnection[k.connection] = rest; len(rest) == 0 {
			delete(l.byConnection, k.connection)
		}
	}
	return latest, others
}

func (l *links) onLocked(k *link, id tokenID, t *Token) {
	lt := l.byToken[id]
	if lt == nil {
		lt = &linkedToken{id: id, place: -1}
		l.byToken[id] = lt
	}
	lt.token = t
	l.expireByLocked(lt, t.ExpiresAt)
	k.token, k.place = lt, len(lt.links)
	lt.links = append(lt.links, k)
}

// offLocked takes a connection off its token, which goes with its last one.
func (l *links) offLocked(k *link) {
	lt := k.token
	last := len(lt.links) - 1
	lt.links[k.place] = lt.links[last]
	lt.links[k.place].place = k.place
	lt.links[last] = nil
	if lt.links = lt.links[:last]; last == 0 {
		l.dropLocked(lt)
	}
}

func (l *links) dropLocked(lt *linkedToken) {
	delete(l.byToken, lt.id)
	if lt.place >= 0 {
		heap.Remove(&l.expiring, lt.place)
	}
}

// expireByLocked only ever brings the end nearer: a refreshed token ends sooner than it was to.
func (l *links) expireByLocked(lt *linkedToken, at time.Time) {
	if at.IsZero() || lt.place >= 0 && !at.Before(lt.expires) {
		return
	}
	lt.expires = at
	if lt.place >= 0 {
		heap.Fix(&l.expiring, lt.place)
	} else {
		heap.Push(&l.expiring, lt)
	}
	if lt.place == 0 {
		select {
		case l.earlier <- struct{}{}:
		default:
		}
	}
}

// expiryQueue is a heap of the tokens that expire, the next one first.
type expiryQueue []*linkedToken

func (q expiryQueue) Len() int           { return len(q) }
func (q expiryQueue) Less(i, j int) bool { return q[i].expires.Before(q[j].expires) }

func (q expiryQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push implements heap.Interface.
func (q *expiryQueue) Push(x any) {
	lt, _ := x.(*linkedToken)
	lt.place = len(*q)
	*q = append(*q, lt)
}

// Pop implements heap.Interface.
func (q *expiryQueue) Pop() any {
	last := len(*q) - 1
	lt := (*q)[last]
	(*q)[last] = nil
	*q, lt.place = (*q)[:last], -1
	return lt
}

var _ heap.Interface = (*expiryQueue)(nil)
