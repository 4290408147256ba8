package audit

import "github.com/sluicehq/sluice/protocol"

// rule says how the line of an action is made.
type rule struct {
	// event is what the action is about.
	event string
	// targets finds what it is done to.
	targets func(c *call)
}

// The tables, by controller and action. An action that is in none is recorded when it is refused.
var (
	audited = map[string]map[string]rule{
		"auth": {
			"login":               {"login", loggedIn},
			"logout":              {"logout", nothing},
			"refreshToken":        {"token", nothing},
			"createToken":         {"token", nothing},
			"createApiKey":        {"apiKey", key},
			"deleteApiKey":        {"apiKey", key},
			"createMyCredentials": {"credentials", self},
			"updateMyCredentials": {"credentials", self},
			"deleteMyCredentials": {"credentials", self},
			"updateSelf":          {"user", self},
		},
		"security": {
			"createFirstAdmin":       {"user", one},
			"createRestrictedUser":   {"user", one},
			"createUser":             {"user", one},
			"upsertUser":             {"user", one},
			"updateUser":             {"user", one},
			"replaceUser":            {"user", one},
			"deleteUser":             {"user", one},
			"mDeleteUsers":           {"user", many("ids")},
			"updateUserMapping":      {"user", nothing},
			"revokeTokens":           {"token", one},
			"createProfile":          {"profile", one},
			"createOrReplaceProfile": {"profile", one},
			"updateProfile":          {"profile", one},
			"deleteProfile":          {"profile", one},
			"mDeleteProfiles":        {"profile", many("ids")},
			"updateProfileMapping":   {"profile", nothing},
			"createRole":             {"role", one},
			"createOrReplaceRole":    {"role", one},
			"updateRole":             {"role", one},
			"deleteRole":             {"role", one},
			"mDeleteRoles":           {"role", many("ids")},
			"updateRoleMapping":      {"role", nothing},
			"restrictDefaultRights":  {"role", nothing},
			"createCredentials":      {"credentials", one},
			"updateCredentials":      {"credentials", one},
			"deleteCredentials":      {"credentials", one},
			"createApiKey":           {"apiKey", key},
			"deleteApiKey":           {"apiKey", key},
		},
		"kuzzle-plugin-auth-passport-local/password": {
			"getResetPasswordToken": {"passwordReset", one},
			"reset":                 {"passwordReset", loggedIn},
		},
		"admin": {
			"dump":              {"admin", nothing},
			"loadFixtures":      {"admin", nothing},
			"loadMappings":      {"admin", nothing},
			"loadSecurities":    {"admin", nothing},
			"refreshIndexCache": {"admin", nothing},
			"resetCache":        {"admin", nothing},
			"resetDatabase":     {"admin", nothing},
			"resetKuzzleData":   {"admin", nothing},
			"resetSecurity":     {"admin", nothing},
			"shutdown":          {"admin", nothing},
		},
		"index": {
			"create":  {"index", index},
			"delete":  {"index", index},
			"mDelete": {"index", many("indexes")},
		},
		"collection": {
			"delete":   {"collection", index},
			"truncate": {"collection", index},
		},
	}

	// exempt are actions of the controllers that core/node's test looks at which are not recorded: they change nothing.
	exempt = map[string][]string{
		"auth": {
			"checkRights", "checkToken", "credentialsExist", "getCurrentUser", "getMyCredentials", "getMyRights", "getStrategies",
			"searchApiKeys", "validateMyCredentials",
		},
		"security": {
			"checkRights", "getAllCredentialFields", "getCredentialFields", "getCredentials", "getCredentialsById", "getProfile",
			"getProfileMapping", "getProfileRights", "getRole", "getRoleMapping", "getUser", "getUserMapping", "getUserRights",
			"getUserStrategies", "hasCredentials", "mGetProfiles", "mGetRoles", "mGetUsers", "refresh", "scrollProfiles", "scrollUsers",
			"searchApiKeys", "searchProfiles", "searchRoles", "searchUsers", "searchUsersByCredentials", "validateCredentials",
		},
		"index": {"exists", "list", "stats"},
	}
)

// Audited reports whether what becomes of an action is recorded, whatever it is.
func Audited(controller, action string) bool {
	_, ok := audited[controller][action]
	return ok
}

// Exempt reports whether an action is left out on purpose.
func Exempt(controller, action string) bool {
	for _, name := range exempt[controller] {
		if name == action {
			return true
		}
	}
	return false
}

// call is a request with its answer, on its way to become an event.
type call struct {
	Event
	request *protocol.Request
	result  protocol.Args
}

func nothing(*call) {}

// one is the id that the request names, or the one that the node chose.
func one(c *call) {
	if id := c.id(); id != "" {
		c.Targets = []string{id}
	}
}

func self(c *call) { c.Targets = []string{c.request.User.KUID()} }

// key is an API key, of the user whom the request names or of the caller.
func key(c *call) {
	one(c)
	c.Owner = optional(c.request.Args, "userId")
	if c.Owner == "" {
		c.Owner = c.request.User.KUID()
	}
}

// loggedIn names the user whom the login gave.
func loggedIn(c *call) {
	if id := optional(c.result, "_id"); id != "" {
		c.User, c.Profiles = id, nil
	}
}

// many are the ids in the body.
func many(name string) func(*call) {
	return func(c *call) {
		body, err := c.request.BodyFields()
		if err != nil {
			return // nothing was done to anything
		}
		if ids, err := body.Strings(name); err == nil {
			c.Targets = ids
		}
	}
}

// index is an index, or a collection as index/collection.
func index(c *call) {
	target := c.request.Index
	if c.request.Collection != "" {
		target += "/" + c.request.Collection
	}
	if target != "" {
		c.Targets = []string{target}
	}
}

func (c *call) id() string {
	if c.request.ID != "" {
		return c.request.ID
	}
	return optional(c.result, "_id")
}

// optional gives the text of that name, "" for none.
func optional(args protocol.Args, name string) string {
	text, err := args.OptString(name, "")
	if err != nil {
		return ""
	}
	return text
}
