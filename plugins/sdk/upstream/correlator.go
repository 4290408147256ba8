package upstream

import (
	"regexp"

	"github.com/google/uuid"
)

// CorrelatorHeader names a request through all services that work on it.
const CorrelatorHeader = "x-correlator"

var correlatorForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// Correlator is given when it is a good one, else a new UUID.
func Correlator(given string) string {
	if correlatorForm.MatchString(given) {
		return given
	}
	return uuid.NewString()
}
