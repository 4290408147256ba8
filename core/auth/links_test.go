package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// sockets are connections that are open unless they are named closed, and what they were told.
type sockets struct {
	mu     sync.Mutex
	closed map[string]bool
	told   []string
}

func (s *sockets) Open(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed[id]
}

func (s *sockets) TokenEnded(_ context.Context, ids []string, expired bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		s.told = append(s.told, fmt.Sprintf("%s expired=%t", id, expired))
	}
}

// sparing are the connections that sockets asks about when a user's tokens end.
var sparing = []string{"key", "session", "switched", "another's"}

func (s *sockets) UserEnded(_ context.Context, kuid string, spared func(string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := "user " + kuid
	for _, connection := range sparing {
		if spared(connection) {
			told += " but " + connection
		}
	}
	s.told = append(s.told, told)
}

// heard gives what was told since it was called last, sorted.
func (s *sockets) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := s.told
	s.told = nil
	slices.Sort(told)
	return told
}

func (s *sockets) expect(t *testing.T, when string, want ...string) {
	t.Helper()
	if got := s.heard(); !slices.Equal(got, want) {
		t.Errorf("%s: told %q, want %q", when, got, want)
	}
}

// openLinked is a service on the clock of the bubble that the test runs in.
func openLinked(t testing.TB, e storage.Engine) (*Service, *sockets) {
	t.Helper()
	told := &sockets{closed: map[string]bool{}}
	return open(t, e, func(o *Options) { o.Connections = told }), told
}

// request does what the funnel does with a token.
func request(t testing.TB, s *Service, connection, text string) {
	t.Helper()
	token, err := s.Verify(t.Context(), text, VerifyOptions{})
	if err == nil {
		err = s.Link(t.Context(), socket(connection), token)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func socket(id string) *protocol.Connection {
	return &protocol.Connection{ID: id, Protocol: "websocket"}
}

// size is how much the service remembers of links.
func (l *links) size() [3]int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return [3]int{len(l.byConnection), len(l.byToken), len(l.expiring)}
}

// inBubble runs a test on a clock of its own.
func inBubble(t *testing.T, test func(t *testing.T, s *Service, told *sockets)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, told := openLinked(t, newEngine(t))
		test(t, s, told)
	})
}

func TestExpiryIsToldToEveryConnectionOfTheToken(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Service, told *sockets) {
		short, long, endless := issue(t, s, time.Minute), issue(t, s, 3*time.Hour), issue(t, s, Infinite)
		request(t, s, "a", short.Text)
		request(t, s, "b", short.Text)
		request(t, s, "c", long.Text)
		request(t, s, "d", endless.Text)
		token, err := s.Verify(t.Context(), short.Text, VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Link(t.Context(), &protocol.Connection{ID: "h", Protocol: "http"}, token); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute - time.Millisecond)
		synctest.Wait()
		told.expect(t, "before the end")
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		told.expect(t, "at the end", "a expired=true", "b expired=true")
		time.Sleep(2*time.Hour + 58*time.Minute)
		synctest.Wait()
		told.expect(t, "before the end of the long one")
		time.Sleep(time.Hour)
		synctest.Wait()
		told.expect(t, "at the end of the long one", "c expired=true")
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		told.expect(t, "long after")
		if err := s.Link(t.Context(), socket("a"), token); !errors.Is(err, kerror.SecurityTokenInvalid) {
			t.Errorf("an expired token is linked: %v", err)
		}
		s.Unlink("d")
		if left := s.links.size(); left != [3]int{} {
			t.Errorf("remembered in the end: %v", left)
		}
	})
}

// A token that comes later and ends sooner does not wait for the one before.
func TestTheNextToExpireComesFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Service, told *sockets) {
		request(t, s, "slow", issue(t, s, time.Hour).Text)
		synctest.Wait() // the timer is set
		request(t, s, "quick", issue(t, s, time.Second).Text)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		told.expect(t, "after two seconds", "quick expired=true")
	})
}

func TestRefreshTakesTheConnectionsAlong(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Service, told *sockets) {
		first := issue(t, s, time.Minute)
		request(t, s, "a", first.Text)
		request(t, s, "b", first.Text)
		underWay, err := s.Verify(t.Context(), first.Text, VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		second, err := s.Refresh(t.Context(), first.Text, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		// Requests that began before the refresh, and those that still use the grace period.
		if err := s.Link(t.Context(), socket("a"), underWay); err != nil {
			t.Fatal(err)
		}
		request(t, s, "b", first.Text)
		request(t, s, "late", first.Text)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		told.expect(t, "after the grace period", "late expired=true")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		told.expect(t, "after the end of the first token")
		if err := s.Revoke(t.Context(), second.Text); err != nil {
			t.Fatal(err)
		}
		told.expect(t, "after the revocation of the second", "a expired=false", "b expired=false")
	})
}

