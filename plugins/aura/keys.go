package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/sealed"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// keys are the plugin's own.
type keys struct {
	ring *sealed.Ring
	// demo opens what a demonstration's fixture brings; nil without one.
	demo  *sealed.Ring
	index [sealed.KeyBytes]byte
	// bot holds the bot's keys: the current one first, which can sign.
	bot []botKey
}

// loadKeys takes what the operator has set. What he has not, one plugin of the cluster makes and all keep in the store.
func loadKeys(ctx context.Context, host *sdk.Host) (keys, error) {
	store := host.Store(keysCollection)
	ring, err := secretOr(ctx, host, store, "keyRing", "1:")
	if err != nil {
		return keys{}, err
	}
	index, err := secretOr(ctx, host, store, "indexKey", "")
	if err != nil {
		return keys{}, err
	}
	var k keys
	if k.ring, err = sealed.Parse(ring); err != nil {
		return keys{}, fmt.Errorf("the secret keyRing: %w", err)
	}
	if k.index, err = sealed.Secret(index); err != nil {
		return keys{}, fmt.Errorf("the secret indexKey: %w", err)
	}
	k.bot, err = parseBotKeys(host.Secret("botKey"), host.Secret("botKeyNext"), host.Secret("botKeyPrevious"))
	return k, err
}

type keptSecret struct {
	Secret string `json:"secret"`
}

// secretOr gives a secret, or the one that is kept in the store under its name.
func secretOr(ctx context.Context, host *sdk.Host, store sdk.Store, name, prefix string) (string, error) {
	if secret := host.Secret(name); secret != "" {
		return secret, nil
	}
	fresh := make([]byte, sealed.KeyBytes)
	_, _ = rand.Read(fresh) // never fails: crypto/rand ends the process instead
	made := keptSecret{prefix + hex.EncodeToString(fresh)}
	_, err := store.Create(ctx, name, made)
	if err == nil {
		host.Logger().WarnContext(ctx, "a secret is not set: one was made and is kept in the plugin's storage", "secret", name)
		return made.Secret, nil
	}
	if !errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists) {
		return "", fmt.Errorf("keep the secret %s: %w", name, err)
	}
	doc, err := store.Get(ctx, name)
	if err != nil {
		return "", fmt.Errorf("read the secret %s: %w", name, err)
	}
	var kept keptSecret
	return kept.Secret, json.Unmarshal(doc.Source, &kept)
}

func (k *keys) open(purpose, text string) ([]byte, error) {
	b, err := k.ring.Open(purpose, text)
	if err != nil && k.demo != nil {
		return k.demo.Open(purpose, text)
	}
	return b, err
}

func (k *keys) openBytes(purpose string, text []byte) ([]byte, error) {
	b, err := k.ring.OpenBytes(purpose, text)
	if err != nil && k.demo != nil {
		return k.demo.OpenBytes(purpose, text)
	}
	return b, err
}

// hmac names something that identifies people, for documents and logs: nobody without the key can try values.
func (k *keys) hmac(kind string, parts ...string) string {
	h := hmac.New(sha256.New, k.index[:])
	for _, part := range append([]string{kind}, parts...) {
		h.Write(strconv.AppendInt(nil, int64(len(part)), 10))
		h.Write([]byte{':'})
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

const phonePurpose = "aura-phone"

func (k *keys) phoneHMAC(phone string) string {
	if phone == "" {
		return ""
	}
	return k.hmac("phone", phone)
}

func (k *keys) sealPhone(phone string) string {
	if phone == "" {
		return ""
	}
	return k.ring.Seal(phonePurpose, []byte(phone))
}

func (k *keys) openPhone(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	b, err := k.ring.Open(phonePurpose, text)
	return string(b), err
}
