package protocol

import "fmt"

// Profile is the form in which an action's answers are written.
type Profile uint8

// The wire profiles.
const (
	// KuzzleV2 is the envelope of Kuzzle 2, the default.
	KuzzleV2 Profile = iota
	// KuzzleV1 has exactly the nine keys of Kuzzle 1 in their order, and errors of message, status and stack.
	KuzzleV1
	// Raw is the result itself over the action's HTTP routes, and the envelope of KuzzleV2 everywhere else.
	Raw
)

var profileNames = []string{KuzzleV2: "kuzzle-v2", KuzzleV1: "kuzzle-v1", Raw: "raw"}

func (p Profile) String() string {
	if int(p) < len(profileNames) {
		return profileNames[p]
	}
	return fmt.Sprintf("Profile(%d)", uint8(p))
}

// ParseProfile reads the name of a profile; "" is the default.
func ParseProfile(s string) (Profile, error) {
	if s == "" {
		return KuzzleV2, nil
	}
	for i, name := range profileNames {
		if s == name {
			return Profile(i), nil
		}
	}
	return 0, fmt.Errorf("unknown wire profile %q (known: %v)", s, profileNames)
}
