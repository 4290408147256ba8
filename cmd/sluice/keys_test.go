package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestKeys: what an operator sees who tends the keys of a data folder.
func TestKeys(t *testing.T) {
	data := t.TempDir()
	const secret = "a secret of more than thirty-two bytes"
	write(t, filepath.Join(data, "jwt.secret"), secret)
	line := regexp.MustCompile(`(?m)^(\S+) +(HS256|EdDSA) +(signs|verifies) +(\S+) +(\S+) +data folder$`)
	var kids []string
	for _, step := range []struct {
		args string
		want []string // algorithm and use of each key afterwards
	}{
		{"list", []string{"HS256 signs"}},
		{"rotate", []string{"HS256 signs", "HS256 verifies"}},
		{"rotate --algorithm EdDSA", []string{"EdDSA signs", "HS256 verifies", "HS256 verifies"}},
	} {
		if r := execute(t, nil, nil, append(append([]string{"keys"}, strings.Fields(step.args)...), "--data", data)...); r.code != exitOK {
			t.Fatalf("%s: exit %d, %s", step.args, r.code, r.err)
		}
		r := execute(t, nil, nil, "keys", "list", "--data", data)
		var got []string
		kids = nil
		for _, m := range line.FindAllStringSubmatch(r.out, -1) {
			kids, got = append(kids, m[1]), append(got, m[2]+" "+m[3])
		}
		if r.code != exitOK || strings.Join(got, ", ") != strings.Join(step.want, ", ") {
			t.Fatalf("after %s: exit %d\n%s%s", step.args, r.code, r.out, r.err)
		}
		if strings.Contains(r.out, secret) {
			t.Error("the secret is shown")
		}
	}
	if r := execute(t, nil, nil, "keys", "remove", "--data", data, kids[2]); r.code != exitOK || !strings.Contains(r.out, "removed "+kids[2]) {
		t.Errorf("remove: exit %d, %s%s", r.code, r.out, r.err)
	}
	if r := execute(t, nil, nil, "keys", "list", "--data", data); strings.Contains(r.out, kids[2]) || !strings.Contains(r.out, kids[1]) {
		t.Errorf("after remove:\n%s", r.out)
	}
}

// TestKeysThatCannotBe: errors say what to do instead.
func TestKeysThatCannotBe(t *testing.T) {
	empty, damaged := t.TempDir(), t.TempDir()
	write(t, filepath.Join(damaged, "signing-keys.json"), "{")
	configured := []string{"SLUICE_SECURITY_AUTH_TOKEN_SECRET=a secret of more than thirty-two bytes"}
	for _, test := range []struct {
		args string
		env  []string
		code int
		says string
	}{
		{"rotate --data " + empty, nil, exitError, "--data"},
		{"rotate --algorithm RS512 --data " + empty, nil, exitError, "no keys"},
		{"rotate --data " + empty, configured, exitError, "retiredSecrets"},
		{"list --data " + damaged, nil, exitError, "backup"},
		{"rotate --data " + damaged, nil, exitError, "backup"},
		{"remove --data " + empty + " abc", nil, exitError, "sluice keys list"},
		{"remove", nil, exitUsage, "--help"},
		{"list --config no-such-file", nil, exitError, "no-such-file"},
		{"", nil, exitUsage, "which command of keys"},
	} {
		r := execute(t, test.env, nil, append([]string{"keys"}, strings.Fields(test.args)...)...)
		if r.code != test.code || !strings.Contains(r.err, test.says) || r.out != "" || strings.Contains(r.err, "more than thirty-two") {
			t.Errorf("%s: exit %d, %q, %q", test.args, r.code, r.out, r.err)
		}
	}
	if r := execute(t, nil, nil, "keys", "list", "--data", empty); r.code != exitOK || !strings.Contains(r.out, "There are no keys") {
		t.Errorf("list: exit %d, %q, %q", r.code, r.out, r.err)
	}
	if r := execute(t, configured, nil, "keys", "list", "--data", empty); r.code != exitOK || !strings.Contains(r.out, "settings") || strings.Contains(r.out, "thirty") {
		t.Errorf("list: exit %d, %q, %q", r.code, r.out, r.err)
	}
	if entries, err := os.ReadDir(empty); err != nil || len(entries) != 0 {
		t.Errorf("left %v, %v", entries, err)
	}
}
