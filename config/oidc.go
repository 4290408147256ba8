package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"strings"
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

// setProviders stores a map of strategy name to its provider. Errors name the strategy and the key, never a secret.
func setProviders(dst *map[string]OIDCProvider, raw any) error {
	named, err := byID(raw)
	if err != nil {
		return err
	}
	all := make(map[string]OIDCProvider, len(named))
	for _, name := range sortedKeys(named) {
		if named[name] == nil {
			continue
		}
		values, ok := named[name].(map[string]any)
		if !ok {
			return fmt.Errorf("provider %q %w", name, errType)
		}
		p := defaultOIDCProvider()
		if err := setProvider(&p, values); err != nil {
			return fmt.Errorf("provider %q: %w", name, err)
		}
		all[name] = p
	}
	*dst = all
	return nil
}

func setProvider(p *OIDCProvider, values map[string]any) error {
	fields := map[string]any{}
	for _, k := range providerKeys() {
		fields[k.path] = k.inProvider(p)
	}
	for _, name := range sortedKeys(values) {
		dst, ok := fields[name]
		if !ok {
			return fmt.Errorf("there is no key %q in it; %s", name, didYouMean(name, sortedKeys(fields)))
		}
		if values[name] == nil {
			continue
		}
		if err := decode(dst, values[name]); err != nil {
			return fmt.Errorf("%s: %w; %s", name, err, want(dst))
		}
	}
	return nil
}

// providerKeys are the keys of one provider, each with the path inside it.
func providerKeys() []key {
	return sectionsOf(reflect.TypeFor[OIDCProvider](), section{}, nil)[0].keys
}

// inProvider gives the field of p as a pointer.
func (k key) inProvider(p *OIDCProvider) any {
	return reflect.ValueOf(p).Elem().FieldByIndex(k.index).Addr().Interface()
}

// providerReference describes what stands below each name in security.oidc.
func providerReference(b *strings.Builder) {
	b.WriteString("\n## `security.oidc.<name>`\n\nOne OpenID provider; the name is that of its login strategy.\n\n")
	b.WriteString("| key | type | default | meaning |\n|---|---|---|---|\n")
	p := defaultOIDCProvider()
	for _, k := range providerKeys() {
		dst := k.inProvider(&p)
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", k.path, typeName(dst), defaultText(dst), meaning(k))
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
	for _, k := range providerKeys() {
		value := reflect.ValueOf(k.inProvider(&p)).Elem()
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
