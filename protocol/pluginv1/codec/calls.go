package codec

import "strings"

// Lists reports whether a manifest's calls list an action: by name, or as `<controller>:*`.
func Lists(calls []string, controller, action string) bool {
	for _, c := range calls {
		i := strings.LastIndexByte(c, ':')
		if i >= 0 && c[:i] == controller && (c[i+1:] == action || c[i+1:] == "*") {
			return true
		}
	}
	return false
}
