package node_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

const (
	costlyDocuments = 20_000
	// costlyAtOnce is how many costly searches run at the same time.
	costlyAtOnce = 4
	// costlyTimeout is what a request may take, and costlyGrace how much later its answer may come on a slow machine.
	costlyTimeout, costlyGrace = 5 * time.Second, 25 * time.Second
	// costlyMemory is more than the bounds of the searches that run at once let them have, with the garbage they leave.
	costlyMemory = 3 << 30
)

const costlyMapping = `{"mappings":{"properties":{"t":{"type":"text"},"u":{"type":"text"},"v":{"type":"text"},"k":{"type":"keyword"},
	"n":{"type":"integer"},"d":{"type":"double"},"at":{"type":"date"},"g":{"type":"geo_point"},
	"items":{"type":"nested","properties":{"k":{"type":"keyword"},"n":{"type":"integer"}}}}}}`

// repeated writes a text n times with commas between; each # in it is the number.
func repeated(n int, text string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = strings.ReplaceAll(text, "#", fmt.Sprint(i))
	}
	return strings.Join(list, ",")
}

func anyOf(n int, clause string) string {
	return `{"query":{"bool":{"should":[` + repeated(n, clause) + `]}}}`
}

// deepBool is bools in each other, with as many clauses as a search may have.
func deepBool() string {
	inner := `{"bool":{"should":[` + repeated(33, `{"bool":{"must":[{"range":{"n":{"gte":#}}},{"match":{"t":"w#"}}]}}`) + `]}}`
	return `{"query":{"bool":{"must":[` + repeated(10, inner) + `]}}}`
}

// costly are searches that would take much time or memory if nothing bounded them.
func costly() map[string]string {
	long := strings.ReplaceAll(repeated(1000, "w#"), ",", " ")
	return map[string]string{
		"expressions":              anyOf(1000, `{"regexp":{"k":"(a|b)*#a(a|b){11}"}}`),
		"one expression":           `{"query":{"regexp":{"k":{"value":"(.*key.*){1,40}x","max_determinized_states":1000000}}}}`,
		"wildcards":                anyOf(1000, `{"wildcard":{"k":"*k*e*y*#*1*"}}`),
		"nested bools":             deepBool(),
		"nested objects":           anyOf(200, `{"nested":{"path":"items","query":{"bool":{"must":[{"range":{"items.n":{"gte":#}}},{"wildcard":{"items.k":"*#*"}}]}}}}`),
		"many buckets":             `{"size":0,"aggs":{"a":{"terms":{"field":"k","size":65536},"aggs":{"b":{"terms":{"field":"n","size":65536},"aggs":{"c":{"stats":{"field":"d"}}}}}}}}`,
		"empty buckets":            `{"size":0,"aggs":{"a":{"date_histogram":{"field":"at","fixed_interval":"1s"},"aggs":{"b":{"terms":{"field":"k"}}}}}}`,
		"percentiles of each":      `{"size":0,"aggs":{"a":{"terms":{"field":"k","size":65536},"aggs":{` + repeated(100, `"b#":{"percentiles":{"field":"d"}},"c#":{"cardinality":{"field":"k","precision_threshold":40000}}`) + `}}}}`,
		"fuzzy words":              anyOf(30, `{"multi_match":{"fields":["t","u","v","k"],"fuzziness":2,"max_expansions":1000,"query":"w1# x2# y3# a4# b5# c6# d7# e8# f9# g0#"}}`),
		"words in all fields":      anyOf(30, `{"multi_match":{"type":"cross_fields","fields":["t","u","v"],"query":"`+long+`"}}`),
		"huge list":                `{"query":{"bool":{"must_not":{"terms":{"k":[` + repeated(65_000, `"key#"`) + `]}}}}}`,
		"too huge list":            `{"query":{"terms":{"k":[` + repeated(65_537, `"key#"`) + `]}}}`,
		"phrases":                  anyOf(500, `{"match_phrase":{"t":{"query":"a a a a a a a a","slop":#}}}`),
		"highlights":               `{"size":10000,"query":{"match":{"t":"a"}},"highlight":{"fields":{"*":{"number_of_fragments":10000}}}}`,
		"highlighted phrases":      `{"size":1000,"query":{"match_phrase":{"t":{"query":"` + strings.Repeat("a ", 500) + `","slop":5}}},"highlight":{"fields":{"t":{}}}}`,
		"highlighted by wildcards": `{"size":10000,"query":{"match":{"t":"a"}},"highlight":{"highlight_query":{"bool":{"should":[` + repeated(1000, `{"wildcard":{"t":"*a*#*b*"}}`) + `]}},"fields":{"t":{}}}}`,
		"highlighted expressions":  `{"query":{"match":{"k":"key1"}},"size":1,"highlight":{"highlight_query":{"bool":{"should":[` + repeated(1000, `{"regexp":{"t":".*a.{8}x#"}}`) + `]}},"fields":{"t":{"type":"plain"}}}}`,
		"highlighted groups":       `{"size":100,"collapse":{"field":"k","inner_hits":{"name":"h","highlight":{"highlight_query":{"bool":{"should":[` + repeated(100, `{"regexp":{"t":".*a.{8}x#"}}`) + `]}},"fields":{"t":{}}}}}}`,
		"highlighted everything":   `{"size":10,"query":{"range":{"n":{"lte":20}}},"highlight":{"highlight_query":{"bool":{"should":[` + repeated(1000, `{"prefix":{"t":"a"}}`) + `]}},"fields":{"t":{}}}}`,
		"sort over everything":     `{"size":10000,"sort":["k","d","n","at",{"_geo_distance":{"g":[` + repeated(1000, `[#e-3,1]`) + `]}}]}`,
		"last page":                `{"from":9000,"size":1000,"sort":[{"d":"desc"}]}`,
		"beyond the last page":     `{"from":9001,"size":1000}`,
		"functions":                `{"query":{"function_score":{"functions":[` + repeated(500, `{"filter":{"wildcard":{"k":"*#*"}},"gauss":{"d":{"origin":#,"scale":3}}}`) + `]}}}`,
		"corners":                  `{"query":{"geo_polygon":{"g":{"points":[` + repeated(50_000, `[#e-3,1]`) + `]}}}}`,
	}
}

