package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"
)

// Local is the section security.local.
type Local struct {
	RequirePassword        bool                      `config:"requirePassword" doc:"Whether users who change or delete their own credentials must give the password that they have, as currentPassword."`
	ResetPasswordExpiresIn TTL                       `config:"resetPasswordExpiresIn" doc:"Lifetime of a token with which a password is set anew."`
	Policies               map[string]PasswordPolicy `config:"policies" doc:"What passwords must be like, each policy under a name of your choice; see security.local.policies.<name>. All that are for a user hold."`
}

// PasswordPolicy is what is set under one name in security.local.policies.
type PasswordPolicy struct {
	Users                          []string `config:"users" doc:"Ids of users whom it is for. Without users, profiles and roles it is for everybody."`
	Profiles                       []string `config:"profiles" doc:"Profiles whose users it is for."`
	Roles                          []string `config:"roles" doc:"Roles whose holders it is for."`
	ExpiresAfter                   TTL      `config:"expiresAfter" doc:"Age at which a password has to be changed. Passwords from before there were ages count as expired."`
	ForbidLoginInPassword          bool     `config:"forbidLoginInPassword" doc:"Refuse passwords with the user name in them, in whatever case."`
	ForbidReusedPasswordCount      int      `config:"forbidReusedPasswordCount" doc:"How many passwords, the one in force and those before it, cannot be taken again. Each costs a hash." min:"0" max:"24"`
	MustChangePasswordIfSetByAdmin bool     `config:"mustChangePasswordIfSetByAdmin" doc:"Whether a password that another user set has to be changed before the first login. Holders of the role admin are exempt."`
	PasswordRegex                  string   `config:"passwordRegex" doc:"Regular expression (RE2) that passwords match, plain or as /re/flags with the flags i, m and s. There is no lookahead: use several policies."`
}

func defaultLocal() Local { return Local{ResetPasswordExpiresIn: TTL(2 * time.Hour)} }

func defaultPasswordPolicy() PasswordPolicy { return PasswordPolicy{ExpiresAfter: Infinite} }

// maxRegexBytes bounds a regular expression of a policy.
const maxRegexBytes = 1024

// slashed is a regular expression as JavaScript writes it.
var slashed = regexp.MustCompile(`(?s)^/(.*)/([a-z]*)$`)

// Regex gives the compiled PasswordRegex, nil when there is none.
func (p PasswordPolicy) Regex() (*regexp.Regexp, error) {
	text := p.PasswordRegex
	if text == "" {
		return nil, nil //nolint:nilnil // no expression is no mistake
	}
	if len(text) > maxRegexBytes {
		return nil, fmt.Errorf("it has more than %d bytes", maxRegexBytes)
	}
	parts := slashed.FindStringSubmatch(text)
	if parts == nil {
		return regexp.Compile(text)
	}
	if strings.Trim(parts[2], "ims") != "" {
		return nil, errors.New("the flags are i, m and s")
	}
	if parts[2] != "" {
		return regexp.Compile("(?" + parts[2] + ")" + parts[1])
	}
	return regexp.Compile(parts[1])
}

func (v *validation) local() {
	l := v.config.Security.Local
	if l.ResetPasswordExpiresIn == 0 {
		v.mistake("security.local.resetPasswordExpiresIn", want(&l.ResetPasswordExpiresIn), "tokens would expire at once")
	}
	for _, name := range sortedKeys(l.Policies) {
		v.policy(name, l.Policies[name])
	}
}

func (v *validation) policy(name string, p PasswordPolicy) {
	if p.ExpiresAfter == 0 {
		v.inPolicy(name, "give the longest age of a password, or -1 for none", "expiresAfter: passwords would expire at once")
	}
	if _, err := p.Regex(); err != nil {
		v.inPolicy(name, "give an expression of RE2 (no lookaheads; use several policies) of 1024 bytes at most", "passwordRegex: %v", err)
	}
	for _, k := range keysOf[PasswordPolicy]() {
		value := reflect.ValueOf(k.of(&p)).Elem()
		if allowed, outside := k.outside(value); outside {
			v.inPolicy(name, "give "+allowed, "%s %v is out of range", k.path, value.Interface())
		}
	}
}

// inPolicy is a mistake in the policy of that name.
func (v *validation) inPolicy(name, want, problem string, args ...any) {
	v.mistake("security.local.policies", want, "policy %q: "+problem, append([]any{name}, args...)...)
}
