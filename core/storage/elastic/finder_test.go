package elastic

import (
	"bytes"
	"testing"
)

// TestPageAfter: large documents are read few at a time, small ones many.
func TestPageAfter(t *testing.T) {
	for _, test := range []struct{ documents, bytes, want int }{
		{0, 0, 1}, {100, 10, maxDocuments}, {100, 100 << 10, 81}, {1, 4 << 20, 1}, {4, 64 << 20, 1}, {1000, 16 << 10, 511},
	} {
		last, source := make([]hit, test.documents), bytes.Repeat([]byte{' '}, test.bytes)
		for i := range last {
			last[i].Source = source
		}
		if got := pageAfter(last); got != test.want {
			t.Errorf("after %d documents of %d bytes a page has %d, want %d", test.documents, test.bytes, got, test.want)
		}
	}
}
