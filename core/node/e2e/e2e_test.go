package e2e

import (
	"os"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

var binaries nodetest.Binaries

func TestMain(m *testing.M) { os.Exit(nodetest.Main(m, &binaries)) }
