package auth

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func issueOnce(t testing.TB, s *Service) Issued {
	t.Helper()
	issued, err := s.IssueBy(t.Context(), "", NewToken{KUID: "u", TTL: time.Hour, SingleUse: true})
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func TestSingleUse(t *testing.T) {
	c := newClock()
	s := open(t, newEngine(t), func(o *Options) { o.Now = c.Now })
	once := issueOnce(t, s)
	var good atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			switch _, err := s.Verify(context.Background(), once.Text, VerifyOptions{}); {
			case err == nil:
				good.Add(1)
			case !errors.Is(err, kerror.SecurityTokenInvalid):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if good.Load() != 1 {
		t.Errorf("it was good %d times", good.Load())
	}
	if _, err := s.Refresh(t.Context(), issueOnce(t, s).Text, time.Hour); !errors.Is(err, kerror.SecurityTokenRefreshForbidden) {
		t.Errorf("refresh: %v", err)
	}
	revoked := issueOnce(t, s)
	if err := s.RevokeAll(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	late := issueOnce(t, s)
	c.add(2 * time.Hour)
	for name, token := range map[string]Issued{"revoked": revoked, "expired": late} {
		if _, err := s.Verify(t.Context(), token.Text, VerifyOptions{}); !errors.Is(err, kerror.SecurityTokenInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A token that was used up cannot be verified again, so no connection rests on it.
func TestSingleUseIsNotLinked(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Service, _ *sockets) {
		request(t, s, "a", issueOnce(t, s).Text)
		if s.links.size() != [3]int{} {
			t.Errorf("%v", s.links.size())
		}
	})
}

// Who shows a token that has ended by the time the new one is stored gets none: whoever revoked it revoked the new one too.
func TestIssueByNeedsAGoodToken(t *testing.T) {
	var storing func() // called once, before a token is stored
	s := open(t, storagetest.Faulty{Engine: newEngine(t), Fail: func(op string, c storage.Collection, _ string) error {
		if f := storing; f != nil && op == "Create" && c == tokensCollection {
			storing = nil
			f()
		}
		return nil
	}}, nil)
	session, ended, endless := issue(t, s, time.Hour), issue(t, s, time.Hour), createKey(t, s, Infinite)
	deleted, once := createKey(t, s, Infinite), issueOnce(t, s)
	if _, err := s.Verify(t.Context(), once.Text, VerifyOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, shown string
		meanwhile   func() error
		good        bool
	}{
		{"nothing", "", nil, true},
		{"a session", session.Text, nil, true},
		{"an API key", endless.Source.Token, nil, true},
		{"one for a single use", once.Text, nil, false},
		{"a session that ends", ended.Text, func() error { return s.Revoke(t.Context(), ended.Text) }, false},
		{"a key that ends", deleted.Source.Token, func() error { return s.DeleteKey(t.Context(), "u", deleted.ID, storage.RefreshLater) }, false},
		{"a session among all that end", session.Text, func() error { return s.RevokeAll(t.Context(), "u") }, false},
		{"a key, which does not end with sessions", endless.Source.Token, func() error { return s.RevokeAll(t.Context(), "u") }, true},
	} {
		if test.meanwhile != nil {
			storing = func() {
				if err := test.meanwhile(); err != nil {
					t.Errorf("%s: %v", test.name, err)
				}
			}
		}
		issued, err := s.IssueBy(t.Context(), test.shown, NewToken{KUID: "u", TTL: time.Hour})
		if test.good != (err == nil) || !test.good && !errors.Is(err, kerror.SecurityTokenInvalid) {
			t.Errorf("%s: %v", test.name, err)
		}
		if _, err := s.Verify(t.Context(), issued.Text, VerifyOptions{}); test.good != (err == nil) {
			t.Errorf("%s: what it made: %v", test.name, err)
		}
	}
}
