package main

import (
	"math"
	"strings"
	"testing"
)

func TestEveryLetterIsAsLikely(t *testing.T) {
	const tokens = 2000
	var counts [26]int
	for range tokens {
		token := newToken()
		if !tokenPattern.MatchString(token) {
			t.Fatalf("token %q", token)
		}
		for _, c := range token {
			counts[c-'a']++
		}
	}
	// Chi-squared with 25 degrees of freedom: beyond 80 once in ten million runs. Letters of byte%26 would give over 100.
	expected := float64(tokens*tokenLength) / 26
	var chi float64
	for _, n := range counts {
		chi += math.Pow(float64(n)-expected, 2) / expected
	}
	if chi > 80 {
		t.Errorf("chi-squared %f, counts %v", chi, counts)
	}
}

func TestUserIDs(t *testing.T) {
	for range 1000 {
		for _, id := range []string{newUserID(), demoUserID(newToken())} {
			if !userIDForm.MatchString(id) || strings.IndexByte(letters, id[0]) < 0 {
				t.Fatalf("user id %q", id)
			}
		}
	}
	if demoUserID("a") == demoUserID("b") {
		t.Error("two tags have one demo user")
	}
}

func TestKeysDoNotRunTogether(t *testing.T) {
	if keyOf("a", "bc") == keyOf("ab", "c") || deviceKey(kindChat, "x", "y") == deviceKey(kindTest, "x", "y") {
		t.Error("two things have one key")
	}
}
