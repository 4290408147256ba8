package network

import "strings"

// tokenParameter is the query parameter that may carry the token instead of the header Authorization.
const tokenParameter = "jwt"

// WithoutToken takes the token out of a URL: whoever logs the URL or gets it with a request could act as the user. Names
// are compared after decoding, as the server reads them.
func WithoutToken(uri string) string {
	path, query, found := strings.Cut(uri, "?")
	if !found {
		return uri
	}
	var kept []string
	dropped := false
	for part := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(part, "="); Unescape(name) == tokenParameter {
			dropped = true
			continue
		}
		kept = append(kept, part)
	}
	switch {
	case !dropped:
		return uri
	case len(kept) == 0:
		return path
	default:
		return path + "?" + strings.Join(kept, "&")
	}
}

// Unescape decodes + and %xx. A % that begins no such escape stands for itself, as in the API.
func Unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			out = append(out, ' ')
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			out = append(out, fromHex(s[i+1])<<4|fromHex(s[i+2]))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func fromHex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	default:
		return c - 'a' + 10
	}
}
