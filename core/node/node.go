// Package node builds a node from its parts and runs it. It is the only package that imports everything.
package node

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/sluicehq/sluice/config"
)

// Run runs a node until ctx ends. It is not built yet.
func Run(_ context.Context, _ *config.Config, _ *slog.Logger, _ io.Writer) error {
	return errors.New("not built yet")
}
