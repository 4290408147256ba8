package analysis_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/analysis"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// growing are parts of settings that make an analyzer a, of which each makes much of the text beside it, or has much to do with it.
func growing() map[string][2]string {
	many := strings.Repeat
	chars := func(list, filter string) string {
		return `"char_filter":{"c":` + filter + `},"analyzer":{"a":{"tokenizer":"keyword","char_filter":[` + list + `]}}`
	}
	filters := func(tokenizer, list, filter string) string {
		return `"filter":{"f":` + filter + `},"analyzer":{"a":{"tokenizer":"` + tokenizer + `","filter":[` + list + `]}}`
	}
	tokenizer := func(t string) string {
		return `"tokenizer":{"t":` + t + `},"analyzer":{"a":{"tokenizer":"t"}}`
	}
	return map[string][2]string{
		"long replacements":       {chars(`"c"`, `{"type":"mapping","mappings":["a => `+many("b", 200_000)+`"]}`), many("a", 10_000)},
		"replacements in a chain": {chars(`"c","c","c"`, `{"type":"mapping","mappings":["a => `+many("a", 1000)+`"]}`), many("a", 10)},
		"rules of many lengths":   {chars(`"c"`, `{"type":"mapping","mappings":[`+lengths(700)+`]}`), many("a", 100_000)},
		"long replaced matches":   {chars(`"c"`, `{"type":"pattern_replace","pattern":"a","replacement":"`+many("b", 200_000)+`"}`), many("a", 10_000)},
		"matches of nothing":      {chars(`"c"`, `{"type":"pattern_replace","pattern":"x*","replacement":"--------"}`), many("ab", 1_000_000)},
		"groups in a chain":       {chars(`"c","c","c","c","c","c"`, `{"type":"pattern_replace","pattern":"(.+)","replacement":"$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1"}`), many("a", 10)},
		"words in a chain":        {filters("keyword", `"f","f","f"`, `{"type":"pattern_replace","pattern":"a","replacement":"`+many("a", 1000)+`"}`), many("a", 10)},
		"parts of parts":          {filters("keyword", `"f","f","f","f","f","f","f","f"`, `{"type":"edge_ngram","min_gram":1,"max_gram":64}`), many("a", 62)},
		"parts after steps":       {filters("keyword", `"unique","f","f","f","f","f","f","f","f"`, `{"type":"edge_ngram","min_gram":1,"max_gram":64}`), many("a", 62)},
		"long parts":              {tokenizer(`{"type":"ngram","min_gram":63,"max_gram":64}`), many("a", 1_000_000)},
		"shingles of shingles":    {filters("standard", `"f","f","f","f"`, `{"type":"shingle","min_shingle_size":30,"max_shingle_size":32}`), many("a ", 10_000)},
		"many synonyms":           {filters("standard", `"f"`, `{"type":"synonym","synonyms":["a => `+numbered(10_000)+`"]}`), many("a ", 10_000)},
		"long synonyms":           {filters("standard", `"f"`, `{"type":"synonym","synonyms":["`+many("a ", 5000)+`b => c"]}`), many("a ", 10_000)},
		"a match to the end":      {tokenizer(`{"type":"pattern","pattern":"a.*b|a"}`), many("a", 50_000)},
		"a match to the end of a word": {
			filters("keyword", `"f"`, `{"type":"pattern_replace","pattern":"\\b(a)|a.*b|a","replacement":""}`),
			many("a", 50_000),
		},
		"a long pattern":   {tokenizer(`{"type":"pattern","pattern":"(?:[ab]{0,30}){0,30}c"}`), many("ab", 500_000)},
		"one word to stem": {filters("keyword", `"f"`, `{"type":"stemmer","language":"dutch"}`), many("ë", 100_000)},
		"tags":             {chars(`"c"`, `{"type":"html_strip"}`), many("<", 10_000_000)},
		"references":       {chars(`"c"`, `{"type":"html_strip"}`), many("&amp;", 1_000_000)},
		"many words":       {`"analyzer":{"a":{"type":"english"}}`, many("the ", 1_000_000)},
		"pairs":            {`"analyzer":{"a":{"type":"cjk"}}`, many("東", 2_000_000)},
		"many filters":     {filters("standard", `"f"`+many(`,"lowercase"`, 99), `{"type":"truncate"}`), many("word ", 200_000)},
	}
}

// lengths are rules for as many lengths.
func lengths(n int) string {
	rules := make([]string, n)
	for i := range rules {
		rules[i] = `"` + strings.Repeat("a", i+1) + `b => c"`
	}
	return strings.Join(rules, ",")
}

// numbered are as many words with commas between.
func numbered(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = "w" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26))
	}
	return strings.Join(words, ",")
}

// madeBytes is how much memory the budget of a search may become.
const madeBytes = 256 << 20

