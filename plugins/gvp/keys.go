package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/sealed"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The secrets of the plugin. The first two are made at the first start, and kept with the data, when they are not set.
const (
	secretKeyRing      = "keyRing"
	secretIdentifiers  = "identifierKey" //nolint:gosec // a name
	secret4PClient     = "fourthPlatformClientSecret"
	secretAuraKeys     = "auraApiKeys"
	secretAuraInternal = "auraInternalKey"
	secretAuraKernel   = "auraKernelKey"
	secretDirectLine   = "directLineSecret"
)

func secrets() []sdk.Secret {
	return []sdk.Secret{
		{Name: secretKeyRing, Description: `Keys of the tokens, "1:<32 bytes in hex or base64>", the active one first. Made at the first start when not set.`},
		{Name: secretIdentifiers, Description: "Key of the HMACs that name users and devices, 32 bytes in hex or base64; it never changes. Made at the first start when not set."},
		{Name: secret4PClient, Description: "Client secret at the fourth platform's authorization server."},
		{Name: secretAuraKeys, Description: `API keys for Aura's /token/wss, a JSON object by device type code; "*" is for the others.`},
		{Name: secretAuraInternal, Description: "API key for auraId.validate."},
		{Name: secretAuraKernel, Description: `API key for /users/aura-id when auraId.auth is "apikey".`},
		{Name: secretDirectLine, Description: `Secret of Direct Line when auraToken.mode is "directline".`},
	}
}

// readKeys gives the key ring of the tokens, and the key of the ids.
func readKeys(ctx context.Context, host *sdk.Host) (*sealed.Ring, ids, error) {
	text, err := secretOrStored(ctx, host, secretKeyRing, func() string { return "1:" + randomHex(sealed.KeyBytes) })
	if err != nil {
		return nil, ids{}, err
	}
	ring, err := sealed.Parse(text)
	if err != nil {
		return nil, ids{}, err
	}
	text, err = secretOrStored(ctx, host, secretIdentifiers, func() string { return randomHex(sealed.KeyBytes) })
	if err != nil {
		return nil, ids{}, err
	}
	key, err := sealed.Secret(text)
	if err != nil {
		return nil, ids{}, fmt.Errorf("secret %s: %w", secretIdentifiers, err)
	}
	return ring, ids{key[:]}, nil
}

// secretOrStored gives a secret of the operator's, else the one that is kept with the data, made when there is none.
func secretOrStored(ctx context.Context, host *sdk.Host, name string, generate func() string) (string, error) {
	if text := host.Secret(name); text != "" {
		return text, nil
	}
	type stored struct {
		Text string `json:"text"`
	}
	store := host.Store(keyStore)
	kept, err := read[stored](ctx, store, name)
	if err != nil || kept.Found {
		return kept.Value.Text, err
	}
	host.Logger().WarnContext(ctx, "secret is not set; one was made and is kept with the data", "secret", name)
	fresh := stored{generate()}
	_, err = store.Create(ctx, name, fresh)
	if errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists) { // another node was faster
		kept, err = read[stored](ctx, store, name)
		return kept.Value.Text, err
	}
	return fresh.Text, err
}

// readAuraKeys gives the API keys by device type.
func readAuraKeys(text string) (map[string]string, error) {
	var keys map[string]string
	if text == "" {
		return keys, nil
	}
	if err := json.Unmarshal([]byte(text), &keys); err != nil {
		return nil, fmt.Errorf(`secret %s: want a JSON object such as {"8601":"key","*":"key"}`, secretAuraKeys)
	}
	return keys, nil
}

func randomHex(size int) string {
	b := make([]byte, size)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b)
}
