package storagetest

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// differs says how an answer differs from the right one, "" when it does not. Hits that the search ranks alike may stand in
// any order, and scores may differ by a ten-thousandth.
func differs(size int, want, got answer) string {
	switch {
	case want.Error != got.Error:
		return fmt.Sprintf("the error is %q, want %q", got.Error, want.Error)
	case want.Error != "":
		return ""
	case want.Total != got.Total:
		return fmt.Sprintf("the total is %d, want %d; got %s, want %s", got.Total, want.Total, ids(got), ids(want))
	case want.Count != got.Count:
		return fmt.Sprintf("the count is %d, want %d", got.Count, want.Count)
	case len(want.Hits) != len(got.Hits):
		return fmt.Sprintf("%d hits, want %d", len(got.Hits), len(want.Hits))
	case !near(want.Aggregations, got.Aggregations):
		return fmt.Sprintf("the aggregations are %s, want %s", got.Aggregations, want.Aggregations)
	case !nearSuggest(want.Suggest, got.Suggest):
		return fmt.Sprintf("the suggestions are %s, want %s", got.Suggest, want.Suggest)
	}
	return differsInHits(size, want, got)
}

// differsInHits compares as many hits as the right ones.
func differsInHits(size int, want, got answer) string {
	switch {
	case len(want.Hits) == 0:
		return ""
	case want.Hits[0].Sort != nil:
		return differsInOrder(want, got)
	}
	return differsInScore(size, want, got)
}

func ids(a answer) string {
	text := "["
	for i, h := range a.Hits {
		if i == 12 {
			return text + " …]"
		}
		text += " " + h.Collection + h.ID
	}
	return text + " ]"
}

// differsInOrder compares hits of a sort, whose last key is unique.
func differsInOrder(want, got answer) string {
	for i, w := range want.Hits {
		g := got.Hits[i]
		if w.ID != g.ID || w.Collection != g.Collection {
			return fmt.Sprintf("hit %d is %s%s sorted by %s, want %s%s sorted by %s", i, g.Collection, g.ID, g.Sort, w.Collection, w.ID, w.Sort)
		}
		if difference := differsInside(w, g); difference != "" {
			return fmt.Sprintf("hit %d, %s%s: %s", i, w.Collection, w.ID, difference)
		}
		if len(w.Sort) != len(g.Sort) {
			return fmt.Sprintf("hit %d has the sort values %s, want %s", i, g.Sort, w.Sort)
		}
		for k := range w.Sort {
			if !near(w.Sort[k], g.Sort[k]) {
				return fmt.Sprintf("hit %d, %s%s, has the sort values %s, want %s", i, w.Collection, w.ID, g.Sort, w.Sort)
			}
		}
	}
	return ""
}

// differsInScore compares hits that are ranked by score. Of those that share the last score, any may be among them.
func differsInScore(size int, want, got answer) string {
	hits := map[string]answerHit{}
	for i, g := range got.Hits {
		hits[g.Collection+"/"+g.ID] = g
		if w := want.Hits[i]; g.Score == nil || w.Score == nil || !nearScore(*g.Score, *w.Score) {
			return fmt.Sprintf("hit %d, %s%s, has the score %s, want %s%s with %s", i, g.Collection, g.ID, score(g), w.Collection, w.ID, score(w))
		}
	}
	last := *want.Hits[len(want.Hits)-1].Score
	for _, w := range want.Hits {
		g, found := hits[w.Collection+"/"+w.ID]
		switch {
		case !found && nearScore(*w.Score, last) && len(want.Hits) == size:
		case !found:
			return fmt.Sprintf("%s%s with the score %s is missing", w.Collection, w.ID, score(w))
		default:
			if difference := differsInside(w, g); difference != "" {
				return fmt.Sprintf("%s%s: %s", w.Collection, w.ID, difference)
			}
		}
	}
	return ""
}

func differsInside(want, got answerHit) string {
	switch {
	case (want.Score == nil) != (got.Score == nil) || want.Score != nil && !nearScore(*want.Score, *got.Score):
		return fmt.Sprintf("the score is %s, want %s", score(got), score(want))
	case want.Digest != got.Digest:
		return fmt.Sprintf("the source is %s, want %s (%s)", got.Source, want.Source, want.Digest)
	case !near(want.Highlight, got.Highlight):
		return fmt.Sprintf("the highlight is %s, want %s", got.Highlight, want.Highlight)
	case !near(want.Fields, got.Fields):
		return fmt.Sprintf("the fields are %s, want %s", got.Fields, want.Fields)
	case !nearExplained(want.Explained, got.Explained):
		return fmt.Sprintf("the explanation gives %s, want %s", got.Explained, want.Explained)
	case len(want.Inner) != len(got.Inner):
		return fmt.Sprintf("inner hits by %d names, want %d", len(got.Inner), len(want.Inner))
	}
	for name, list := range want.Inner {
		w, g := answer{Hits: list}, answer{Hits: got.Inner[name]}
		difference := fmt.Sprintf("they are %s, want %s", ids(g), ids(w))
		if len(w.Hits) == len(g.Hits) {
			difference = differsInHits(len(list), w, g)
		}
		if difference != "" {
			return fmt.Sprintf("the inner hits %q: %s", name, difference)
		}
	}
	return ""
}

func score(h answerHit) string {
	if h.Score == nil {
		return "none"
	}
	return fmt.Sprint(*h.Score)
}

func nearScore(a, b float32) bool {
	return math.Abs(float64(a-b)) <= 1e-4*max(math.Abs(float64(a)), math.Abs(float64(b)), 1e-6)
}

func nearExplained(a, b jsontext.Value) bool {
	x, errX := strconv.ParseFloat(string(a), 32)
	y, errY := strconv.ParseFloat(string(b), 32)
	if errX != nil || errY != nil {
		return string(a) == string(b)
	}
	return nearScore(float32(x), float32(y))
}

// near compares two values: numbers up to what is lost when they are added in another order, objects without regard to the
// order of members.
func near(a, b jsontext.Value) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case '0':
		return string(a) == string(b) || nearNumber(string(a), string(b))
	case '[':
		x, errX := elementsOf(a)
		y, errY := elementsOf(b)
		if errX != nil || errY != nil || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !near(x[i], y[i]) {
				return false
			}
		}
		return true
	case '{':
		return nearObjects(a, b)
	}
	return sameJSON(a, b)
}

// nearNumber compares numbers that are not written alike. Whole ones are exact; of a float seven digits are.
func nearNumber(a, b string) bool {
	if !strings.ContainsAny(a, ".eE") && !strings.ContainsAny(b, ".eE") {
		return false
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && math.Abs(x-y) <= 2e-7*max(math.Abs(x), math.Abs(y), 1e-9)
}

func nearObjects(a, b jsontext.Value) bool {
	x, errX := membersOf(a)
	y, errY := membersOf(b)
	if errX != nil || errY != nil || len(x) != len(y) {
		return false
	}
	for name, value := range x {
		other, ok := y[name]
		if !ok || !near(value, other) {
			return false
		}
	}
	return true
}
