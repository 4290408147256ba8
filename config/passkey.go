package config

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Passkey is the section security.passkey.
type Passkey struct {
	Enabled          bool          `config:"enabled" doc:"Whether users may log in with passkeys, the strategy passkey."`
	RPID             string        `config:"rpId" doc:"Domain that passkeys belong to, without scheme and port, such as example.com: they work on pages of it and of what stands below it. A change makes all passkeys useless."`
	RPOrigins        []string      `config:"rpOrigins" doc:"Origins of the pages that use passkeys, such as https://app.example.com. Empty = https:// and security.passkey.rpId."`
	RPDisplayName    string        `config:"rpDisplayName" doc:"What people read when they make a passkey. Empty = security.passkey.rpId."`
	UserVerification string        `config:"userVerification" doc:"Whether a passkey must see that it is its owner who uses it, by a PIN, a finger or a face. Only required makes it two factors in one." oneof:"required preferred discouraged"`
	Timeout          time.Duration `config:"timeout" doc:"How long people may take to make or use a passkey." min:"10s" max:"1h"`
}

func defaultPasskey() Passkey {
	return Passkey{UserVerification: "required", Timeout: 5 * time.Minute}
}

// androidOrigin begins the origins of Android apps.
const androidOrigin = "android:apk-key-hash:"

// domainName is a host name as browsers write it.
var domainName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)

func (v *validation) passkey() {
	p := v.config.Security.Passkey
	if !p.Enabled {
		return
	}
	if _, err := netip.ParseAddr(p.RPID); err == nil || !domainName.MatchString(p.RPID) {
		v.mistake("security.passkey.rpId", "give the domain of your pages, such as example.com, in small letters, without scheme and port", "%q is no domain", p.RPID)
		return // of origins nobody can say then whether they belong to it
	}
	for _, origin := range p.RPOrigins {
		v.passkeyOrigin(p.RPID, origin)
	}
}

// passkeyOrigin refuses an origin where a browser would not use passkeys of the domain.
func (v *validation) passkeyOrigin(domain, origin string) {
	if strings.HasPrefix(origin, androidOrigin) {
		return
	}
	const path = "security.passkey.rpOrigins"
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || origin != u.Scheme+"://"+u.Host {
		v.mistake(path, "give a scheme, a host and a port if there is one, such as https://login.example.com", "%q is no origin", origin)
		return
	}
	host := u.Hostname()
	if host != domain && !strings.HasSuffix(host, "."+domain) {
		v.mistake(path, "browsers use its passkeys nowhere else", "%q is not in the domain of security.passkey.rpId, %q", origin, domain)
	}
	if local := host == "localhost" || strings.HasSuffix(host, ".localhost"); u.Scheme != "https" && (u.Scheme != "http" || !local) {
		v.mistake(path, "browsers have passkeys there, and on http://localhost", "%q is not https", origin)
	}
}
