package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// The benchmarks go over real sockets, through the node, to the plugin's process and the store and back.

func benchmark(b *testing.B, request func() *http.Request) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	b.SetParallelism(16)
	b.RunParallel(func(loop *testing.PB) {
		for loop.Next() {
			resp, err := client.Do(request())
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				b.Errorf("status %d", resp.StatusCode)
				return
			}
		}
	})
}

func BenchmarkGetUser(b *testing.B) {
	s := benchService(b)
	token := s.ok(s.put(seedBody))
	benchmark(b, func() *http.Request {
		r, _ := http.NewRequest(http.MethodGet, "http://"+s.Client.Address+"/amplifi/user", nil)
		r.Header.Set("token", token)
		return r
	})
}

func BenchmarkServiceToken(b *testing.B) {
	s := benchService(b)
	body := `{"channel":"statementGenerator","userId":"` + s.aliID() + `"}`
	benchmark(b, func() *http.Request {
		r, _ := http.NewRequest(http.MethodPut, "http://"+s.Client.Address+"/amplifi/token", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("x-service-key", serviceKey)
		return r
	})
}

func BenchmarkPassword(b *testing.B) {
	s := benchService(b)
	benchmark(b, func() *http.Request {
		r, _ := http.NewRequest(http.MethodPut, "http://"+s.Client.Address+"/amplifi/token", strings.NewReader(ali))
		r.Header.Set("Content-Type", "application/json")
		return r
	})
}

func benchService(b *testing.B) service {
	b.Helper()
	return start(b, nil, nodetest.Options{})
}
