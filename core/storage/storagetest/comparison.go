package storagetest

import (
	"embed"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// goldenSeed is the seed of what is recorded.
const goldenSeed = 20260531

// goldens are the golden files: documents, searches, and what a real Elasticsearch answered. Record writes them.
//
//go:embed testdata/*.jsonl.gz
var goldens embed.FS

// Comparison is a subject on which engines are held to the answers of a real Elasticsearch: documents, and searches for them.
type Comparison struct {
	// Name is that of its tests, and in small letters that of the golden file.
	Name string
	spec storage.Spec

	// document makes the document of a number.
	document func(g generator, number int) jsontext.Value
	// second says which documents are in the second collection: the last one of so many; 0 stands for none.
	second int
	// written are searches that were written by hand, random makes others.
	written []searchCase
	random  func(generator) searchCase
	// following searches for what comes after some of the hits, too.
	following bool

	// recorded is what the golden file has, compared is what is asked side by side.
	recorded, compared amount
}

// amount is how many documents there are, and how many random searches for them.
type amount struct{ documents, searches int }

// Comparisons gives all of them.
func Comparisons() []Comparison {
	return []Comparison{
		corpusComparison, typesComparison, phrasingsComparison, hitsComparison, vectorsComparison, suggestComparison, shapesComparison,
		phrasesComparison, chainsComparison,
	}
}

// File is the path of the golden file, from the folder of this package.
func (c Comparison) File() string { return "testdata/" + strings.ToLower(c.Name) + ".jsonl.gz" }

// Record writes the golden file from the answers of e.
func (c Comparison) Record(t *testing.T, e storage.Engine, to io.Writer) {
	t.Helper()
	g := newGenerator(goldenSeed)
	g.young = true
	docs, cases := c.generate(g, c.recorded)
	loaded := loadCorpus(t, e, c.spec, docs)
	write, done := goldenWriter(t, to)
	for _, d := range docs {
		write(line{Document: &d})
	}
	for s := range c.answered(t, g, loaded, cases) {
		if s.Want.Error != "" {
			t.Logf("refused: %s", s.Body)
		}
		write(line{Search: &s})
	}
	done()
}

// replay asks what a real Elasticsearch was asked, and wants the same answers.
func (c Comparison) replay(t *testing.T, open Open) {
	t.Helper()
	golden, err := goldens.ReadFile(c.File())
	if err != nil {
		t.Fatal(err)
	}
	docs, cases := readGolden(t, golden)
	compare(t, loadCorpus(t, open(t), c.spec, docs), slices.Values(cases))
}

// SideBySide asks two engines the same searches, other ones each time; the answers of the first are right. SLUICE_TEST_SEARCHES says how
// many of them are random, for a longer run than the usual one. With STORAGETEST_YOUNG it asks for the newest clauses too, of which some
// answers may still differ; what the golden files have of them does not.
func (c Comparison) SideBySide(t *testing.T, right, other storage.Engine) {
	t.Helper()
	s := seed(t)
	g := newGenerator(s)
	g.young = os.Getenv("STORAGETEST_YOUNG") != ""
	docs, cases := c.generate(g, amount{c.compared.documents, c.searches(t)})
	want, got := loadCorpus(t, right, c.spec, docs), loadCorpus(t, other, c.spec, docs)
	if compare(t, got, c.answered(t, g, want, cases)); t.Failed() {
		t.Errorf("repeat with STORAGETEST_SEED=%d", s)
	}
}

// searches is how many random ones are compared side by side.
func (c Comparison) searches(t *testing.T) int {
	t.Helper()
	text := os.Getenv("SLUICE_TEST_SEARCHES")
	if text == "" || c.compared.searches == 0 {
		return c.compared.searches
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("SLUICE_TEST_SEARCHES: %v", err)
	}
	return n
}

// generate makes documents, and searches without answers: first those that were written by hand, then random ones.
func (c Comparison) generate(g generator, of amount) (docs []corpusDocument, cases []searchCase) {
	for i := range of.documents {
		d := corpusDocument{Collection: mainCollection, ID: strconv.Itoa(i), Source: c.document(g, i)}
		if c.second > 0 && i%c.second == c.second-1 {
			d.Collection = secondCollection
		}
		docs = append(docs, d)
	}
	cases = slices.Clone(c.written)
	for range of.searches {
		cases = append(cases, c.random(g))
	}
	return docs, cases
}

// answered gives the searches with the answers of an engine.
func (c Comparison) answered(t *testing.T, g generator, right corpus, cases []searchCase) iter.Seq[searchCase] {
	t.Helper()
	return func(yield func(searchCase) bool) {
		for _, s := range cases {
			for more := true; more; {
				s.Want = right.ask(t, s)
				if !yield(s) {
					return
				}
				if more = c.following; more {
					s, more = g.following(s, s.Want)
				}
			}
		}
	}
}

// maxReported bounds what a failing test prints.
const maxReported = 20

// compare asks searches whose answers are known.
func compare(t *testing.T, c corpus, cases iter.Seq[searchCase]) {
	t.Helper()
	failed, asked := 0, 0
	for s := range cases {
		asked++
		if difference := differs(s.Size, s.Want, c.ask(t, s)); difference != "" {
			if failed++; failed <= maxReported {
				t.Errorf("%s\n\tfrom %d, size %d in %v: %s", s.Body, s.From, s.Size, s.Targets, difference)
			}
		}
	}
	if failed > 0 {
		t.Errorf("%d of %d searches differ from Elasticsearch", failed, asked)
	}
}

// writtenCases are the searches of bodies.
func writtenCases(size int, bodies ...[]string) []searchCase {
	var list []searchCase
	for _, body := range slices.Concat(bodies...) {
		list = append(list, searchCase{Body: jsontext.Value(body), Size: size})
	}
	return list
}
