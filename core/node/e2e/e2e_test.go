// Package e2e tries the binaries as users do: the README's commands, the official SDK, signals.
package e2e

import (
	"os"
	"testing"

	"github.com/sluicehq/sluice/core/node/nodetest"
)

var binaries nodetest.Binaries

func TestMain(m *testing.M) { os.Exit(nodetest.Main(m, &binaries)) }
