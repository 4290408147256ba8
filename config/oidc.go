package config

import (
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"time"
)

// OIDCProvider is what is set under one name in security.oidc.
type OIDCProvider struct {
	Issuer         string            `config:"issuer" doc:"URL that names the provider, exactly as the provider writes it; its discovery document is below it. https, except on this machine."`
	ClientID       string            `config:"clientId" doc:"Id under which the provider knows this node."`
	ClientSecret   Secret            `config:"clientSecret" doc:"Secret that goes with the id. Empty for a client that has none."`
	RedirectURL    string            `config:"redirectUrl" doc:"Where the provider sends the browser back to: /_login/<name> of this node, or a page that passes code and state on. The provider must know it."`
	Scopes         []string          `config:"scopes" doc:"What is asked for beside openid."`
	CreateUser     bool              `config:"createUser" doc:"Make a user at the first login of somebody unknown. Otherwise only those log in whose credentials an administrator created."`
	ProfileIDs     []string          `config:"profileIds" doc:"Profiles of users made so."`
	UserFields     map[string]string `config:"userFields" doc:"What is copied into users made so, once: the field of the user and the claim that it comes from."`
	AllowedDomains []string          `config:"allowedDomains" doc:"Let in only those whose verified e-mail address is of one of these domains; empty = everybody whom the provider knows."`
	LoginTimeout   time.Duration     `config:"loginTimeout" doc:"How long a login may take from here to the provider and back." min:"1s" max:"1h"`
	CAFile         string            `config:"caFile" doc:"PEM file with certificates that vouch for the provider, beside those of the system."`
	Timeout        time.Duration     `config:"timeout" doc:"Time for the provider to answer one call." min:"1ms"`
}

func defaultOIDCProvider() OIDCProvider {
	return OIDCProvider{
		Scopes: []string{"profile", "email"}, ProfileIDs: []string{"default"},
		LoginTimeout: 10 * time.Minute, Timeout: 10 * time.Second,
	}
}

var strategyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

func (v *validation) oidc() {
	issuers := map[string]string{}
	all := v.config.Security.OIDC
	for _, name := range sortedKeys(all) {
		if !strategyName.MatchString(name) || name == "local" || name == "passkey" {
			v.provider(name, "name it with letters, digits, - and _, 64 at most, and not local or passkey", "is no name for a strategy of its own")
		}
		v.oneProvider(name, all[name])
		if other, taken := issuers[all[name].Issuer]; taken {
			v.provider(name, "give each provider once: accounts are kept by issuer", "has the issuer of %q", other)
		}
		issuers[all[name].Issuer] = name
	}
}

func (v *validation) oneProvider(name string, p OIDCProvider) {
	if p.ClientID == "" {
		v.provider(name, "give the id that the provider gave this node", "clientId is empty")
	}
	if u, ok := webAddress(p.Issuer); !ok || u.RawQuery != "" || u.Scheme != "https" && !onThisMachine(u.Hostname()) {
		v.provider(name, "give the URL of the provider, with https:// unless it is on this machine", "issuer %q is none", p.Issuer)
	}
	if _, ok := webAddress(p.RedirectURL); !ok {
		v.provider(name, "give a URL such as https://sluice.example.com/_login/"+name, "redirectUrl %q is none", p.RedirectURL)
	}
	if p.CreateUser && len(p.ProfileIDs) == 0 {
		v.provider(name, "give at least one profile, or set createUser to false", "profileIds is empty")
	}
	for _, field := range sortedKeys(p.UserFields) {
		if field == "" || field == "profileIds" || field[0] == '_' {
			v.provider(name, "give fields of the content of users; profiles are set by profileIds", "userFields: %q cannot come from a claim", field)
		}
	}
	for _, k := range keysOf[OIDCProvider]() {
		value := reflect.ValueOf(k.of(&p)).Elem()
		if allowed, outside := k.outside(value); outside {
			v.provider(name, "give "+allowed, "%s %v is out of range", k.path, value.Interface())
		}
	}
}

// provider is a mistake in the provider of that name.
func (v *validation) provider(name, want, problem string, args ...any) {
	v.mistake("security.oidc", want, "provider %q: "+problem, append([]any{name}, args...)...)
}

// webAddress reads an http or https URL without user and fragment.
func webAddress(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	ok := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil && u.Fragment == ""
	return u, ok
}

func onThisMachine(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
