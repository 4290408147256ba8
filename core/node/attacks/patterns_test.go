package attacks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Queries and filters are asked for while another client works: each is answered or refused within the time of a request, and
// the other client is answered meanwhile.
func TestPatternsThatCostMuch(t *testing.T) {
	n := newTarget(t)
	n.collections()
	var lines []string
	for i := range 200 {
		lines = append(lines, fmt.Sprintf(`{"_id":"d%d","body":{"name":%q}}`, i, strings.Repeat("a", 100+i)+"!"))
	}
	n.mustAsRoot("POST", "/i/c/_mCreate?refresh=wait_for", `{"documents":[`+strings.Join(lines, ",")+`]}`)
	ctx, stop := context.WithCancel(t.Context())
	other := make(chan error, 1)
	go func() { other <- n.keepAsking(ctx) }()
	for name, query := range costly() {
		for _, lang := range []string{"elasticsearch", "koncorde"} {
			began := time.Now()
			a := n.call(n.root, "document", "search", `,"index":"i","collection":"c","lang":"`+lang+`","body":{"query":`+query+`}`)
			if a.Status >= 500 || time.Since(began) > 10*time.Second {
				t.Errorf("%s as %s: %s after %s", name, lang, a.Body[:min(300, len(a.Body))], time.Since(began))
			}
		}
		socket := n.WebSocket()
		socket.Call(envelope(n.root, "realtime", "subscribe", `,"index":"i","collection":"c","body":`+query))
		n.mustAsRoot("PUT", "/i/c/x", `{"name":"`+strings.Repeat("a", 10_000)+`!"}`) // every filter looks at it
		_ = socket.Close()
	}
	stop()
	if err := <-other; err != nil {
		t.Error("another client: ", err)
	}
}

// keepAsking asks on a connection of its own until ctx ends.
func (n *target) keepAsking(ctx context.Context) error {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, Timeout: 20 * time.Second}
	for ctx.Err() == nil {
		resp, err := client.Get("http://" + n.Client.Address + "/_now?jwt=" + n.root)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("answered %s", resp.Status)
		}
	}
	return nil
}

func costly() map[string]string {
	nested := func(with string, depth int) string {
		return strings.Repeat(`{"`+with+`":[`, depth) + `{"exists":"name"}` + strings.Repeat(`]}`, depth)
	}
	boolean := `{"match_all":{}}`
	for range 140 {
		boolean = `{"bool":{"must":[` + boolean + `]}}`
	}
	return map[string]string{
		"nested stars":        `{"regexp":{"name":"(a+)+$"}}`,
		"alternatives":        `{"regexp":{"name":"(a|aa|aaa)+!x"}}`,
		"repetitions":         `{"regexp":{"name":"(.{1,1000}){1,1000}"}}`,
		"repeated often":      `{"regexp":{"name":"((((a{0,99}){0,99}){0,99}){0,99})"}}`,
		"long memory":         `{"regexp":{"name":".*a.{25}"}}`,
		"without a bound":     `{"regexp":{"name":{"value":".*a.{25}","max_determinized_states":2000000000}}}`,
		"complement":          `{"regexp":{"name":{"value":"~(.*a.{20})&.*b.{20}","flags":"ALL"}}}`,
		"back reference":      `{"regexp":{"name":"(a*)*\\1b"}}`,
		"look ahead":          `{"regexp":{"name":"^(?=(a+)+$).*"}}`,
		"long expression":     `{"regexp":{"name":"` + strings.Repeat("(a|b)*", 20_000) + `"}}`,
		"brackets in it":      `{"regexp":{"name":"` + strings.Repeat("(", 100_000) + strings.Repeat(")", 100_000) + `"}}`,
		"of koncorde":         `{"regexp":{"name":{"value":"((a{0,30}){0,30}){0,1}$","flags":"i"}}}`,
		"wildcards":           `{"wildcard":{"name":"` + strings.Repeat("*a", 2000) + `"}}`,
		"single wildcards":    `{"wildcard":{"name":"*` + strings.Repeat("?", 5000) + `*"}}`,
		"prefix of all":       `{"prefix":{"name":""}}`,
		"words":               `{"match":{"name":{"query":"` + strings.Repeat("a ", 50_000) + `"}}}`,
		"query string":        `{"query_string":{"query":"` + strings.Repeat("(", 5000) + `"}}`,
		"fuzzy":               `{"fuzzy":{"name":{"value":"` + strings.Repeat("a", 5000) + `","fuzziness":2}}}`,
		"terms":               `{"terms":{"name":[` + strings.TrimSuffix(strings.Repeat(`"a",`, 90_000), ",") + `]}}`,
		"in":                  `{"in":{"name":[` + strings.TrimSuffix(strings.Repeat(`"a",`, 90_000), ",") + `]}}`,
		"bool in bool":        boolean,
		"and in and":          nested("and", 100),
		"or of and":           `{"or":[` + strings.TrimSuffix(strings.Repeat(`{"and":[{"equals":{"a":1}},{"equals":{"b":2}}]},`, 40), ",") + `]}`,
		"not of or of and":    `{"not":{"and":[` + ands(14) + `]}}`,
		"and of or":           `{"and":[` + ors(14) + `]}`,
		"polygon":             `{"geoPolygon":{"name":{"points":[` + strings.TrimSuffix(strings.Repeat(`[1,2],[2,1],`, 10_000), ",") + `]}}}`,
		"range without bound": `{"range":{"name":{"gte":"","lte":"\uffff"}}}`,
	}
}

// ands and ors give n different conditions of two, which would become 2^n when they are multiplied out.
func ands(n int) string { return pairs(n, "and") }

func ors(n int) string { return pairs(n, "or") }

func pairs(n int, with string) string {
	list := make([]json.RawMessage, n)
	for i := range list {
		list[i] = fmt.Appendf(nil, `{"%s":[{"equals":{"a%d":1}},{"equals":{"b%d":2}}]}`, with, i, i)
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return strings.Trim(string(text), "[]")
}
