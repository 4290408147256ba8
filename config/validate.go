package config

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Validate checks every value and how they go together. Its error joins all mistakes, each a *Mistake.
func (c *Config) Validate() error {
	v := &validation{config: c}
	for _, k := range keys() {
		v.bounds(k)
		v.oneOf(k)
	}
	v.server()
	v.tls()
	v.http()
	v.mqtt()
	v.limits()
	v.realtime()
	v.authToken()
	v.passwordHash()
	v.local()
	v.oidc()
	v.passkey()
	v.elasticsearch()
	v.restart()
	v.plugins()
	v.audit()
	return errors.Join(v.mistakes...)
}

// validation is one run of Validate.
type validation struct {
	config   *Config
	mistakes []error
}

func (v *validation) mistake(path, want, problem string, args ...any) {
	v.mistakes = append(v.mistakes, &Mistake{Path: path, Problem: fmt.Sprintf(problem, args...), Want: want})
}

// bounds checks the tags min and max.
func (v *validation) bounds(k key) {
	value := reflect.ValueOf(k.in(v.config)).Elem()
	if allowed, outside := k.outside(value); outside {
		v.mistake(k.path, "give "+allowed, "%v is out of range", value.Interface())
	}
}

// outside reports whether the tags min and max refuse a value of the key, and what they allow.
func (k key) outside(value reflect.Value) (allowed string, outside bool) {
	low, high := k.field.Tag.Get("min"), k.field.Tag.Get("max")
	outside = low != "" && value.Int() < bound(value.Type(), low) || high != "" && value.Int() > bound(value.Type(), high)
	return rangeText(low, high), outside
}

// bound reads the text of a tag min or max for a field of type t.
func bound(t reflect.Type, text string) int64 {
	value := reflect.New(t)
	if err := decode(value.Interface(), plain(text)); err != nil {
		panic("config: bad tag: " + err.Error()) // a test reads every tag
	}
	return value.Elem().Int()
}

// rangeText says in words what min and max allow; "" when there is no bound.
func rangeText(low, high string) string {
	switch {
	case low == "" && high == "":
		return ""
	case high == "":
		return "at least " + low
	case low == "":
		return "at most " + high
	default:
		return low + " to " + high
	}
}

func (v *validation) oneOf(k key) {
	allowed := strings.Fields(k.field.Tag.Get("oneof"))
	if len(allowed) == 0 {
		return
	}
	value := reflect.ValueOf(k.in(v.config)).Elem().String()
	if slices.Contains(allowed, value) || value == reflect.ValueOf(k.in(Defaults())).Elem().String() { // the default may be empty
		return
	}
	v.mistake(k.path, "give one of "+strings.Join(allowed, ", "), "%q is unknown", value)
}

func (v *validation) server() {
	s := v.config.Server
	if strings.TrimSpace(s.Host) == "" {
		v.mistake("server.host", "give an address or host name, 0.0.0.0 for every address", "is empty")
	}
	if s.DataDir == "" {
		v.mistake("server.dataDir", "give a folder", "is empty")
	}
}

func (v *validation) http() {
	h := v.config.HTTP
	if !h.AccessControlAllowOriginUseRegExp {
		return
	}
	for _, origin := range h.AccessControlAllowOrigin {
		if _, err := regexp.Compile(origin); err != nil && origin != "*" {
			v.mistake("http.accessControlAllowOrigin", "give regular expressions, or set http.accessControlAllowOriginUseRegExp to false",
				"%q is no regular expression: %v", origin, err)
		}
	}
}

// limits are the boot checks of the Kuzzle API on the requests' buffer.
func (v *validation) limits() {
	l := v.config.Limits
	if l.ConcurrentRequests >= l.RequestsBufferSize {
		v.mistake("limits.concurrentRequests", fmt.Sprintf("give less than limits.requestsBufferSize (%d)", l.RequestsBufferSize),
			"%d is too large", l.ConcurrentRequests)
	}
	if l.RequestsBufferWarningThreshold < l.ConcurrentRequests || l.RequestsBufferWarningThreshold > l.RequestsBufferSize {
		v.mistake("limits.requestsBufferWarningThreshold",
			fmt.Sprintf("give limits.concurrentRequests to limits.requestsBufferSize (%d to %d)", l.ConcurrentRequests, l.RequestsBufferSize),
			"%d is out of range", l.RequestsBufferWarningThreshold)
	}
}

