package koncorde

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// appendString writes s as a JSON string, always in the same way.
func appendString(dst []byte, s string) []byte {
	quoted, err := jsontext.AppendQuote(dst, s)
	if err != nil {
		// Only for invalid UTF-8, which readers of JSON refuse; the result is still a JSON string.
		return quoted
	}
	return quoted
}

// appendSorted writes n elements in the order of their bytes between open and its counterpart.
func appendSorted(dst []byte, open byte, n int, element func(dst []byte, i int) []byte) []byte {
	texts := make([][]byte, n)
	for i := range texts {
		texts[i] = element(nil, i)
	}
	slices.SortFunc(texts, bytes.Compare)
	dst = append(dst, open)
	dst = append(dst, bytes.Join(texts, []byte{','})...)
	return append(dst, open+2) // '[' + 2 is ']', '{' + 2 is '}'
}
