package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

// TestRealtimeDocument replays docs/realtime.md and runs its JavaScript.
func TestRealtimeDocument(t *testing.T) {
	t.Run("commands", func(t *testing.T) {
		needs(t, "curl")
		transcript := readTranscript(t, "docs/realtime.md")
		if len(transcript) == 0 {
			t.Fatal("it shows nothing to replay")
		}
		replay(t, makeRun(t), transcript)
	})
	t.Run("JavaScript", func(t *testing.T) {
		_, port := startForSDK(t)
		text, err := os.ReadFile(filepath.Join(nodetest.Root(), "docs", "realtime.md"))
		if err != nil {
			t.Fatal(err)
		}
		block := regexp.MustCompile("(?s)```js\n(.*?)```").FindStringSubmatch(string(text))
		if block == nil {
			t.Fatal("it has no JavaScript")
		}
		if out := run(t, "node", "-e", strings.Replace(block[1], "7512", port, 1)); strings.TrimSpace(out) != "publish 12" {
			t.Error(out)
		}
	})
}
