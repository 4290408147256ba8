package security

import (
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/spelling"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Known is every action there is, by controller. nil knows nothing and complains of nothing.
type Known map[string][]string

// CheckRole says what is wrong with the body of a role: its shape, names that known lacks, and for the role anonymous
// whether one can still log in.
func CheckRole(id string, body jsontext.Value, known Known) error {
	root, err := protocol.ParseArgs(body, "body.")
	if err != nil {
		return err
	}
	controllers, err := notEmpty(root, "controllers", "body.controllers")
	if err != nil {
		return err
	}
	for _, c := range controllers.All() {
		path := "body.controllers." + c.Name
		if err := checkController(id, c, path, known); err != nil {
			return err
		}
	}
	r, err := parseRole(id, body)
	if err != nil {
		return kerror.APIAssertInvalidType.Wrap(err, "body.controllers", "object")
	}
	if id == anonymousID && !r.allows("auth", "login", Grants{}) {
		return kerror.SecurityRoleLoginRequired.New()
	}
	return nil
}

// checkController looks at one member of controllers.
func checkController(id string, c protocol.Arg, path string, known Known) error {
	if c.Value.Kind() != '{' {
		return kerror.APIAssertInvalidType.New(path, "object")
	}
	entry, err := protocol.ParseArgs(c.Value, path+".")
	if err != nil {
		return err
	}
	actions, err := notEmpty(entry, "actions", path+".actions")
	if err != nil {
		return err
	}
	allActions, ok := known[canonical(c.Name)]
	if known != nil && !ok && c.Name != "*" {
		return kerror.SecurityRoleUnknownController.New(id, c.Name, spelling.Hint(c.Name, slices.Sorted(maps.Keys(known))))
	}
	for _, a := range actions.All() {
		if kind := a.Value.Kind(); kind != 't' && kind != 'f' {
			return kerror.APIAssertInvalidType.New(path+".actions."+a.Name, "boolean")
		}
		if ok && a.Name != "*" && !slices.Contains(allActions, a.Name) && !builtInNames(canonical(c.Name), a.Name) {
			return kerror.SecurityRoleUnknownAction.New(id, a.Name, c.Name, spelling.Hint(a.Name, allActions))
		}
	}
	return nil
}

// notEmpty gives the members of an object that must have some.
func notEmpty(in protocol.Args, name, path string) (protocol.Args, error) {
	fields, err := in.Fields(name)
	if err != nil {
		return protocol.Args{}, err
	}
	if len(fields.All()) == 0 {
		return protocol.Args{}, kerror.APIAssertEmptyArgument.New(path)
	}
	return fields, nil
}
