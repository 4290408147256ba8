package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"

	"github.com/go-json-experiment/json"
)

// demo is the fixture of this name: an instance with a user and a device.
//
//go:embed demo.json
var demo []byte

// fixture are instances and users that are made at the start unless they exist. Members are those of the admin actions.
type fixture struct {
	Instances []newInstance `json:"instances"`
	Users     []struct {
		newUser
		Devices []newDevice `json:"devices"`
	} `json:"users"`
}

func (p *plugin) loadFixture(ctx context.Context, name string) error {
	text := demo
	switch name {
	case "":
		return nil
	case "demo":
		p.host.Logger().WarnContext(ctx, "DEMONSTRATION DATA: everybody knows the password of the demo's user; never in production")
	default:
		var err error
		if text, err = os.ReadFile(name); err != nil { //nolint:gosec // the operator names the file
			return fmt.Errorf("read the fixture: %w", err)
		}
	}
	var f fixture
	if err := json.Unmarshal(text, &f, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("read the fixture: %s", unquoted(err))
	}
	for _, i := range f.Instances {
		if _, err := p.createInstance(ctx, &i); err != nil && !errors.Is(err, errExists) {
			return fmt.Errorf("make instance %d of the fixture: %w", i.ID, err)
		}
	}
	for n, u := range f.Users {
		if err := p.loadUser(ctx, &u.newUser, u.Devices); err != nil {
			return fmt.Errorf("make user %d of the fixture: %w", n+1, err)
		}
	}
	return nil
}

func (p *plugin) loadUser(ctx context.Context, u *newUser, owned []newDevice) error {
	id := p.ids.user(u.InstanceID, normalUserName(u.UserName))
	known, err := read[user](ctx, p.host.Store(users), id)
	if err != nil {
		return err
	}
	if !known.Found { // or a hash would be computed at each start
		if _, err := p.createUser(ctx, u); err != nil && !errors.Is(err, errExists) {
			return err
		}
	}
	for _, d := range owned {
		d.UserID = id
		if _, err := p.registerTrustedDevice(ctx, &d); err != nil {
			return err
		}
	}
	return nil
}

// unquoted says where a file is wrong, without what stands there.
func unquoted(err error) string {
	var wrong *json.SemanticError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("look at %q.", wrong.JSONPointer)
	}
	return "it is no JSON object."
}
