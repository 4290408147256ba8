package storagebench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// elasticTarget is an Elasticsearch over its Go client, with the settings it comes with but for one shard and no replica, as a
// collection of Sluice has them.
type elasticTarget struct {
	client    *elasticsearch.BaseClient
	transport *http.Transport
	index     string
	local     bool
}

// maxConnections is how many connections are kept: more than there are callers.
const maxConnections = 64

// Elasticsearch uses the one at address, http://[user:password@]host:port, which must be version 8. It makes an index of its own,
// which Close removes. One that is there already is removed when an earlier run made it, and an error otherwise.
func Elasticsearch(ctx context.Context, address string) (Target, error) {
	u, err := url.Parse(address)
	if err != nil || !isHTTP(u) { // the error would show the password
		return nil, errors.New("expected http://[user:password@]host:port, such as http://127.0.0.1:9200")
	}
	password, _ := u.User.Password()
	t := &elasticTarget{transport: &http.Transport{MaxIdleConnsPerHost: maxConnections}, index: things.Index, local: isLocal(u.Hostname())}
	t.client, err = elasticsearch.NewBaseClient(elasticsearch.Config{
		Addresses: []string{u.Scheme + "://" + u.Host}, Username: u.User.Username(), Password: password, Transport: t.transport,
	})
	if err != nil {
		return nil, fmt.Errorf("set up the Elasticsearch client: %w", err)
	}
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	if err := t.remove(ctx); err != nil {
		return nil, err
	}
	mark := `{"_meta":{"madeBy":"` + madeBy + `"},`
	body := text(`{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":%s}`, mark+mappingText[1:])
	return t, t.do(ctx, http.MethodPut, "", nil, body, nil)
}

// madeBy marks the index, so that no other one is ever removed.
const madeBy = "sluice bench storage"

// check refuses servers of another kind, and an index that somebody else made.
func (t *elasticTarget) check(ctx context.Context) error {
	var info struct {
		Version struct {
			Number       string `json:"number"`
			Distribution string `json:"distribution"` // of what others made of it
		} `json:"version"`
	}
	if err := t.call(ctx, http.MethodGet, "/", nil, nil, &info); err != nil {
		return err
	}
	if v := info.Version; !strings.HasPrefix(v.Number, "8.") || v.Distribution != "" {
		return fmt.Errorf("it must be an Elasticsearch 8, and says that its version is %q", strings.TrimSpace(v.Distribution+" "+v.Number))
	}
	var indexes map[string]struct {
		Mappings struct {
			Meta struct {
				MadeBy string `json:"madeBy"`
			} `json:"_meta"`
		} `json:"mappings"`
	}
	err := t.do(ctx, http.MethodGet, "/_mapping", nil, nil, &indexes)
	if errors.Is(err, errNotThere) {
		return nil
	}
	for name, index := range indexes {
		if index.Mappings.Meta.MadeBy != madeBy {
			return fmt.Errorf("there is an index %q which this did not make: remove it, or use another Elasticsearch", name)
		}
	}
	return err
}

