package source

import "strings"

// maxSteps bounds what comparing one document with the patterns may cost: about a second.
const maxSteps = 1 << 28

// matcher compares paths with patterns, and counts the steps that this takes. Beyond maxSteps nothing matches.
type matcher struct{ steps int }

// selects reports whether one of the patterns stands for a path or something above it.
func (m *matcher) selects(patterns []pattern, path string) bool {
	for _, p := range patterns {
		if p.names == nil && (m.wildcard(p.path, path) || m.wildcard(p.below, path)) {
			return true
		}
		if p.names != nil && m.above(p.names, path) {
			return true
		}
	}
	return false
}

// above matches the names one by one. It goes back to the last ** only: since what is below may be anything, the first place
// where the names between two of them fit is as good as any.
func (m *matcher) above(names []string, path string) bool {
	var after []string // the last **
	again := ""
	for len(names) > 0 && m.steps <= maxSteps {
		m.steps++
		if names[0] == "**" {
			names = names[1:]
			after, again = names, path
			continue
		}
		if path == "" {
			return false // later places leave fewer names still
		}
		name, rest, _ := strings.Cut(path, ".")
		switch {
		case m.wildcard(names[0], name):
			names, path = names[1:], rest
		case again != "":
			_, again, _ = strings.Cut(again, ".")
			names, path = after, again
		default:
			return false
		}
	}
	return len(names) == 0
}

// reach reports whether one of the patterns may stand for something below a path.
func (m *matcher) reach(patterns []pattern, path string) bool {
	below := path + "."
	m.steps += len(below)
	for _, p := range patterns {
		m.steps += 1 + min(len(p.plain), len(below))
		if p.names != nil && m.into(p.names, path) {
			return true
		}
		if p.names == nil && (strings.HasPrefix(p.plain, below) || p.wild && strings.HasPrefix(below, p.plain)) {
			return true
		}
	}
	return false
}

// into reports whether names are left when those of path are taken away.
func (m *matcher) into(names []string, path string) bool {
	for path != "" && len(names) > 0 && names[0] != "**" {
		var name string
		if name, path, _ = strings.Cut(path, "."); !m.wildcard(names[0], name) {
			return false
		}
		names = names[1:]
	}
	return len(names) > 0
}

// wildcard matches a whole text; each * of the pattern stands for any number of characters. It goes back to the last * only, so
// that it takes no longer than the product of the lengths.
func (m *matcher) wildcard(pattern, text string) bool {
	m.steps++
	star, again := -1, 0
	i, j := 0, 0
	for j < len(text) {
		m.steps++
		switch {
		case m.steps > maxSteps:
			return false
		case i < len(pattern) && pattern[i] == '*':
			star, again = i, j
			i++
		case i < len(pattern) && pattern[i] == text[j]:
			i++
			j++
		case star >= 0:
			again++
			i, j = star+1, again
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}
