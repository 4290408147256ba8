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
func stopList(list []byte, change ...string) filter {
	words := bleve.NewTokenMap()
	_ = words.LoadBytes(list) // reading from memory cannot fail
	for _, c := range change {
		if c[0] == '+' {
			words.AddToken(c[1:])
		} else {
			delete(words, c[1:])
		}
	}
	return stopWords(words)
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

// analyzers are the analyzers by Elasticsearch's names.
var analyzers = map[string]*Analyzer{
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

	"arabic": language(lowercase, decimals, stopList(ar.ArabicStopWords), filtered(ar.NewArabicNormalizeFilter()),
		filtered(ar.NewArabicStemmerFilter())).normalizedBy(lowercase, decimals, filtered(ar.NewArabicNormalizeFilter())),
	"danish": language(lowercase, stopList(da.DanishStopWords), snowball(danish.Stem)),
	"dutch": language(lowercase, stopList(nl.DutchStopWords), dictionary(map[string]string{
		"fiets": "fiets", "bromfiets": "bromfiets", "ei": "eier", "kind": "kinder",
	}, snowball(dutch.Stem))),
	"english": language(possessive, lowercase, stopWords(englishStopWords), porter),
	"finnish": language(lowercase, stopList(fi.FinnishStopWords, "+tuota", "+tällä", "-tuotä", "-tallä"), lettered(snowball(finnish.Stem))),
	"french": language(elision(frenchArticles, true), lowercase, stopList(fr.FrenchStopWords,
		"-as", "-aura", "-auras", "-avions", "-est", "-fût", "-sommes", "-son", "-été", "-étés",
	), filtered(fr.NewFrenchLightStemmerFilter())).normalizedBy(elision(frenchArticles, true), lowercase),
	"german": language(lowercase, stopList(de.GermanStopWords), filtered(de.NewGermanNormalizeFilter()),
		filtered(de.NewGermanLightStemmerFilter())).normalizedBy(lowercase, filtered(de.NewGermanNormalizeFilter())),
	"hindi": language(lowercase, decimals, filtered(in.NewIndicNormalizeFilter()), filtered(hi.NewHindiNormalizeFilter()),
		stopList(hi.HindiStopWords), filtered(hi.NewHindiStemmerFilter())).normalizedBy(
		lowercase, decimals, filtered(in.NewIndicNormalizeFilter()), filtered(hi.NewHindiNormalizeFilter())),
	"hungarian": language(lowercase, stopList(hu.HungarianStopWords), snowball(hungarian.Stem)),
	"italian": language(elision(italianArticles, true), lowercase, stopList(it.ItalianStopWords),
		filtered(it.NewItalianLightStemmerFilterFilter())).normalizedBy(elision(italianArticles, true), lowercase),
	"norwegian": language(lowercase, stopList(no.NorwegianStopWords), snowball(norwegian.Stem)),
	"persian": {split: splitWords, spaced: joinersToSpaces, filters: []filter{
		lowercase, decimals, filtered(ar.NewArabicNormalizeFilter()), filtered(fa.NewPersianNormalizeFilter()),
		stopList(fa.PersianStopWords),
	}, normal: []filter{
		lowercase, decimals, filtered(ar.NewArabicNormalizeFilter()), filtered(fa.NewPersianNormalizeFilter()),
	}},
	"portuguese": language(lowercase, stopList(pt.PortugueseStopWords), filtered(pt.NewPortugueseLightStemmerFilter())),
	"romanian":   language(lowercase, stopList(ro.RomanianStopWords), snowball(romanian.Stem)),
	"russian":    language(lowercase, stopList(ru.RussianStopWords), withoutYo, snowball(russian.Stem)),
	"sorani": language(filtered(ckb.NewSoraniNormalizeFilter()), lowercase, decimals, stopList(ckb.SoraniStopWords),
		filtered(ckb.NewSoraniStemmerFilter())).normalizedBy(filtered(ckb.NewSoraniNormalizeFilter()), lowercase, decimals),
	"spanish": language(lowercase, stopList(es.SpanishStopWords), spanishAccents(filtered(es.NewSpanishNormalizeFilter())),
		filtered(es.NewSpanishLightStemmerFilter())),
	"swedish": language(lowercase, stopList(sv.SwedishStopWords), snowball(swedish.Stem)),
	"turkish": language(apostrophe, turkishLowercase, stopList(tr.TurkishStopWords), snowball(turkish.Stem)).normalizedBy(turkishLowercase),
}
