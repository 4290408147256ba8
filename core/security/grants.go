package security

// Grant lets holders of a standard role call an action that a plugin brought. It stands until the stored role says
// something about that controller itself: an operator takes it away with {"<controller>":{"actions":{"*":false}}}.
type Grant struct {
	Role       string
	Controller string
	Action     string
}

// Grants is a set of grants; the zero value is empty.
type Grants struct{ set map[Grant]struct{} }

// NewGrants makes a set.
func NewGrants(list []Grant) Grants {
	g := Grants{set: make(map[Grant]struct{}, len(list))}
	for _, x := range list {
		g.set[x] = struct{}{}
	}
	return g
}

// Has reports whether role was granted the action.
func (g Grants) Has(role, controller, action string) bool {
	_, ok := g.set[Grant{role, controller, action}]
	return ok
}
