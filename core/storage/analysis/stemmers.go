package analysis

import (
	"bytes"
	"sync"
	"unicode"

	bleve "github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/snowballstem"
)

// snowball cuts words with a stemmer of the Snowball project.
func snowball(stem func(*snowballstem.Env) bool) filter {
	envs := sync.Pool{New: func() any { return snowballstem.NewEnv("") }}
	return func(a *arena, term []byte) []byte {
		if !a.budget.change(term) {
			return nil
		}
		env := envs.Get().(*snowballstem.Env) //nolint:forcetypeassert // New gives nothing else
		env.SetCurrent(string(term))
		stem(env)
		stemmed := env.Current()
		envs.Put(env)
		if stemmed == string(term) {
			return term
		}
		return a.keep(append(a.take(len(stemmed)), stemmed...))
	}
}

// filtered changes words with a filter of bleve, which may write to the word that it is given.
func filtered(f bleve.TokenFilter) filter {
	return func(a *arena, term []byte) []byte {
		if !a.budget.change(term) {
			return nil
		}
		token := bleve.Token{Term: a.keep(append(a.take(len(term)), term...))}
		f.Filter(bleve.TokenStream{&token})
		if token.Term == nil {
			return []byte{}
		}
		return token.Term
	}
}

// lettered applies next to the words that hold a letter.
func lettered(next filter) filter {
	return func(a *arena, term []byte) []byte {
		if !bytes.ContainsFunc(term, unicode.IsLetter) {
			return term
		}
		return next(a, term)
	}
}

// dictionary gives the stems of some words, and leaves the others to next.
func dictionary(stems map[string]string, next filter) filter {
	return func(a *arena, term []byte) []byte {
		if stem, ok := stems[string(term)]; ok {
			return []byte(stem)
		}
		return next(a, term)
	}
}