// newCostly is a node with a collection in which searches can cost much: some of its texts are long.
func newCostly(t *testing.T) *nodetest.Node {
	t.Helper()
	n := nodetest.Start(t, nodetest.Options{Dev: true, Configure: func(c *config.Config) {
		c.Limits.RequestTimeout, c.Server.MaxRequestSize = costlyTimeout, 8*config.MB
	}})
	n.Must("PUT", "/i/c", costlyMapping)
	for from := 0; from < costlyDocuments; from += 500 {
		var lines []string
		for i := from; i < from+500; i++ {
			words := "a a a a a a a a b w" + fmt.Sprint(i%997)
			if i%4000 == 7 {
				words = strings.Repeat("a b ", 20_000)
			}
			lines = append(lines, fmt.Sprintf(`{"index":{"_id":"%d"}},{"t":%q,"u":"x%d y%d","v":"z%d","k":"key%d","n":%d,"d":%d.5,"at":%d,"g":[%d,1],"items":[{"k":"i%d","n":%d},{"n":%d}]}`,
				i, words, i%500, i%300, i%100, i, i, i*7%1000, int64(i)*86400_000, i%50, i%50, i%10, i%7))
		}
		n.Must("POST", "/i/c/_bulk", `{"bulkData":[`+strings.Join(lines, ",")+`]}`)
	}
	n.Must("POST", "/i/c/_refresh", "")
	return n
}

// TestCostlySearches: each of them gives an answer or says why not, in the time and the memory that a request has, and others are
// answered meanwhile.
func TestCostlySearches(t *testing.T) {
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		goleak.VerifyNone(t)
	})
	began := time.Now()
	n := newCostly(t)
	t.Logf("loaded in %v", time.Since(began))
	for range 50 { // which hold what they found, for pages that nobody asks for
		n.Must("POST", "/i/c/_search?scroll=1m&size=10", `{"sort":["k"]}`)
	}
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { watchMemory(t, done) })
	watching.Go(func() { askMeanwhile(t, n.Client.Address, done) })

	searches := costly()
	names := make(chan string, len(searches))
	for name := range searches {
		names <- name
	}
	close(names)
	var asking sync.WaitGroup
	for range costlyAtOnce {
		asking.Go(func() {
			for name := range names {
				askCostly(t, n.Client.Address, name, searches[name])
			}
		})
	}
	asking.Wait()
	close(done)
	watching.Wait()
}

// costlyRefusals are the errors that say which bound a search would exceed.
var costlyRefusals = []string{"services.storage.unexpected_bad_request", "services.storage.invalid_argument"}

func askCostly(t *testing.T, address, name, body string) {
	began := time.Now()
	status, answer, err := ask("POST", address, "/i/c/_search", body)
	took := time.Since(began)
	var envelope struct {
		Error struct{ ID, Message string }
	}
	switch {
	case err != nil:
		t.Errorf("%s: %v", name, err)
	case took > costlyTimeout+costlyGrace:
		t.Errorf("%s took %v", name, took)
	case json.Unmarshal(answer, &envelope) != nil:
		t.Errorf("%s: %d %.200s", name, status, answer)
	case status == http.StatusGatewayTimeout && strings.Contains(envelope.Error.Message, "limits.requestTimeout"):
	case status != http.StatusOK && !slices.Contains(costlyRefusals, envelope.Error.ID):
		t.Errorf("%s: %d %.400s", name, status, answer)
	}
	t.Logf("%-26s %6d ms  %d, %d bytes %.150s", name, took.Milliseconds(), status, len(answer), envelope.Error.Message)
}

// askMeanwhile asks for a document again and again.
func askMeanwhile(t *testing.T, address string, done <-chan struct{}) {
	var slowest time.Duration
	asked := 0
	for ; ; asked++ {
		select {
		case <-done:
			if t.Logf("%d other requests, the slowest took %v", asked, slowest); asked == 0 {
				t.Error("nothing was asked meanwhile")
			}
			return
		case <-time.After(10 * time.Millisecond):
		}
		began := time.Now()
		if status, answer, err := ask("GET", address, "/i/c/1", ""); err != nil || status != http.StatusOK {
			t.Errorf("another request: %d %.200s %v", status, answer, err)
			return
		}
		slowest = max(slowest, time.Since(began))
	}
}

// watchMemory looks at the heap again and again.
func watchMemory(t *testing.T, done <-chan struct{}) {
	var most uint64
	var m runtime.MemStats
	for {
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		select {
		case <-done:
			if t.Logf("at most %d MB", most>>20); most > costlyMemory {
				t.Errorf("the searches needed %d MB", most>>20)
			}
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// ask sends a request; it may be called by any goroutine.
func ask(method, address, path, body string) (status int, answer []byte, err error) {
	req, err := http.NewRequest(method, "http://"+address+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}