func growingAnalyzer(t *testing.T, parts string) *analysis.Analyzer {
	t.Helper()
	set, err := analysis.ParseSet(jsontext.Value(`{"analysis":{` + parts + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := set.Analyzer("a")
	return a
}

// TestBudget: however much an analyzer would make of a text, it ends with the budget.
func TestBudget(t *testing.T) {
	for name, tt := range growing() {
		t.Run(name, func(t *testing.T) {
			a := growingAnalyzer(t, tt[0])
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			b := analysis.NewBudget(t.Context(), analysis.SearchWork)
			a.Tokens(b, []byte(tt[1]), nil)
			runtime.ReadMemStats(&after)
			if !errors.Is(b.Err(), kerror.ServicesStorageUnexpectedBadRequest) {
				t.Errorf("error %v", b.Err())
			}
			// Under the race detector regular expressions forget a part of their memory, and make it again each time.
			if made := after.TotalAlloc - before.TotalAlloc; made > madeBytes && !raceEnabled {
				t.Errorf("it took %d MB", made>>20)
			}
			if tokens := a.Tokens(b, []byte("a"), nil); len(tokens) > 0 {
				t.Error("there are words of the next text")
			}
		})
	}
}

// TestBudgetEndsWithContext: nobody who asked for it waits for what an analyzer makes.
func TestBudgetEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range growing() {
		b := analysis.NewBudget(ctx, analysis.DocumentWork)
		if growingAnalyzer(t, tt[0]).Tokens(b, []byte(tt[1]), nil); !errors.Is(b.Err(), context.Canceled) {
			t.Errorf("%s: error %v", name, b.Err())
		}
	}
}

// TestBudgetOfDocument: what many texts need counts together, and a new document begins again.
func TestBudgetOfDocument(t *testing.T) {
	a, _ := analysis.Named("standard")
	text := []byte(strings.Repeat("abc def ghi ", 40_000))
	var b analysis.Budget
	n := 0
	for b.Err() == nil {
		a.Tokens(&b, text, nil)
		n++
	}
	if n < 5 || n > 100 {
		t.Errorf("%d texts of %d bytes were taken apart", n, len(text))
	}
	b.Reset()
	if tokens := a.Tokens(&b, text, nil); len(tokens) != 120_000 || b.Err() != nil {
		t.Errorf("%d words after a reset, error %v", len(tokens), b.Err())
	}
}

// TestBudgetsShare: who has much to do waits until another one is done, and who has little to do does not.
func TestBudgetsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := analysis.Named("standard")
		places := make(chan struct{}, 1)
		var first, second, third analysis.Budget
		for _, b := range []*analysis.Budget{&first, &second, &third} {
			b.ShareWith(places)
		}
		long := []byte(strings.Repeat("abc def ghi ", 40_000))
		a.Tokens(&first, long, nil)
		a.Tokens(&third, []byte("abc"), nil)
		waited := false
		go func() {
			a.Tokens(&second, long, nil)
			waited = true
			second.Leave()
		}()
		synctest.Wait()
		if waited {
			t.Error("two had much to do at once")
		}
		first.Reset()
		first.Leave()
		synctest.Wait()
		third.Leave()
		if !waited || len(places) > 0 {
			t.Errorf("the other one is done: %v, places taken: %d", waited, len(places))
		}
	})
}

// TestBudgetOfNormalizers: a keyword cannot grow without bounds either.
func TestBudgetOfNormalizers(t *testing.T) {
	set, err := analysis.ParseSet(jsontext.Value(`{"analysis":{"char_filter":{"c":{"type":"mapping","mappings":["a => ` + strings.Repeat("a", 1000) + `"]}},
		"normalizer":{"n":{"char_filter":["c","c","c"]}},"analyzer":{"a":{"tokenizer":"keyword","char_filter":["c","c","c"]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	n, _ := set.Normalizer("n")
	a, _ := set.Analyzer("a")
	for name, apply := range map[string]func(*analysis.Budget, []byte) []byte{"normalizer": n.Apply, "analyzer": a.Normalize} {
		b := analysis.NewBudget(t.Context(), analysis.SearchWork)
		if apply(b, []byte("aaaaaaaaaa")); !errors.Is(b.Err(), kerror.ServicesStorageUnexpectedBadRequest) {
			t.Errorf("%s: error %v", name, b.Err())
		}
	}
}

// TestTooManySynonyms: many analyzers cannot multiply the rules of many filters.
func TestTooManySynonyms(t *testing.T) {
	rules := numbered(300)
	var filters, analyzers, names []string
	for i := range 100 {
		name := "f" + string(rune('a'+i/10)) + string(rune('a'+i%10))
		names = append(names, `"`+name+`"`)
		filters = append(filters, `"`+name+`":{"type":"synonym","synonyms":["`+rules+`"]}`)
	}
	for _, name := range names {
		analyzers = append(analyzers, name+`:{"tokenizer":"standard","filter":[`+strings.Join(names, ",")+`]}`)
	}
	_, err := analysis.ParseSet(jsontext.Value(`{"analysis":{"filter":{` + strings.Join(filters, ",") + `},"analyzer":{` + strings.Join(analyzers, ",") + `}}}`))
	if err == nil || !strings.HasSuffix(err.Error(), "use them in fewer analyzers") {
		t.Errorf("error %v", err)
	}
}
