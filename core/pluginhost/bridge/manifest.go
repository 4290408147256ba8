package bridge

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/pluginv1"
)

var (
	wireNamePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*$`)
	namePattern     = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	callPattern     = regexp.MustCompile(`^[A-Za-z0-9/_-]+:([A-Za-z0-9_-]+|\*)$`)
	eventPattern    = regexp.MustCompile(`^[A-Za-z0-9/_-]+(:[A-Za-z0-9_-]+)?:([A-Za-z0-9_-]+|(before|after|error)?\*)$`)
)

// native are the controllers of the API, whether this node has them or not.
var native = []string{
	"admin", "auth", "bulk", "cluster", "collection", "debug", "document", "index", "memoryStorage", "ms", "realtime", "security", "server",
}

// standardRoles are those that a plugin may grant its actions to.
var standardRoles = []string{"admin", "default", "anonymous"}

// Names are the id and the wire name under which a plugin has its controllers.
func Names(m *pluginv1.Manifest) []string {
	if m.GetWireName() == "" || m.GetWireName() == m.GetId() {
		return []string{m.GetId()}
	}
	return []string{m.GetId(), m.GetWireName()}
}

// Check says all that is wrong with the manifest of the plugin found under id. Routes, and names that other owners have, are
// checked by the registry.
func Check(id string, m *pluginv1.Manifest) error {
	if m.GetId() != id {
		return fmt.Errorf("it calls itself %q: the id, the folder and the executable must have one name", m.GetId())
	}
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if m.GetWireName() != "" && !wireNamePattern.MatchString(m.GetWireName()) {
		wrong("wire name %q: use letters, digits and dashes", m.GetWireName())
	}
	if m.GetApiVersion() != pluginv1.APIVersion {
		wrong("it speaks version %d of the plugin protocol, this node %d: rebuild it", m.GetApiVersion(), pluginv1.APIVersion)
	}
	for _, name := range Names(m) {
		if slices.ContainsFunc(native, func(n string) bool { return strings.EqualFold(n, name) }) {
			wrong("the name %q belongs to a controller of the API", name)
		}
	}
	for _, a := range m.GetActions() {
		if err := checkAction(m, a); err != nil {
			wrong("action %s:%s: %w", a.GetController(), a.GetName(), err)
		}
	}
	for _, event := range slices.Concat(m.GetPipes(), m.GetHooks()) {
		if !eventPattern.MatchString(event) {
			wrong("event %q: want <scope>:<name>, <scope>:*, or before*, after*, error* there", event)
		}
	}
	for _, call := range m.GetCalls() {
		if !callPattern.MatchString(call) {
			wrong("call %q: want <controller>:<action> or <controller>:*", call)
		}
	}
	problems = append(problems, checkMount(m), checkRefusals(m), checkCollections(m), checkTriggers(m), checkStrategies(m))
	for _, g := range m.GetGrants() {
		if !slices.Contains(standardRoles, g.GetRole()) {
			wrong("grant to role %q: want one of %v", g.GetRole(), standardRoles)
		}
		if !slices.ContainsFunc(m.GetActions(), func(a *pluginv1.Action) bool {
			return a.GetController() == g.GetController() && a.GetName() == g.GetAction()
		}) {
			wrong("grant of %s:%s, which is no action of the plugin", g.GetController(), g.GetAction())
		}
	}
	return errors.Join(problems...)
}

func checkAction(m *pluginv1.Manifest, a *pluginv1.Action) error {
	if !namePattern.MatchString(a.GetName()) {
		return errors.New("the name of an action consists of letters, digits, dashes and underscores")
	}
	if !ownController(m, a.GetController()) {
		return fmt.Errorf("a controller of this plugin is named %s, or one of these followed by / and a name", strings.Join(Names(m), " or "))
	}
	if _, known := authModes[a.GetAuth()]; !known {
		return fmt.Errorf("auth mode %v is unknown to this node", a.GetAuth())
	}
	_, err := protocol.ParseProfile(a.GetProfile())
	return errors.Join(err, checkRateLimit(a.GetRateLimit()), checkContentTypes(a.GetContentTypes()))
}

func ownController(m *pluginv1.Manifest, controller string) bool {
	first, rest, below := strings.Cut(controller, "/")
	return slices.Contains(Names(m), first) && (!below || namePattern.MatchString(rest))
}

var authModes = map[pluginv1.AuthMode]router.AuthMode{
	pluginv1.AuthMode_AUTH_MODE_UNSPECIFIED: router.AuthHost,
	pluginv1.AuthMode_AUTH_MODE_HOST:        router.AuthHost,
	pluginv1.AuthMode_AUTH_MODE_REQUIRED:    router.AuthRequired,
	pluginv1.AuthMode_AUTH_MODE_PLUGIN:      router.AuthPlugin,
	pluginv1.AuthMode_AUTH_MODE_NONE:        router.AuthNone,
}

func grants(m *pluginv1.Manifest) []security.Grant {
	var list []security.Grant
	for _, g := range m.GetGrants() {
		list = append(list, security.Grant{Role: g.GetRole(), Controller: g.GetController(), Action: g.GetAction()})
	}
	return list
}
