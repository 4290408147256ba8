package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/go-json-experiment/json"
)

// demoFixture is what the setting fixture calls demo.
//
//go:embed demo.json
var demoFixture []byte

// fixture is a file of users and devices for demonstrations.
type fixture struct {
	Users   []newUser   `json:"users"`
	Devices []newDevice `json:"devices"`
}

// loadFixture makes what the fixture names and is not there. What is there stays as it is, so that it may be loaded at every
// start.
func (p *plugin) loadFixture(ctx context.Context) error {
	name := p.settings.Fixture
	if name == "" {
		return nil
	}
	p.host.Logger().WarnContext(ctx, "DEMONSTRATION DATA: whoever has read the fixture knows its passwords; never in production", "fixture", name)
	text := demoFixture
	if name != "demo" {
		var err error
		if text, err = os.ReadFile(name); err != nil { //nolint:gosec // the operator names the file
			return fmt.Errorf("read the fixture: %w", err)
		}
	}
	var f fixture
	if err := json.Unmarshal(text, &f, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("the fixture %s is malformed", name) // the error would quote it
	}
	made := 0
	for i, u := range f.Users {
		switch _, err := p.addUser(ctx, u); {
		case err == nil:
			made++
		case !errors.Is(err, errNameTaken):
			return fmt.Errorf("user %d of the fixture %s: %w", i+1, name, err)
		}
	}
	for i, d := range f.Devices {
		switch err := p.addFixtureDevice(ctx, d); {
		case err == nil:
			made++
		case !errors.Is(err, errDeviceTaken):
			return fmt.Errorf("device %d of the fixture %s: %w", i+1, name, err)
		}
	}
	p.host.Logger().LogAttrs(ctx, slog.LevelInfo, "fixture loaded", slog.Int("made", made), slog.Int("users", len(f.Users)), slog.Int("devices", len(f.Devices)))
	return nil
}

// addFixtureDevice finds the user by name.
func (p *plugin) addFixtureDevice(ctx context.Context, d newDevice) error {
	if d.AFiUserID == "" {
		var l login
		if _, err := read(ctx, p.names, nameKey(d.UserName), &l); err != nil {
			return errors.Join(errNoUser, err)
		}
		d.AFiUserID = l.AFiUserID
	}
	_, err := p.addDevice(ctx, d)
	return err
}
