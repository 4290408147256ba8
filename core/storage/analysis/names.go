package analysis

import (
	"strings"

	bleve "github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/lang/ar"
	"github.com/blevesearch/bleve/v2/analysis/lang/cjk"
	"github.com/blevesearch/bleve/v2/analysis/lang/ckb"
	"github.com/blevesearch/bleve/v2/analysis/lang/da"
	"github.com/blevesearch/bleve/v2/analysis/lang/de"
	"github.com/blevesearch/bleve/v2/analysis/lang/es"
	"github.com/blevesearch/bleve/v2/analysis/lang/fa"
	"github.com/blevesearch/bleve/v2/analysis/lang/fi"
	"github.com/blevesearch/bleve/v2/analysis/lang/fr"
	"github.com/blevesearch/bleve/v2/analysis/lang/hi"
	"github.com/blevesearch/bleve/v2/analysis/lang/hu"
	"github.com/blevesearch/bleve/v2/analysis/lang/in"
	"github.com/blevesearch/bleve/v2/analysis/lang/it"
	"github.com/blevesearch/bleve/v2/analysis/lang/nl"
	"github.com/blevesearch/bleve/v2/analysis/lang/no"
	"github.com/blevesearch/bleve/v2/analysis/lang/pt"
	"github.com/blevesearch/bleve/v2/analysis/lang/ro"
	"github.com/blevesearch/bleve/v2/analysis/lang/ru"
	"github.com/blevesearch/bleve/v2/analysis/lang/sv"
	"github.com/blevesearch/bleve/v2/analysis/lang/tr"
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

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// stopList reads a list of bleve's, to which change adds the words with a plus and from which it takes those with a minus.
func stopList(list []byte, change ...string) map[string]bool {
	words := bleve.NewTokenMap()
	_ = words.LoadBytes(list) // reading from memory cannot fail
	for _, c := range change {
		if c[0] == '+' {
			words.AddToken(c[1:])
		} else {
			delete(words, c[1:])
		}
	}
	return words
}

// language gives an analyzer of words in a language.
func language(filters ...filter) *Analyzer { return &Analyzer{split: splitWords, filters: filters} }

// englishStopWords are those of the analyzers stop and english.
var englishStopWords = set(`a an and are as at be but by for if in into is it no not of on or such that the their then there these
	they this to was will with`)

// cjkStopWords are those of the analyzer cjk.
var cjkStopWords = set(`a and are as at be but by for if in into is it no not of on or s such t that the their then there these they
	this to was will with www`)

var (
	frenchArticles  = set("c d j jusqu l lorsqu m n puisqu qu quoiqu s t")
	italianArticles = set("agl all c coll d dagl dall degl dell gl l m negl nell pell s sugl sull t un v")
)

var standard = &Analyzer{split: splitWords, filters: []filter{lowercase}}

// stopLists are the words that the analyzers of languages leave out, by the names of these. Elasticsearch has none by the name cjk.
var stopLists = map[string]map[string]bool{
	"arabic":     stopList(ar.ArabicStopWords),
	"danish":     stopList(da.DanishStopWords),
	"dutch":      stopList(nl.DutchStopWords),
	"english":    englishStopWords,
	"finnish":    stopList(fi.FinnishStopWords, "+tuota", "+tällä", "-tuotä", "-tallä"),
	"french":     stopList(fr.FrenchStopWords, "-as", "-aura", "-auras", "-avions", "-est", "-fût", "-sommes", "-son", "-été", "-étés"),
	"german":     stopList(de.GermanStopWords),
	"hindi":      stopList(hi.HindiStopWords),
	"hungarian":  stopList(hu.HungarianStopWords),
	"italian":    stopList(it.ItalianStopWords),
	"norwegian":  stopList(no.NorwegianStopWords),
	"persian":    stopList(fa.PersianStopWords),
	"portuguese": stopList(pt.PortugueseStopWords),
	"romanian":   stopList(ro.RomanianStopWords),
	"russian":    stopList(ru.RussianStopWords),
	"sorani":     stopList(ckb.SoraniStopWords),
	"spanish":    stopList(es.SpanishStopWords),
	"swedish":    stopList(sv.SwedishStopWords),
	"turkish":    stopList(tr.TurkishStopWords),
}

// languages make the analyzers of languages that leave words out by stop.
var languages = map[string]func(stop filter) *Analyzer{
	"arabic": func(stop filter) *Analyzer {
		return language(lowercase, decimals, stop, filtered(ar.NewArabicNormalizeFilter()),
			filtered(ar.NewArabicStemmerFilter())).normalizedBy(lowercase, decimals, filtered(ar.NewArabicNormalizeFilter()))
	},
	"danish": func(stop filter) *Analyzer {
		return language(lowercase, stop, snowball(danish.Stem))
	},
	"dutch": func(stop filter) *Analyzer {
		return language(lowercase, stop, dictionary(map[string]string{
			"fiets": "fiets", "bromfiets": "bromfiets", "ei": "eier", "kind": "kinder",
		}, snowball(dutch.Stem)))
	},
	"english": func(stop filter) *Analyzer {
		return language(possessive, lowercase, stop, porter)
	},
	"finnish": func(stop filter) *Analyzer {
		return language(lowercase, stop, lettered(snowball(finnish.Stem)))
	},
	"french": func(stop filter) *Analyzer {
		return language(elision(frenchArticles, true), lowercase, stop, filtered(fr.NewFrenchLightStemmerFilter())).normalizedBy(elision(frenchArticles, true), lowercase)
	},
	"german": func(stop filter) *Analyzer {
		return language(lowercase, stop, filtered(de.NewGermanNormalizeFilter()),
			filtered(de.NewGermanLightStemmerFilter())).normalizedBy(lowercase, filtered(de.NewGermanNormalizeFilter()))
	},
	"hindi": func(stop filter) *Analyzer {
		return language(lowercase, decimals, filtered(in.NewIndicNormalizeFilter()), filtered(hi.NewHindiNormalizeFilter()),
			stop, filtered(hi.NewHindiStemmerFilter())).normalizedBy(
			lowercase, decimals, filtered(in.NewIndicNormalizeFilter()), filtered(hi.NewHindiNormalizeFilter()))
	},
	"hungarian": func(stop filter) *Analyzer {
		return language(lowercase, stop, snowball(hungarian.Stem))
	},
	"italian": func(stop filter) *Analyzer {
		return language(elision(italianArticles, true), lowercase, stop,
			filtered(it.NewItalianLightStemmerFilterFilter())).normalizedBy(elision(italianArticles, true), lowercase)
	},
	"norwegian": func(stop filter) *Analyzer {
		return language(lowercase, stop, snowball(norwegian.Stem))
	},
	"persian": func(stop filter) *Analyzer {
		return &Analyzer{split: splitWords, spaced: joinersToSpaces, filters: []filter{
			lowercase, decimals, filtered(ar.NewArabicNormalizeFilter()), filtered(fa.NewPersianNormalizeFilter()),
			stop,
		}, normal: []filter{
			lowercase, decimals, filtered(ar.NewArabicNormalizeFilter()), filtered(fa.NewPersianNormalizeFilter()),
		}}
	},
	"portuguese": func(stop filter) *Analyzer {
		return language(lowercase, stop, filtered(pt.NewPortugueseLightStemmerFilter()))
	},
	"romanian": func(stop filter) *Analyzer {
		return language(lowercase, stop, snowball(romanian.Stem))
	},
	"russian": func(stop filter) *Analyzer {
		return language(lowercase, stop, withoutYo, snowball(russian.Stem))
	},
	"sorani": func(stop filter) *Analyzer {
		return language(filtered(ckb.NewSoraniNormalizeFilter()), lowercase, decimals, stop,
			filtered(ckb.NewSoraniStemmerFilter())).normalizedBy(filtered(ckb.NewSoraniNormalizeFilter()), lowercase, decimals)
	},
	"spanish": func(stop filter) *Analyzer {
		return language(lowercase, stop, spanishAccents(filtered(es.NewSpanishNormalizeFilter())),
			filtered(es.NewSpanishLightStemmerFilter()))
	},
	"swedish": func(stop filter) *Analyzer {
		return language(lowercase, stop, snowball(swedish.Stem))
	},
	"turkish": func(stop filter) *Analyzer {
		return language(apostrophe, turkishLowercase, stop, snowball(turkish.Stem)).normalizedBy(turkishLowercase)
	},
}

// analyzers are the analyzers by Elasticsearch's names.
var analyzers = func() map[string]*Analyzer {
	all := map[string]*Analyzer{
		"default":    standard,
		"standard":   standard,
		"simple":     {split: splitRuns(letter), filters: []filter{lowercase}},
		"whitespace": {split: splitRuns(visible)},
		"keyword":    {},
		"stop":       {split: splitRuns(letter), filters: []filter{lowercase, stopWords(englishStopWords)}},
		"cjk": {
			split: splitWords, filters: []filter{filtered(cjk.NewCJKWidthFilter()), lowercase}, paired: true, stop: cjkStopWords,
			normal: []filter{filtered(cjk.NewCJKWidthFilter()), lowercase},
		},
	}
	for name, language := range languages {
		all[name] = language(stopWords(stopLists[name]))
	}
	return all
}()