func isHTTP(u *url.URL) bool { return u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") }

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// do calls a path of the index, and reads the answer into to.
func (t *elasticTarget) do(ctx context.Context, method, path string, query url.Values, body []byte, to any) error {
	return t.call(ctx, method, "/"+t.index+path, query, body, to)
}

func (t *elasticTarget) call(ctx context.Context, method, path string, query url.Values, body []byte, to any) error {
	u := url.URL{Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := t.client.Perform(req)
	if err != nil {
		return fmt.Errorf("ask Elasticsearch: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // it was read
	if res.StatusCode == http.StatusNotFound {
		return errNotThere
	}
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read the answer of Elasticsearch: %w", err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %.500s", method, path, res.Status, answer)
	}
	if to == nil {
		return nil
	}
	return json.Unmarshal(answer, to)
}

func (t *elasticTarget) Name() string { return "Elasticsearch" }

func (t *elasticTarget) Create(ctx context.Context, d Document, found bool) error {
	q := url.Values{}
	if found {
		// What it offers fastest; wait_for would wait for up to a second.
		q.Set("refresh", "true")
	}
	return t.do(ctx, http.MethodPut, "/_create/"+d.ID, q, d.Source, nil)
}

func (t *elasticTarget) Get(ctx context.Context, id string) error {
	var answer struct {
		Source jsontext.Value `json:"_source"`
	}
	return t.do(ctx, http.MethodGet, "/_doc/"+id, nil, nil, &answer)
}

// elasticFound is what a caller reads of an answer.
type elasticFound struct {
	Hits struct {
		Total struct {
			Value int `json:"value"`
		} `json:"total"`
		Hits []struct {
			ID     string         `json:"_id"`
			Source jsontext.Value `json:"_source"`
		} `json:"hits"`
	} `json:"hits"`
	Aggregations jsontext.Value `json:"aggregations"`
}

func (t *elasticTarget) Search(ctx context.Context, body jsontext.Value, hits int) (int, error) {
	var found elasticFound
	// Its memory of whole answers is off, since documents that change would empty it.
	q := url.Values{"request_cache": {"false"}, "track_total_hits": {"true"}, "size": {strconv.Itoa(hits)}}
	err := t.do(ctx, http.MethodPost, "/_search", q, body, &found)
	return found.Hits.Total.Value, err
}

func (t *elasticTarget) Count(ctx context.Context, query jsontext.Value) (int, error) {
	var answer struct {
		Count int `json:"count"`
	}
	err := t.do(ctx, http.MethodPost, "/_count", nil, text(`{"query":%s}`, query), &answer)
	return answer.Count, err
}

func (t *elasticTarget) Bulk(ctx context.Context, documents []Document) error {
	var lines bytes.Buffer
	for _, d := range documents {
		fmt.Fprintf(&lines, "{\"index\":{\"_id\":%q}}\n%s\n", d.ID, d.Source)
	}
	var answer struct {
		Errors bool `json:"errors"`
	}
	err := t.do(ctx, http.MethodPost, "/_bulk", nil, lines.Bytes(), &answer)
	if err == nil && answer.Errors {
		err = errors.New("not all documents of a bulk were taken")
	}
	return err
}

func (t *elasticTarget) Update(ctx context.Context, query jsontext.Value, qty int) (int, error) {
	var answer struct {
		Updated int `json:"updated"`
	}
	body := text(`{"query":%s,"script":{"source":"ctx._source.qty = params.qty","params":{"qty":%d}}}`, query, qty)
	err := t.do(ctx, http.MethodPost, "/_update_by_query", url.Values{"conflicts": {"proceed"}}, body, &answer)
	return answer.Updated, err
}

func (t *elasticTarget) Delete(ctx context.Context, query jsontext.Value) (int, error) {
	var answer struct {
		Deleted int `json:"deleted"`
	}
	err := t.do(ctx, http.MethodPost, "/_delete_by_query", url.Values{"conflicts": {"proceed"}}, text(`{"query":%s}`, query), &answer)
	return answer.Deleted, err
}

func (t *elasticTarget) Settle(ctx context.Context) error {
	return t.do(ctx, http.MethodPost, "/_refresh", nil, nil, nil)
}

func (t *elasticTarget) Usage(ctx context.Context) (Usage, error) {
	var stats struct {
		All struct {
			Primaries struct {
				Store struct {
					Bytes int64 `json:"size_in_bytes"`
				} `json:"store"`
			} `json:"primaries"`
		} `json:"_all"`
	}
	if err := t.do(ctx, http.MethodGet, "/_stats/store", nil, nil, &stats); err != nil {
		return Usage{}, err
	}
	u := Usage{}
	if t.local {
		var nodes struct {
			Nodes map[string]struct {
				Process struct {
					ID int `json:"id"`
				} `json:"process"`
			} `json:"nodes"`
		}
		if err := t.call(ctx, http.MethodGet, "/_nodes/process", nil, nil, &nodes); err != nil {
			return Usage{}, err
		}
		for _, n := range nodes.Nodes {
			u = resident(n.Process.ID)
		}
	}
	u.Disk = stats.All.Primaries.Store.Bytes
	return u, nil
}

func (t *elasticTarget) remove(ctx context.Context) error {
	err := t.do(ctx, http.MethodDelete, "", nil, nil, nil)
	if errors.Is(err, errNotThere) {
		return nil
	}
	return err
}

func (t *elasticTarget) Close() error {
	defer t.transport.CloseIdleConnections()
	return t.remove(context.Background())
}
