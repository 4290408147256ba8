package storagetest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
)

// line is a line of a golden file: a document or a search.
type line struct {
	Document *corpusDocument `json:"document,omitzero"`
	Search   *searchCase     `json:"search,omitzero"`
}

type corpusDocument struct {
	Collection string         `json:"collection"`
	ID         string         `json:"id"`
	Source     jsontext.Value `json:"source"`
}

// searchCase is a search and its answer.
type searchCase struct {
	// Targets are the names of collections; none stands for the first one.
	Targets []string       `json:"targets,omitempty"`
	Body    jsontext.Value `json:"body"`
	From    int            `json:"from,omitzero"`
	Size    int            `json:"size"`
	Want    answer         `json:"want"`
}

// answer is what an engine said to a search.
type answer struct {
	Error        string         `json:"error,omitempty"`
	Total        int            `json:"total"`
	Hits         []answerHit    `json:"hits,omitempty"`
	Aggregations jsontext.Value `json:"aggregations,omitzero"`
	Suggest      jsontext.Value `json:"suggest,omitzero"`
	// Count is what Count says to the query alone.
	Count int `json:"count"`
}

type answerHit struct {
	Collection string           `json:"c,omitempty"`
	ID         string           `json:"id"`
	Score      *float32         `json:"score,omitzero"`
	Sort       []jsontext.Value `json:"sort,omitempty"`
	// Digest stands for Source, since those are most of all answers.
	Digest string         `json:"source,omitempty"`
	Source jsontext.Value `json:"-"`

	Highlight jsontext.Value `json:"highlight,omitzero"`
	Fields    jsontext.Value `json:"fields,omitzero"`
	// Explained is the value of the explanation, the only part that engines share.
	Explained jsontext.Value         `json:"explained,omitzero"`
	Inner     map[string][]answerHit `json:"inner,omitempty"`
}

// digest of a source is the same however it is written.
func digest(source jsontext.Value) string {
	if source == nil {
		return ""
	}
	same := source.Clone()
	if err := same.Canonicalize(); err != nil {
		return err.Error()
	}
	sum := sha256.Sum256(same)
	return hex.EncodeToString(sum[:4])
}

// The collections of the corpus. The second is smaller, so that its scores are others; the third is empty.
const mainCollection, secondCollection, emptyCollection = "main", "second", "empty"

// corpus is an index with the documents in it.
type corpus struct {
	storage.Engine
	index string
}

// loadCorpus writes the documents into an index that nobody else has.
func loadCorpus(t *testing.T, e storage.Engine, spec storage.Spec, docs []corpusDocument) corpus {
	t.Helper()
	c := corpus{e, "corpus-" + strings.ToLower(rand.Text())}
	t.Cleanup(func() { _ = e.DropIndex(context.Background(), storage.Public, c.index) })
	for _, name := range []string{mainCollection, secondCollection, emptyCollection} {
		if err := e.Ensure(t.Context(), c.collection(name), spec); err != nil {
			t.Fatalf("Ensure: %v", err)
		}
		var ops []storage.Op
		for _, d := range docs {
			if d.Collection == name {
				ops = append(ops, storage.Op{Kind: storage.OpCreate, ID: d.ID, Source: d.Source})
			}
		}
		results, err := e.Write(t.Context(), c.collection(name), ops, storage.BulkOptions{Refresh: storage.RefreshWaitFor})
		if err != nil {
			t.Fatalf("Write: %v", err)
		}
		for i, r := range results {
			if r.Err != nil {
				t.Fatalf("write %s: %v", ops[i].Source, r.Err)
			}
		}
	}
	return c
}

func (c corpus) collection(name string) storage.Collection {
	return storage.Collection{Scope: storage.Public, Index: c.index, Name: name}
}

