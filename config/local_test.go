package config_test

import (
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
)

func TestPasswordPolicies(t *testing.T) {
	c, err := loadText(t, "security:\n  local:\n    requirePassword: true\n    resetPasswordExpiresIn: 30 min\n    policies:\n"+
		"      staff: {profiles: [staff], expiresAfter: 90 days, forbidReusedPasswordCount: 4, passwordRegex: '/^[A-Z]/i'}\n      all: {forbidLoginInPassword: true}\n")
	if err != nil {
		t.Fatal(err)
	}
	l := c.Security.Local
	staff, all := l.Policies["staff"], l.Policies["all"]
	if !l.RequirePassword || l.ResetPasswordExpiresIn.Duration() != 30*time.Minute || len(l.Policies) != 2 {
		t.Errorf("%+v", l)
	}
	if staff.ExpiresAfter.Duration() != 90*24*time.Hour || staff.ForbidReusedPasswordCount != 4 || !all.ForbidLoginInPassword || !all.ExpiresAfter.IsInfinite() {
		t.Errorf("%+v", l.Policies)
	}
	for password, matches := range map[string]bool{"abc": true, "Abc": true, "1bc": false} {
		if regex, err := staff.Regex(); err != nil || regex.MatchString(password) != matches {
			t.Errorf("%q: %v", password, err)
		}
	}
	if regex, err := all.Regex(); regex != nil || err != nil {
		t.Error(regex, err)
	}
}

func TestMistakesInPasswordPolicies(t *testing.T) {
	for _, policy := range []string{
		"{passwordRegex: '('}", "{passwordRegex: '(?=.*[0-9])'}", "{passwordRegex: /a/y}", "{passwordRegex: '/(/'}", "{expiresAfter: 0}", "{forbidReusedPasswordCount: 25}",
		"{forbidReusedPasswordCount: -1}", "{expiresAfter: never}", "{appliesTo: '*'}", "{users: 5}", "[]",
	} {
		_, err := loadText(t, "security:\n  local:\n    policies:\n      p: "+policy+"\n")
		mistakes := config.Mistakes(err)
		if len(mistakes) != 1 || mistakes[0].Path != "security.local.policies" || mistakes[0].Want == "" {
			t.Errorf("%s: %v", policy, err)
		}
	}
	if _, err := loadText(t, "security:\n  local:\n    resetPasswordExpiresIn: 0\n"); err == nil {
		t.Error("tokens that expire at once")
	}
}
