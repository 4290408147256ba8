package storagebench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Server is a whole server that is measured over HTTP. Its methods are called by many goroutines.
type Server interface {
	named
	// Create writes a new document.
	Create(ctx context.Context, d Document) error
	Get(ctx context.Context, id string) error
	// List reads the ten newest documents of a selection, and gives how many match.
	List(ctx context.Context, s selection) (total int, err error)
	// Close removes the documents.
	Close() error
}

// Servers measures servers whose collections are empty. Their documents are written one by one.
func Servers(ctx context.Context, servers []Server, o Options) (Report, error) {
	b, err := newBench(servers, o)
	if err != nil {
		return Report{}, err
	}
	const fillers = 16
	err = b.each(ctx, func(ctx context.Context, s Server) error {
		reached, err := load{fillers, longest, b.Documents, once(func(ctx context.Context, i int) error {
			return s.Create(ctx, b.corpus.document(i))
		})}.run(ctx)
		b.add(reached.result("first load", fillers, s.Name(), documents))
		return err
	})
	for i := 0; err == nil && i < variants; i++ {
		listed := newSelection(i)
		err = b.sameTotal(ctx, listed, func(ctx context.Context, s Server) (int, error) { return s.List(ctx, listed) })
	}
	if err == nil {
		err = b.measure(ctx, requests(), func(context.Context, Server) error { return nil })
	}
	return b.report, err
}

// requests are the rows of servers.
func requests() []row[Server] {
	return []row[Server]{
		{"get", calls, math.MaxInt, func(ctx context.Context, s Server, c corpus, i int) (int, error) {
			return 1, s.Get(ctx, id(random(i).IntN(c.documents)))
		}},
		{"filtered list", calls, math.MaxInt, func(ctx context.Context, s Server, _ corpus, i int) (int, error) {
			_, err := s.List(ctx, newSelection(i))
			return 1, err
		}},
		{"create", calls, math.MaxInt, func(ctx context.Context, s Server, c corpus, i int) (int, error) {
			return 1, s.Create(ctx, c.document(c.documents+i))
		}},
	}
}

// caller calls a server over HTTP.
type caller struct {
	client http.Client
	base   string
	header http.Header
}

func newCaller(base string) *caller {
	return &caller{client: http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: maxConnections}}, base: base, header: http.Header{}}
}

// call sends body, nil for none, and reads the answer into to, nil when it does not matter.
func (c *caller) call(ctx context.Context, method, path string, query url.Values, body []byte, to any) error {
	address := c.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // it was read
	answer, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return fmt.Errorf("read the answer: %w", err)
	case res.StatusCode == http.StatusNotFound:
		return errNotThere
	case res.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("%s %s: %s: %.500s", method, path, res.Status, answer)
	case to == nil:
		return nil
	}
	return json.Unmarshal(answer, to)
}

// errNotThere is the answer 404.
var errNotThere = errors.New("not found")

// node is a node of Sluice.
type node struct{ *caller }

// Node makes the collection on the node at base, http://host:port, where anonymous users may do everything.
func Node(ctx context.Context, base string) (Server, error) {
	n := node{newCaller(base)}
	if err := n.call(ctx, http.MethodPut, "/"+things.Index+"/"+things.Name, nil, text(`{"mappings":%s}`, mappingText), nil); err != nil {
		return nil, fmt.Errorf("make a collection on the node: %w", err)
	}
	return n, nil
}

func (n node) Name() string { return "Sluice" }

func (n node) Close() error {
	defer n.client.CloseIdleConnections()
	return n.call(context.Background(), http.MethodDelete, "/"+things.Index, nil, nil, nil)
}

// path is that of the collection.
func (n node) path(rest string) string { return "/" + things.Index + "/" + things.Name + rest }

func (n node) Create(ctx context.Context, d Document) error {
	return n.call(ctx, http.MethodPost, n.path("/"+d.ID+"/_create"), nil, d.Source, nil)
}

func (n node) Get(ctx context.Context, id string) error {
	var answer struct {
		Result struct {
			Source jsontext.Value `json:"_source"`
		} `json:"result"`
	}
	return n.call(ctx, http.MethodGet, n.path("/"+id), nil, nil, &answer)
}

func (n node) List(ctx context.Context, s selection) (int, error) {
	var answer struct {
		Result struct {
			Total int `json:"total"`
			Hits  []struct {
				Source jsontext.Value `json:"_source"`
			} `json:"hits"`
		} `json:"result"`
	}
	err := n.call(ctx, http.MethodPost, n.path("/_search"), nil, s.body(), &answer)
	return answer.Result.Total, err
}