// ask gives the answer of the engine to a search.
func (c corpus) ask(t *testing.T, s searchCase) answer {
	t.Helper()
	search := storage.Search{Body: s.Body, From: s.From, Size: s.Size}
	for _, name := range s.Targets {
		search.Targets = append(search.Targets, c.collection(name))
	}
	if search.Targets == nil {
		search.Targets = []storage.Collection{c.collection(mainCollection)}
	}
	found, err := c.Search(t.Context(), search)
	if err != nil {
		return answer{Error: errorID(err)}
	}
	a := answer{Total: found.Total, Aggregations: indexName.ReplaceAll(found.Aggregations, nil)}
	a.Suggest = bytes.ReplaceAll(found.Suggest, []byte(c.index), []byte("corpus"))
	a.Hits = answerHits(found.Hits)
	body, err := membersOf(s.Body)
	if err != nil {
		t.Fatalf("the body %s: %v", s.Body, err)
	}
	if a.Count, err = c.Count(t.Context(), search.Targets, body["query"]); err != nil {
		t.Errorf("Count of %s, which can be searched for: %v", body["query"], err)
	}
	return a
}

// indexName is what hits in aggregations say of their collection: each engine has an index of its own.
var indexName = regexp.MustCompile(`"_index": ?"[^"]*", ?`)

func answerHits(hits []storage.Hit) []answerHit {
	var list []answerHit
	for _, h := range hits {
		hit := answerHit{
			Collection: h.Collection.Name, ID: h.ID, Score: h.Score, Sort: h.Sort, Source: h.Source, Digest: digest(h.Source),
			Highlight: h.Highlight, Fields: h.Fields, Explained: explained(h.Explanation),
		}
		if hit.Collection == mainCollection {
			hit.Collection = ""
		}
		for name, inner := range h.InnerHits {
			if hit.Inner == nil {
				hit.Inner = map[string][]answerHit{}
			}
			hit.Inner[name] = answerHits(inner)
		}
		list = append(list, hit)
	}
	return list
}

// explained is the value of an explanation.
func explained(e jsontext.Value) jsontext.Value {
	if e == nil {
		return nil
	}
	members, err := membersOf(e)
	if err != nil {
		return e
	}
	return members["value"]
}

// following makes the search for what comes after one of the hits, when that can be asked for. Over several shards Elasticsearch
// itself leaves out a hit now and then, when the first key of the sort is shared by hits of two shards. Distances are not exact
// enough to be the same for two engines.
func (g generator) following(s searchCase, a answer) (searchCase, bool) {
	if len(a.Hits) < 2 || a.Hits[0].Sort == nil || len(s.Targets) > 1 || !g.chance(3) {
		return s, false
	}
	body, err := membersOf(s.Body)
	if err != nil || strings.Contains(string(body["sort"]), "_geo") {
		return s, false
	}
	body["search_after"] = marshal(a.Hits[g.IntN(len(a.Hits))].Sort)
	s.Body, s.From, s.Size = marshal(body), 0, 1+g.IntN(20)
	return s, true
}

// goldenWriter gives what writes a line of a golden file, and what ends it.
func goldenWriter(t *testing.T, to io.Writer) (write func(line), done func()) {
	t.Helper()
	zip, err := gzip.NewWriterLevel(to, gzip.BestCompression)
	check := func(err error) {
		if err != nil {
			t.Fatalf("write the golden file: %v", err)
		}
	}
	check(err)
	return func(l line) {
		b, err := json.Marshal(l)
		check(err)
		_, err = zip.Write(append(b, '\n'))
		check(err)
	}, func() { check(zip.Close()) }
}

func readGolden(t *testing.T, golden []byte) (docs []corpusDocument, cases []searchCase) {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(golden))
	if err != nil {
		t.Fatalf("open the golden file: %v", err)
	}
	in := bufio.NewReaderSize(zip, 1<<20)
	for {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return docs, cases
		}
		var l line
		if err == nil {
			err = json.Unmarshal(text, &l)
		}
		switch {
		case err != nil:
			t.Fatalf("read the golden file: %v", err)
		case l.Document != nil:
			docs = append(docs, *l.Document)
		default:
			cases = append(cases, *l.Search)
		}
	}
}