// A connection follows a token that ends sooner than it was to, when its refresh came to nothing.
func TestRefreshThatFails(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Service, told *sockets) {
		first := issue(t, s, time.Minute)
		request(t, s, "a", first.Text)
		s.revoking.enter("u") // somebody revokes the tokens of the user, but has not come to this one
		if _, err := s.Refresh(t.Context(), first.Text, time.Hour); !errors.Is(err, kerror.SecurityTokenInvalid) {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		told.expect(t, "after the grace period", "a expired=true")
	})
}

func TestRevocationEndsLinks(t *testing.T) {
	s, told := openLinked(t, newEngine(t))
	mine, yours := issue(t, s, time.Hour), issue(t, s, Infinite)
	request(t, s, "a", mine.Text)
	request(t, s, "b", mine.Text)
	request(t, s, "c", yours.Text)
	if err := s.Revoke(t.Context(), mine.Text); err != nil {
		t.Fatal(err)
	}
	told.expect(t, "one token", "a expired=false", "b expired=false")
	if err := s.linkIssued(t.Context(), socket("a"), issue(t, s, time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeAll(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	told.expect(t, "all tokens", "a expired=false", "c expired=false", "user u")
	if err := s.linkIssued(t.Context(), socket("a"), mine); !errors.Is(err, kerror.SecurityTokenInvalid) {
		t.Errorf("a revoked token is linked: %v", err)
	}
	if left := s.links.size(); left != [3]int{} {
		t.Errorf("remembered in the end: %v", left)
	}
}

// Who logs in again on a connection goes on with what never ends, and takes all connections of another token along.
func TestLoggingInAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Service, told *sockets) {
		again := func(connection string) Issued {
			t.Helper()
			issued, err := s.LogIn(t.Context(), socket(connection), "u", 2*time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			return issued
		}
		key, err := s.CreateKey(t.Context(), NewKey{KUID: "u", TTL: 3 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		request(t, s, "key", key.Source.Token)
		if got := again("key"); got.Text != key.Source.Token || got.TTL != (3*time.Hour).Milliseconds() {
			t.Errorf("on an API key: %+v", got)
		}
		infinite := issue(t, s, Infinite)
		request(t, s, "session", infinite.Text)
		if got := again("session"); got != infinite {
			t.Errorf("on a token that never ends: %+v", got)
		}
		if err := s.Revoke(t.Context(), infinite.Text); err != nil {
			t.Fatal(err)
		}
		told.expect(t, "revoked", "session expired=false")
		if got := again("session"); got.Text == infinite.Text || got.TTL != (2*time.Hour).Milliseconds() {
			t.Errorf("after it was revoked: %+v", got)
		}
		short := issue(t, s, time.Hour)
		request(t, s, "a", short.Text)
		request(t, s, "b", short.Text)
		if got := again("a"); got.Text == short.Text {
			t.Errorf("on a token that ends: %+v", got)
		}
		time.Sleep(90 * time.Minute)
		told.expect(t, "the end of the token before")
		time.Sleep(time.Hour)
		told.expect(t, "the end of the new one", "a expired=true", "b expired=true", "session expired=true")
	})
}

func TestAUserHasOneTokenOnAConnection(t *testing.T) {
	s, told := openLinked(t, newEngine(t))
	first, second := issue(t, s, time.Hour), issue(t, s, time.Hour)
	request(t, s, "a", first.Text)
	request(t, s, "a", second.Text)
	if size := s.links.size(); size != [3]int{1, 1, 1} {
		t.Errorf("remembered: %v", size)
	}
	if err := s.Revoke(t.Context(), first.Text); err != nil {
		t.Fatal(err)
	}
	told.expect(t, "the first token")
	if err := s.Revoke(t.Context(), second.Text); err != nil {
		t.Fatal(err)
	}
	told.expect(t, "the second token", "a expired=false")
}

// issueTo makes a token for a user who is made too.
func issueTo(t testing.TB, s *Service, kuid string, ttl time.Duration) string {
	t.Helper()
	if _, err := s.CreateUser(t.Context(), nil, newUser(kuid)); err != nil {
		t.Fatal(err)
	}
	issued, err := s.Issue(t.Context(), kuid, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return issued.Text
}

// What one user of a connection does takes nothing from the others, and none of them takes the place of another.
func TestUsersShareAConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Service, told *sockets) {
		mine := issue(t, s, time.Hour)
		texts := []string{mine.Text, issueTo(t, s, "v", time.Minute), issueTo(t, s, "w", Infinite)}
		for range 2 {
			for _, text := range texts {
				request(t, s, "a", text)
			}
		}
		request(t, s, "b", texts[1])
		if size := s.links.size(); size != [3]int{2, 3, 2} {
			t.Errorf("remembered: %v", size)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		told.expect(t, "after the expiry of one", "a expired=false", "b expired=true")
		if !s.Linked("a", "u") || s.Linked("a", "v") || s.Linked("b", "v") || !s.Linked("a", "w") {
			t.Error("another token than that of v has ended")
		}
		second, err := s.Refresh(t.Context(), mine.Text, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		request(t, s, "a", texts[2])
		if err := s.Revoke(t.Context(), second.Text); err != nil {
			t.Fatal(err)
		}
		told.expect(t, "after the logout of another", "a expired=false")
		if size := s.links.size(); size != [3]int{1, 1, 0} {
			t.Errorf("remembered with one left: %v", size)
		}
		s.Unlink("a")
		if left := s.links.size(); left != [3]int{} {
			t.Errorf("remembered in the end: %v", left)
		}
	})
}

func TestManyUsersShareAConnection(t *testing.T) {
	s, told := openLinked(t, newEngine(t))
	var texts []string
	for i := range maxUsers {
		texts = append(texts, issueTo(t, s, fmt.Sprint(i), time.Hour))
		request(t, s, "a", texts[i])
	}
	request(t, s, "a", texts[0])
	told.expect(t, "as many as may be")
	request(t, s, "a", issue(t, s, time.Hour).Text)
	told.expect(t, "one more", "a expired=false")
	if s.Linked("a", "0") || !s.Linked("a", "1") || !s.Linked("a", "u") {
		t.Error("somebody else than the first made room")
	}
	request(t, s, "a", texts[0])
	told.expect(t, "the first comes back", "a expired=false")
	if size := s.links.size(); size != [3]int{1, maxUsers, maxUsers} {
		t.Errorf("remembered: %v", size)
	}
	if err := s.Revoke(t.Context(), texts[0]); err != nil {
		t.Fatal(err)
	}
	told.expect(t, "a logout", "a expired=false")
	request(t, s, "a", texts[1])
	told.expect(t, "there is room")
	s.Unlink("a")
	if left := s.links.size(); left != [3]int{} {
		t.Errorf("remembered in the end: %v", left)
	}
}

func TestClosedConnectionsAreForgotten(t *testing.T) {
	s, told := openLinked(t, newEngine(t))
	token := issue(t, s, time.Hour)
	for i := range 100 {
		request(t, s, fmt.Sprint(i), token.Text)
	}
	for i := range 99 {
		s.Unlink(fmt.Sprint(i))
		s.Unlink(fmt.Sprint(i))
	}
	told.closed["gone"] = true
	request(t, s, "gone", token.Text)
	if size := s.links.size(); size != [3]int{1, 1, 1} {
		t.Errorf("remembered: %v", size)
	}
	if err := s.Revoke(t.Context(), token.Text); err != nil {
		t.Fatal(err)
	}
	told.expect(t, "the one that is open", "99 expired=false")
}

// Whatever a link, a refresh and a revocation do at the same time: no connection stays with a token that has ended, and other
// users of the connections keep theirs.
func TestLinksWhileTokensEnd(t *testing.T) {
	s, _ := openLinked(t, newEngine(t))
	other := issueTo(t, s, "v", time.Hour)
	for range 30 {
		token := issue(t, s, time.Hour)
		start := make(chan struct{})
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				<-start
				for turn := 0; ; turn++ {
					verified, err := s.Verify(t.Context(), []string{token.Text, other}[turn%2], VerifyOptions{})
					if err == nil {
						err = s.Link(t.Context(), socket(fmt.Sprint(i)), verified)
					}
					if err != nil {
						return
					}
				}
			})
		}
		all.Go(func() {
			<-start
			_, _ = s.Refresh(t.Context(), token.Text, time.Hour) // it may come too late
		})
		all.Go(func() {
			<-start
			if err := s.RevokeAll(t.Context(), "u"); err != nil {
				t.Error(err)
			}
		})
		for i := range 4 {
			request(t, s, fmt.Sprint(i), other)
		}
		close(start)
		all.Wait()
		if left := s.links.size(); left != [3]int{4, 1, 1} {
			t.Fatalf("still linked: %v", left)
		}
	}
}

func BenchmarkLinkUnchanged(b *testing.B) {
	s, _ := openLinked(b, newEngine(b))
	for i := range 10_000 {
		request(b, s, fmt.Sprint(i), issue(b, s, time.Hour).Text)
	}
	token := issue(b, s, time.Hour)
	request(b, s, "mine", token.Text)
	verified, err := s.Verify(b.Context(), token.Text, VerifyOptions{})
	if err != nil {
		b.Fatal(err)
	}
	mine := socket("mine")
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := s.Link(b.Context(), mine, verified); err != nil {
				b.Error(err)
			}
		}
	})
}
