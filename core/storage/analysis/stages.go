package analysis

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/analysis/char/asciifolding"
	"github.com/blevesearch/bleve/v2/analysis/lang/ar"
	"github.com/blevesearch/bleve/v2/analysis/lang/ckb"
	"github.com/blevesearch/bleve/v2/analysis/lang/de"
	"github.com/blevesearch/bleve/v2/analysis/lang/es"
	"github.com/blevesearch/bleve/v2/analysis/lang/fr"
	"github.com/blevesearch/bleve/v2/analysis/lang/hi"
	"github.com/blevesearch/bleve/v2/analysis/lang/it"
	"github.com/blevesearch/bleve/v2/analysis/lang/pt"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/hungarian"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/swedish"
	"github.com/blevesearch/snowballstem/turkish"
)

// plainFilters are the filters without options.
var plainFilters = map[string]filter{
	"lowercase":     lowercase,
	"uppercase":     uppercase,
	"asciifolding":  folded,
	"apostrophe":    apostrophe,
	"decimal_digit": decimals,
	"porter_stem":   porter,
	"reverse":       reversed,
	"trim":          trimmed,
}

// otherFilters are the names of those that have some.
var otherFilters = []string{
	"edge_ngram", "elision", "keep", "keyword_marker", "length", "limit", "ngram", "pattern_replace", "shingle", "stemmer", "stop", "synonym",
	"synonym_graph", "truncate", "unique",
}

// stemmers are what the filter stemmer knows.
var stemmers = map[string]filter{
	"english": porter, "porter": porter, "possessive_english": possessive,
	"arabic": filtered(ar.NewArabicStemmerFilter()), "danish": snowball(danish.Stem), "dutch": snowball(dutch.Stem),
	"finnish": lettered(snowball(finnish.Stem)), "light_french": filtered(fr.NewFrenchLightStemmerFilter()),
	"light_german": filtered(de.NewGermanLightStemmerFilter()), "hindi": filtered(hi.NewHindiStemmerFilter()),
	"hungarian": snowball(hungarian.Stem), "light_italian": filtered(it.NewItalianLightStemmerFilterFilter()),
	"norwegian": snowball(norwegian.Stem), "light_portuguese": filtered(pt.NewPortugueseLightStemmerFilter()),
	"romanian": snowball(romanian.Stem), "russian": snowball(russian.Stem), "sorani": filtered(ckb.NewSoraniStemmerFilter()),
	"light_spanish": filtered(es.NewSpanishLightStemmerFilter()), "swedish": snowball(swedish.Stem), "turkish": snowball(turkish.Stem),
}

// link is a filter of a chain: each, list or rules.
type link struct {
	kind string
	each stage
	list step
	// rules are synonyms, which need to know what is before them.
	rules *synonymRules
	// shingles is nil for other filters.
	shingles *shingles
	// normal is the filter when it changes characters by themselves.
	normal filter
	// stems says that marked words stay as they are, misfit that no synonyms can follow.
	stems, misfit bool
}

// link finds a filter of the collection or a built-in one.
func (s *sections) link(name string) (link, error) {
	d, defined := s.Filter[name]
	r := d.at("analysis.filter." + name)
	l := link{kind: name}
	if defined {
		l.kind = r.text("type", "")
	}
	switch f := plainFilters[l.kind]; {
	case f != nil:
		l.each, l.stems = one(f), l.kind == "porter_stem"
		if slices.Contains(normalizing, l.kind) {
			l.normal = f
		}
	case l.kind == "pattern_replace":
		l.normal = patternFilter(r.replacement(), r.flagOr("all", true))
		l.each = one(l.normal)
	case r.manyWords(&l):
		if l.rules != nil {
			l.rules.budget = &s.budget
		}
	default:
		l.each = r.stage(l.kind)
		l.misfit = strings.HasSuffix(l.kind, "ngram")
		l.stems = l.kind == "stemmer" && string(d["language"]) != `"possessive_english"`
	}
	if l.each == nil && l.list == nil && l.rules == nil {
		known := slices.Sorted(maps.Keys(plainFilters))
		return l, fmt.Errorf("%s: there is no filter %q, or it is not supported yet; there are %s", r.path, l.kind,
			strings.Join(append(known, otherFilters...), ", "))
	}
	return l, r.end()
}

