package security

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/core/storage"
)

// RolesFor gives the stored roles that speak of one of the controllers, or of all, ordered by id; no controllers are any.
// Roles that cannot be read speak of none.
func (s *Service) RolesFor(ctx context.Context, controllers []string) ([]Stored, error) {
	var found []Stored
	err := s.engine.Scan(ctx, rolesCollection, "", func(doc storage.Document) bool {
		r, err := parseRole(doc.ID, doc.Source)
		if len(controllers) == 0 || err == nil && r.speaksOf(controllers) {
			found = append(found, Stored{doc.ID, doc.Source})
		}
		return true
	})
	if err != nil {
		return nil, StorageFailed("look through the roles", err)
	}
	return found, nil
}

func (r *role) speaksOf(controllers []string) bool {
	if r.controllers["*"] != nil {
		return true
	}
	return slices.ContainsFunc(controllers, func(c string) bool { return r.controllers[canonical(c)] != nil })
}
