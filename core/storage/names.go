package storage

import "strings"

// ValidName reports whether s may name an index or a collection: lower case, 1 to 126 bytes, none of
// \ / * ? " < > | blank , + # : . & % or a control character, and not "_all". The rule is the Kuzzle API's.
func ValidName(s string) bool {
	if s == "" || len(s) > 126 || s == "_all" || s != strings.ToLower(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`\/*?"<>|,+#:.&%`, r) })
}
