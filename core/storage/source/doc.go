// Package source works on the text of documents without knowing what their fields mean: it merges changes into one, and
// leaves out what was not asked for. Numbers keep their digits and members their order.
//
// The engines and packages above core/storage may import it. It imports core/storage/query and protocol/kerror.
package source

import (
	"errors"
	"io"
)

// noEOF keeps the end of a cut-off text from passing for the end of an iteration.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
