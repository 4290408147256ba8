// Package spelling guesses which word was meant by a wrong one, for the hints of error messages. It knows no list of words:
// the caller gives the right ones.
//
// Every package of core above it and every controller may import it; it imports nothing of this module.
package spelling

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// maxMistakes is how many letters may be wrong, missing or too many. Most letters of the known word must be right in any case.
const maxMistakes = 2

// Hint asks for the known word that is nearest to a wrong one, `Did you mean "word"?`. It is "" when none is near.
func Hint(wrong string, known []string) string {
	best, fewest := "", maxMistakes+1
	for _, word := range known {
		if len(wrong) > len(word)+fewest { // far off, and perhaps very long
			continue
		}
		if n := levenshtein.ComputeDistance(strings.ToLower(wrong), strings.ToLower(word)); n < fewest && 2*n < len(word) {
			best, fewest = word, n
		}
	}
	if best == "" {
		return ""
	}
	return `Did you mean "` + best + `"?`
}