// stage makes a filter with options, nil when there is none of that kind.
func (r *reading) stage(kind string) stage {
	switch kind {
	case "edge_ngram":
		g := r.grams(true)
		return g.stage(r.flag("preserve_original"))
	case "ngram":
		g := r.grams(false)
		return g.stage(r.flag("preserve_original"))
	case "stop":
		words := r.stopWords("_english_")
		if !r.flag("ignore_case") {
			return one(stopWords(words))
		}
		return one(stopFolded(words))
	case "stemmer":
		f := stemmers[r.text("language", "english")]
		if f == nil {
			r.fail("language", "expected one of %s", strings.Join(slices.Sorted(maps.Keys(stemmers)), ", "))
		}
		return one(f)
	case "elision":
		articles, anyCase := r.list("articles"), r.flag("articles_case")
		if articles == nil {
			return one(elision(frenchArticles, true))
		}
		list := strings.Join(articles, " ")
		if anyCase {
			list = strings.ToLower(list)
		}
		return one(elision(set(list), anyCase))
	case "keep":
		return one(r.keep())
	case "length":
		least := r.count("min", 0, 0, maxTermUnits)
		return one(lengthy(least, r.count("max", maxTermUnits, 0, maxTermUnits)))
	case "truncate":
		return one(truncated(r.count("length", 10, 1, maxTermUnits)))
	}
	return nil
}

// maxTermUnits is the most UTF-16 units that lengths count to.
const maxTermUnits = 1<<31 - 1

// stopWords reads words, or names of lists of them.
func (r *reading) stopWords(usual string) map[string]bool {
	const option = "stopwords"
	list := r.list(option)
	if list == nil {
		list = []string{usual}
	}
	words := map[string]bool{}
	for _, w := range list {
		if len(w) <= 2 || w[0] != '_' || w[len(w)-1] != '_' {
			words[w] = true
			continue
		}
		list, ok := stopLists[w[1:len(w)-1]]
		if !ok && w != "_none_" {
			r.fail(option, "the list %s is not supported; there are _none_ and those of %s, such as _french_", w,
				strings.Join(slices.Sorted(maps.Keys(stopLists)), ", "))
		}
		maps.Copy(words, list)
	}
	return words
}

// stopFolded drops words in any case.
func stopFolded(words map[string]bool) filter {
	folded := map[string]bool{}
	for w := range words {
		folded[strings.ToLower(w)] = true
	}
	return func(a *arena, term []byte) []byte {
		if folded[string(lowercase(a, term))] {
			return nil
		}
		return term
	}
}

func uppercase(a *arena, term []byte) []byte {
	out := a.take(2*len(term) + utf8.UTFMax)
	for _, c := range string(term) {
		out = utf8.AppendRune(out, unicode.ToUpper(c))
	}
	return a.keep(out)
}

var asciiFolding = asciifolding.New()

// folded writes letters without accents, and others of Latin scripts as those of ASCII.
func folded(_ *arena, term []byte) []byte {
	for _, b := range term {
		if b >= utf8.RuneSelf {
			return asciiFolding.Filter(bytes.Clone(term))
		}
	}
	return term
}

func trimmed(_ *arena, term []byte) []byte {
	if cut := bytes.TrimFunc(term, func(c rune) bool { return !visible(c) }); cut != nil {
		return cut
	}
	return []byte{}
}

func reversed(a *arena, term []byte) []byte {
	out := a.take(len(term))
	for rest := term; len(rest) > 0; {
		c, size := utf8.DecodeLastRune(rest)
		out, rest = utf8.AppendRune(out, c), rest[:len(rest)-size]
	}
	return a.keep(out)
}

// lengthy drops words that are too short or too long, in UTF-16.
func lengthy(least, most int) filter {
	return func(_ *arena, term []byte) []byte {
		n := 0
		for _, c := range string(term) {
			n += units(c)
		}
		if n < least || n > most {
			return nil
		}
		return term
	}
}

// truncated cuts words off after some UTF-16 units.
func truncated(most int) filter {
	return func(_ *arena, term []byte) []byte {
		n := 0
		for i, c := range string(term) {
			if n += units(c); n > most {
				return term[:i]
			}
		}
		return term
	}
}

// units is the length of a character in UTF-16.
func units(c rune) int {
	if c > 0xffff {
		return 2
	}
	return 1
}
