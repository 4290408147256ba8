package e2e

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
)

// TestARequestThatHangsLeavesTimeForPlugins: it is cut off before all the time to stop is used up, and that is a failure.
func TestARequestThatHangsLeavesTimeForPlugins(t *testing.T) {
	hangs, release := make(chan struct{}), make(chan struct{})
	n := nodetest.Start(t, nodetest.Options{
		Dev: true, PluginDir: binaries.Plugins,
		WrapEngine: func(e storage.Engine) storage.Engine {
			return &storagetest.Faulty{Engine: e, Fail: func(op string, c storage.Collection, id string) error {
				if op == "Get" && c.Name == "users" && id == "slow" {
					close(hangs)
					<-release
				}
				return nil
			}}
		},
	})
	gone := make(chan error, 1)
	go func() {
		resp, err := http.Get("http://" + n.Client.Address + "/users/slow")
		if err == nil {
			err = resp.Body.Close()
		}
		gone <- err
	}()
	<-hangs
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := n.Stop(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "requests that still ran were cut off") {
		t.Errorf("stopped with %v", err)
	}
	if log := n.Log.String(); strings.Contains(log, "plugin did not drain") || strings.Contains(log, "plugin stopped while calls were running") {
		t.Error("the plugin had no time to drain")
	}
	close(release)
	if err := <-gone; err == nil {
		t.Error("the request was answered")
	}
}
