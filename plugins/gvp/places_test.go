package main

import (
	"sync"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// good reports whether a token is accepted: nothing else that GetAuraToken needs is there.
func (s *service) good(token string) bool {
	s.T.Helper()
	return s.HTTP("POST", tokenPath, `{"token":"`+token+`"}`).Get("StatusCode") == float64(fourthPlatform.code)
}

// Who has as many tokens as he may have loses the oldest for one more, and nobody else's.
func TestTheNumberOfTokens(t *testing.T) {
	s := start(t, options{settings: map[string]any{"login": map[string]any{"maxTokens": 3}}})
	other := s.token("listed", 25)
	var given []string
	for range 7 {
		given = append(given, s.token("ana", 25))
		for i, token := range given {
			if live := i >= len(given)-3; s.good(token) != live {
				t.Errorf("after %d logins, token %d is good: %v", len(given), i+1, !live)
			}
		}
	}
	if n := len(stored[tokenRow](s, tokens)); n != 3+1 || !s.good(other) {
		t.Errorf("%d tokens are stored", n)
	}
}

// Many logins at once succeed, and leave no more tokens than there may be.
func TestTheNumberOfTokensAtOnce(t *testing.T) {
	s := start(t, options{settings: map[string]any{"login": map[string]any{"maxTokens": 3}}})
	answers := make([]nodetest.Answer, 20)
	var wait sync.WaitGroup
	for i := range answers {
		wait.Go(func() { answers[i] = s.login(body("ana", 25, password), fromES) })
	}
	wait.Wait()
	live := 0
	for _, a := range answers {
		succeeded(t, a)
		if token, _ := a.Get("Content.Token").(string); s.good(token) {
			live++
		}
	}
	if kept := len(stored[tokenRow](s, tokens)); live != 3 || kept != 3 {
		t.Errorf("%d good tokens, %d stored", live, kept)
	}
	if n := len(s.rows()); n != len(answers) {
		t.Errorf("%d rows", n)
	}
}