// realtime keeps what a client missed from closing its connection as one that is too slow.
func (v *validation) realtime() {
	if kept, waiting := v.config.Realtime.HistoryMessages, v.config.WebSocket.OutboxMessages; kept > waiting {
		v.mistake("realtime.historyMessages", fmt.Sprintf("give websocket.outboxMessages (%d) at most", waiting), "%d is too large", kept)
	}
}

func (v *validation) authToken() {
	t := v.config.Security.AuthToken
	switch hmac := t.Algorithm == "HS256"; {
	case hmac && t.PrivateKeyFile != "":
		v.mistake("security.authToken.privateKeyFile", "leave it out, or set security.authToken.algorithm to the key's", "is of no use with HS256")
	case !hmac && t.Algorithm != "" && t.Secret.IsSet():
		v.mistake("security.authToken.secret", "leave it out, or set security.authToken.algorithm to HS256", "is of no use with %s", t.Algorithm)
	case t.Secret.IsSet() && t.PrivateKeyFile != "":
		v.mistake("security.authToken.secret", "give the key that signs, and the other in security.authToken.retiredKeyFiles or retiredSecrets", "and privateKeyFile are both set")
	}
	if t.ExpiresIn == 0 || t.ExpiresIn.Milliseconds() == 0 {
		v.mistake("security.authToken.expiresIn", want(&t.ExpiresIn), "tokens would expire at once")
	}
	if !t.MaxTTL.IsInfinite() && (t.ExpiresIn.IsInfinite() || t.ExpiresIn > t.MaxTTL) {
		v.mistake("security.authToken.expiresIn", fmt.Sprintf("give at most security.authToken.maxTTL (%s)", t.MaxTTL), "%s is longer than allowed", t.ExpiresIn)
	}
}

func (v *validation) passwordHash() {
	h := v.config.Security.PasswordHash
	if least := 8 * h.Parallelism; h.MemoryKiB >= 8 && h.MemoryKiB < least {
		v.mistake("security.passwordHash.memoryKiB", fmt.Sprintf("give at least 8 KiB a lane (%d)", least), "%d is too small", h.MemoryKiB)
	}
}

func (v *validation) restart() {
	r := v.config.Plugins.Restart
	if r.MaxDelay < r.InitialDelay {
		v.mistake("plugins.restart.maxDelay", fmt.Sprintf("give at least plugins.restart.initialDelay (%s)", durationText(r.InitialDelay)),
			"%s is too short", durationText(r.MaxDelay))
	}
}

// plugins checks where the routes of plugins stand. What a mount looks like, and whether it is free, the node says when it
// knows the plugins.
func (v *validation) plugins() {
	p := v.config.Plugins
	for _, id := range sortedKeys(p.Listen) {
		if _, port, err := net.SplitHostPort(p.Listen[id]); err != nil || port == "" {
			v.mistake("plugins.listen", `give an address with a port, such as "127.0.0.1:8443"`, "plugin %q: %q is none", id, p.Listen[id])
		}
	}
	owners := map[string]string{}
	for _, id := range sortedKeys(p.Hosts) {
		for _, host := range p.Hosts[id] {
			host = strings.ToLower(host)
			if host == "" || strings.ContainsAny(host, ":/ ") {
				v.mistake("plugins.hosts", "give host names without scheme and port", "plugin %q: %q is none", id, host)
			}
			if owner, taken := owners[host]; taken {
				v.mistake("plugins.hosts", "give each host name to one plugin", "%q is there twice, for %q and %q", host, owner, id)
			}
			owners[host] = id
		}
	}
	for _, id := range sortedKeys(p.Mounts) {
		if !strings.HasPrefix(p.Mounts[id], "/") || strings.HasSuffix(p.Mounts[id], "/") {
			v.mistake("plugins.mounts", "give a path such as /uniapi, without a slash at its end", "plugin %q: %q is none", id, p.Mounts[id])
		}
	}
}

// durationText writes a duration without the zero units that its String adds: 2m, not 2m0s.
func durationText(d time.Duration) string {
	text := d.String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}
