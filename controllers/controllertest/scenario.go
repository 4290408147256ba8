package controllertest

import (
	"regexp"
	"strings"
	"testing"
)

// Scenario is a request with all that comes of it. The scenarios of one test run in their order on one node.
//
// Call is `controller:action` and the arguments after a blank: members of the envelope without their braces. ID is that of
// the error, "" for none. Result is the whole of it as text, "" for none; generated ids read as UUID. Events are what was
// fired, one a line as Node.Fired gives them. "*" is any result, and any events.
type Scenario struct {
	Name, Call         string
	Status             int
	ID, Result, Events string
}

// row is a Scenario, or a type that a test derives from it to write its rows without the names of the fields.
type row interface {
	~struct {
		Name, Call         string
		Status             int
		ID, Result, Events string
	}
}

var generatedID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

// Run asks and compares.
func Run[S row](t *testing.T, n *Node, scenarios []S) {
	t.Helper()
	for _, scenario := range scenarios {
		s := Scenario(scenario)
		n.Fired()
		action, arguments, found := strings.Cut(s.Call, " ")
		if found {
			arguments = "," + arguments
		}
		controller, action, _ := strings.Cut(action, ":")
		a := n.Ask(t, `{"controller":"`+controller+`","action":"`+action+`"`+arguments+`}`)
		id := ""
		if a.Error != nil {
			id = a.Error.ID
		}
		if a.Status != s.Status || id != s.ID {
			t.Errorf("%s: %d %s %s (%v), want %d %s", s.Name, a.Status, id, a.Result, a.Error, s.Status, s.ID)
		}
		if got := generatedID.ReplaceAllString(string(a.Result), "UUID"); s.Result != "*" && got != s.Result {
			t.Errorf("%s: result\n got %s\nwant %s", s.Name, got, s.Result)
		}
		if got := generatedID.ReplaceAllString(n.Fired(), "UUID"); s.Events != "*" && got != s.Events {
			t.Errorf("%s: events\n got %s\nwant %s", s.Name, got, s.Events)
		}
	}
}
