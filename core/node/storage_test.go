package node_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

func TestDataFolderThatOthersMayChange(t *testing.T) {
	for mode, warned := range map[os.FileMode]bool{0o700: false, 0o750: false, 0o770: true, 0o702: true} {
		n := nodetest.Start(t, nodetest.Options{Configure: func(c *config.Config) {
			if err := os.Chmod(c.Server.DataDir, mode); err != nil {
				t.Fatal(err)
			}
		}})
		if strings.Contains(n.Log.String(), "chmod go-w") != warned {
			t.Errorf("mode %o: warned %v, want %v", mode, !warned, warned)
		}
	}
}
