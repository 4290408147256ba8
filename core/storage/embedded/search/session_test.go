package search

import (
	"context"
	"errors"
	"testing"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// TestAutomatonOnce says that the targets of a search share the automata of its patterns.
func TestAutomatonOnce(t *testing.T) {
	m, err := mapping.Parse([]byte(`{"properties":{"k":{"type":"keyword"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{
		`{"regexp":{"k":"a(b|c)*d"}}`, `{"wildcard":{"k":"a*b?c"}}`, `{"prefix":{"k":{"value":"ab","case_insensitive":true}}}`,
		`{"term":{"k":{"value":"ab","case_insensitive":true}}}`,
	} {
		q, err := query.Parse([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		s := newSession(t.Context())
		compile := func() *between {
			c, err := compiler{target: &target{Target: Target{Mapping: m}, session: s}, boost: 1}.compile(q)
			if err != nil {
				t.Fatal(err)
			}
			inner, ok := c.(constant).clause.(between)
			if !ok {
				t.Fatalf("%s is compiled to %T", raw, c)
			}
			return &inner
		}
		if a, b := compile(), compile(); a.automaton != b.automaton || len(s.automata) != 1 {
			t.Errorf("%s: built twice", raw)
		}
		b := Bounds{s}
		if a, err := b.Automaton("k", q, []byte("x")); err != nil || len(s.automata) != 2 {
			t.Errorf("%s: an automaton %v for another text, %v", raw, a, err)
		}
		if _, err := b.Automaton("other", q, []byte("x")); err != nil || len(s.automata) != 2 {
			t.Errorf("%s: built twice for two fields, %v", raw, err)
		}
	}
}

// TestCompileEnds says that compiling looks at the context for every clause, and at what all clauses need.
func TestCompileEnds(t *testing.T) {
	m, err := mapping.Parse([]byte(`{"properties":{"t":{"type":"text"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, raw := range []string{`{"match_all":{}}`, `{"multi_match":{"query":"a b"}}`, `{"ids":{"values":["a"]}}`, `{"exists":{"field":"*"}}`} {
		q, err := query.Parse([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (compiler{target: &target{Target: Target{Mapping: m}, session: newSession(ended)}, boost: 1}).compile(q); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", raw, err)
		}
		full := newSession(t.Context())
		full.bytes = maxBytes
		if _, err := (compiler{target: &target{Target: Target{Mapping: m}, session: full}, boost: 1}).compile(q); !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) {
			t.Errorf("%s without memory left: %v", raw, err)
		}
	}
}

// TestExpansions bounds the terms that all prefixes of a search stand for.
func TestExpansions(t *testing.T) {
	s := &target{session: newSession(t.Context())}
	for range 64 {
		if err := s.expanded(1024); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.expanded(1); !errors.Is(err, kerror.ServicesStorageUnexpectedBadRequest) {
		t.Errorf("one term more: %v", err)
	}
}
