package pluginhost_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
)

// TestPluginThatHangsLeavesTheRest: a plugin holds at most half of the places of the node, whatever its settings allow.
func TestPluginThatHangsLeavesTheRest(t *testing.T) {
	n := serve(t, func(c *config.Config) {
		c.Plugins.MaxConcurrentCalls, c.Plugins.MaxWaitingCalls = 400, 5000
		c.Plugins.CallTimeout, c.Limits.RequestTimeout = time.Minute, time.Minute
	}, "service", "service-other")
	release := filepath.Join(t.TempDir(), "release")
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	var callers sync.WaitGroup
	var refused, served atomic.Int64
	for range 900 {
		callers.Go(func() {
			resp, err := client.Get("http://" + n.Client.Address + "/service/wait?for=" + release)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			_, _ = io.Copy(io.Discard, resp.Body)
			switch resp.StatusCode {
			case http.StatusServiceUnavailable:
				refused.Add(1)
			case http.StatusOK:
				served.Add(1)
			default:
				t.Errorf("status %d", resp.StatusCode)
			}
		})
	}
	eventually(t, "the plugin refuses what is too much", func() bool { return refused.Load() >= 900-250 })
	for path, want := range map[string]int{"/_now": 200, "/service-other/teapot": 418} {
		began := time.Now()
		if a := n.HTTP("GET", path, ""); a.Status != want || time.Since(began) > time.Second {
			t.Errorf("%s: %d after %s", path, a.Status, time.Since(began))
		}
	}
	if err := os.WriteFile(release, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	callers.Wait()
	if served.Load() != 250 {
		t.Errorf("%d served, want half of limits.concurrentRequests", served.Load())
	}
}
