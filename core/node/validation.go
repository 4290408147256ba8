package node

import (
	"context"

	"github.com/sluicehq/sluice/core/validation"
)

// openValidation reads what the documents of each collection must be like.
func (n *Node) openValidation(ctx context.Context) error {
	var err error
	n.specifications, err = validation.Open(ctx, validation.Options{Engine: n.engine, Logger: n.options.Logger})
	return err
}
