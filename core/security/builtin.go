package security

import "github.com/go-json-experiment/json/jsontext"

// The names of the built-in roles and profiles; a profile has the role of the same name.
const (
	adminID     = "admin"
	defaultID   = "default"
	anonymousID = "anonymous"
)

// builtIns are roles and profiles by id, as they would be stored.
type builtIns struct{ roles, profiles map[string]string }

const everything = `{"controllers":{"*":{"actions":{"*":true}}}}`

// openSecurity is development mode before anything is stored: everybody may do everything.
var openSecurity = builtIns{
	roles: map[string]string{adminID: everything, defaultID: everything, anonymousID: everything},
	profiles: map[string]string{
		adminID:     `{"policies":[{"roleId":"admin"}],"rateLimit":0}`,
		defaultID:   `{"policies":[{"roleId":"default"}],"rateLimit":0}`,
		anonymousID: `{"policies":[{"roleId":"anonymous"}],"rateLimit":0}`,
	},
}

// standardSecurity is what security:createFirstAdmin stores with reset: the API's security.standard, nothing added.
var standardSecurity = builtIns{
	roles: map[string]string{
		adminID: everything,
		defaultID: `{"controllers":{` +
			`"auth":{"actions":{"checkToken":true,"getCurrentUser":true,"getMyRights":true,"logout":true,"updateSelf":true}},` +
			`"server":{"actions":{"publicApi":true}}}}`,
		anonymousID: `{"controllers":{` +
			`"auth":{"actions":{"checkToken":true,"getCurrentUser":true,"getMyRights":true,"login":true}},` +
			`"server":{"actions":{"publicApi":true,"openapi":true}}}}`,
	},
	profiles: map[string]string{
		adminID:     `{"policies":[{"roleId":"admin"}],"rateLimit":0}`,
		defaultID:   `{"policies":[{"roleId":"default"}],"rateLimit":10}`,
		anonymousID: `{"policies":[{"roleId":"anonymous"}],"rateLimit":200}`,
	},
}

// freshSecurity is production before anything is stored: the standard, with what anonymous needs to make the first
// administrator. A data folder that was used in development mode is therefore not open in production.
var freshSecurity = builtIns{
	roles: map[string]string{
		adminID:   standardSecurity.roles[adminID],
		defaultID: standardSecurity.roles[defaultID],
		anonymousID: `{"controllers":{` +
			`"auth":{"actions":{"checkToken":true,"getCurrentUser":true,"getMyRights":true,"login":true}},` +
			`"security":{"actions":{"createFirstAdmin":true}},` +
			`"server":{"actions":{"publicApi":true,"openapi":true,"now":true,"adminExists":true,"healthCheck":true}}}}`,
	},
	profiles: standardSecurity.profiles,
}

// builtInNames reports whether one of the standard roles names an action, so that they can be stored as they were read on a node
// that does not have it.
func builtInNames(controller, action string) bool {
	for id, source := range standardSecurity.roles {
		if r, err := parseRole(id, jsontext.Value(source)); err == nil {
			if _, named := r.controllers[controller][action]; named {
				return true
			}
		}
	}
	return false
}

// builtIn gives the roles and profiles that hold while none of that id is stored.
func (s *Service) builtIn() builtIns {
	if s.dev {
		return openSecurity
	}
	return freshSecurity
}
