package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// withNode runs f against a node on a data folder.
func withNode(t *testing.T, data string, f func(*testing.T, *nodetest.Node)) {
	t.Helper()
	t.Run("node", func(t *testing.T) {
		f(t, nodetest.Start(t, nodetest.Options{Configure: func(c *config.Config) { c.Server.DataDir = data }}))
	})
}

// TestAdminCreate: the way back when the last administrator is gone, his password lost or the role admin spoilt.
func TestAdminCreate(t *testing.T) {
	folder := t.TempDir()
	data := filepath.Join(folder, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	password := write(t, filepath.Join(folder, "password"), "first-Secret-1\n")
	create := func(args ...string) result {
		return execute(t, nil, nil, append([]string{"admin", "create", "--data", data, "--password-file", password}, args...)...)
	}
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"root", "--reset"}, "leave out --reset"},
		{[]string{"root", "--data", filepath.Join(folder, "none")}, "name it with --data"},
		{[]string{"root", "--password-file", filepath.Join(folder, "none")}, "read the password"},
		{[]string{"root", "--password-file", os.DevNull}, "password is empty"},
	} {
		if r := create(test.args...); r.code != exitError || !strings.Contains(r.err, test.says) || r.out != "" {
			t.Errorf("%v: %+v", test.args, r)
		}
	}
	if r := create("root"); r.code != exitOK || !strings.Contains(r.out, `made the user "root"`) {
		t.Fatalf("%+v", r)
	}
	if r := create("root"); r.code != exitError || !strings.Contains(r.err, "--reset") {
		t.Errorf("twice: %+v", r)
	}
	var session string
	withNode(t, data, func(t *testing.T, n *nodetest.Node) {
		session = n.Login("root", "first-Secret-1", "")
		bearer := "Authorization: Bearer " + session
		n.Must("PUT", "/profiles/admin", `{"policies":[{"roleId":"anonymous"}]}`, bearer)
		if r := create("root", "--reset"); r.code != exitError || !strings.Contains(r.err, "stop it first") {
			t.Errorf("while a node runs: %+v", r)
		}
	})
	write(t, password, "second-Secret-2")
	if r := create("root", "--reset"); r.code != exitError || !strings.Contains(r.err, "--standard") {
		t.Errorf("with a spoilt profile: %+v", r)
	}
	if r := create("root", "--reset", "--standard"); r.code != exitOK || strings.Contains(r.out+r.err, "Secret") {
		t.Fatalf("%+v", r)
	}
	withNode(t, data, func(t *testing.T, n *nodetest.Node) {
		if a := n.HTTP("GET", "/_me", "", "Authorization: Bearer "+session); a.Status != 401 {
			t.Errorf("the session from before: %s", a.Body)
		}
		bearer := "Authorization: Bearer " + n.Login("root", "second-Secret-2", "")
		n.Must("PUT", "/roles/editor", `{"controllers":{"document":{"actions":{"*":true}}}}`, bearer)
	})
}
