package analysis

import (
	"strings"

	porterstemmer "github.com/blevesearch/go-porterstemmer"
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// englishStopWords are those of the analyzers stop and english.
var englishStopWords = set(`a an and are as at be but by for if in into is it no not of on or such that the their then there these
	they this to was will with`)

func porter(a *arena, term []byte) []byte {
	return append(a.take(0), string(porterstemmer.StemWithoutLowerCasing([]rune(string(term))))...)
}

var standard = &Analyzer{split: splitWords, filters: []filter{lowercase}}

// analyzers are the analyzers by Elasticsearch's names.
var analyzers = map[string]*Analyzer{
	"default":    standard,
	"standard":   standard,
	"simple":     {split: splitRuns(letter), filters: []filter{lowercase}},
	"whitespace": {split: splitRuns(visible)},
	"keyword":    {},
	"stop":       {split: splitRuns(letter), filters: []filter{lowercase, stopWords(englishStopWords)}},
	"english":    {split: splitWords, filters: []filter{possessive, lowercase, stopWords(englishStopWords), porter}},
}
