package main

import (
	"context"
	_ "embed" // the demonstration's fixture
	"fmt"
	"os"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/plugins/sdk/sealed"
)

//go:embed demo.json
var demoFixture []byte

// fixture is what a demonstration begins with. All of it is in the open: it belongs on no system with real users.
type fixture struct {
	// KeyRing opens APIKeys, beside the plugin's own ring.
	KeyRing string   `json:"keyRing"`
	APIKeys []string `json:"apiKeys"`
	Users   []struct {
		AuraID          string `json:"auraId"`
		UserID          string `json:"userId"`
		AuthorizationID string `json:"authorizationId"`
		ChannelID       string `json:"channelId"`
		PhoneNumber     string `json:"phoneNumber"`
	} `json:"users"`
}

// loadFixture makes what is not there yet, and leaves the rest as it is.
func (p *plugin) loadFixture(ctx context.Context) error {
	if p.settings.Fixture == "" {
		return nil
	}
	f, err := readFixture(p.settings.Fixture)
	if err != nil {
		return err
	}
	p.host.Logger().WarnContext(ctx, "DEMONSTRATION DATA: whoever has read the fixture knows its API keys; never in production", "fixture", p.settings.Fixture)
	if f.KeyRing != "" {
		if p.keys.demo, err = sealed.Parse(f.KeyRing); err != nil {
			return fmt.Errorf("fixture: %w", err)
		}
	}
	for i, text := range f.APIKeys {
		key, ok := p.openKey(text)
		if !ok {
			return fmt.Errorf("fixture: API key %d is not one of the environment %q, or of another key ring", i+1, p.settings.Environment)
		}
		if _, err := (documents[keyRow]{p.apiKeys}).create(ctx, key.KID, new(rowOf(key))); err != nil {
			return fmt.Errorf("fixture: API key %d: %w", i+1, err)
		}
	}
	for i, u := range f.Users {
		wanted := newUser{userID: u.UserID, authorizationID: u.AuthorizationID, auraID: u.AuraID, external: u.UserID == ""}
		if wanted.channelID, err = asUUID("channelId", u.ChannelID); err != nil {
			return fmt.Errorf("fixture: user %d: %w", i+1, err)
		}
		if u.PhoneNumber != "" {
			if wanted.phoneNumber, err = asPhone("phoneNumber", u.PhoneNumber); err != nil {
				return fmt.Errorf("fixture: user %d: %w", i+1, err)
			}
		}
		if _, err := p.registry.register(ctx, wanted); err != nil {
			return fmt.Errorf("fixture: user %d: %w", i+1, err)
		}
	}
	return nil
}

func readFixture(name string) (fixture, error) {
	content := demoFixture
	if name != "demo" {
		var err error
		if content, err = os.ReadFile(name); err != nil { //nolint:gosec // the operator names it
			return fixture{}, fmt.Errorf("fixture: %w", err)
		}
	}
	var f fixture
	if err := json.Unmarshal(content, &f, json.RejectUnknownMembers(true)); err != nil {
		return f, fmt.Errorf("fixture: %w", err)
	}
	return f, nil
}
