package security

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// role is what one role allows.
type role struct {
	id string
	// controllers has the names of the role, memoryStorage written as ms.
	controllers map[string]actions
}

// actions says of each action, or of "*", whether it is allowed.
type actions map[string]bool

// allows is the rule of the API: the entry of the controller decides, the entry "*" only where there is none; inside it
// the entry of the action, the entry "*" only where there is none. A grant stands where the role does not name the
// controller.
func (r *role) allows(controller, action string, g Grants) bool {
	entry, named := r.controllers[controller]
	if !named {
		if g.Has(r.id, controller, action) {
			return true
		}
		entry = r.controllers["*"]
	}
	if allowed, ok := entry[action]; ok {
		return allowed
	}
	return entry["*"]
}

// everything reports whether the role allows whatever it does not name.
func (r *role) everything() bool { return r.controllers["*"]["*"] }

// canonical gives the one name of the controller that has two.
func canonical(controller string) string {
	if controller == "memoryStorage" {
		return "ms"
	}
	return controller
}

// parseRole compiles a stored role. One that is not exactly what the API describes is errUnusable as a whole.
func parseRole(id string, source jsontext.Value) (*role, error) {
	var body struct {
		Controllers map[string]struct {
			Actions map[string]bool `json:"actions"`
		} `json:"controllers"`
	}
	if err := json.Unmarshal(source, &body); err != nil {
		return nil, fmt.Errorf("parse role %q: %w: %w", id, err, errUnusable)
	}
	r := &role{id: id, controllers: make(map[string]actions, len(body.Controllers))}
	for name, c := range body.Controllers {
		if _, both := body.Controllers["ms"]; both && name == "memoryStorage" {
			continue
		}
		r.controllers[canonical(name)] = c.Actions
	}
	return r, nil
}

// ReadRole gives the role as it is stored, or the built-in one; security.role.not_found when there is neither.
func (s *Service) ReadRole(ctx context.Context, id string) (Stored, error) {
	doc, err := s.engine.Get(ctx, rolesCollection, id)
	switch {
	case err == nil:
		return Stored{doc.ID, doc.Source}, nil
	case !errors.Is(err, kerror.ServicesStorageNotFound):
		return Stored{}, StorageFailed("read role "+id, err)
	}
	if source := s.builtIn().roles[id]; source != "" {
		return Stored{id, jsontext.Value(source)}, nil
	}
	return Stored{}, kerror.SecurityRoleNotFound.New(id)
}
