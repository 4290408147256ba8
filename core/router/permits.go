package router

import (
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
)

// Permits decides whether u would be let through with a request, as if it came by itself.
func (s *Snapshot) Permits(users *security.Service, u *security.User, asked *protocol.Request) bool {
	if entry, _ := s.Action(asked.Controller, asked.Action); entry != nil && entry.Auth == AuthRequired && u.Anonymous() {
		return false
	}
	return users.Allowed(u, asked, s.Grants())
}
