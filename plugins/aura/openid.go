package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// botKey is one of the bot's. private is nil when only the public part is known, and never leaves the process.
type botKey struct {
	kid     string
	public  *rsa.PublicKey
	private *rsa.PrivateKey
}

const minKeyBits = 2048

// parseBotKeys reads the current key and those around it, each in PEM or "". The current one comes first; without it there
// are none.
func parseBotKeys(current, next, previous string) ([]botKey, error) {
	var keys []botKey
	for _, x := range []struct{ name, text string }{{"botKey", current}, {"botKeyNext", next}, {"botKeyPrevious", previous}} {
		if x.text == "" {
			if x.name == "botKey" && (next != "" || previous != "") {
				return nil, fmt.Errorf("the secret botKey is missing beside botKeyNext and botKeyPrevious")
			}
			continue
		}
		k, err := parseBotKey(x.text)
		if err != nil {
			return nil, fmt.Errorf("the secret %s: %w", x.name, err)
		}
		if x.name == "botKey" && k.private == nil {
			return nil, fmt.Errorf("the secret botKey is no private key")
		}
		if !slices.ContainsFunc(keys, func(other botKey) bool { return other.kid == k.kid }) {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

func parseBotKey(text string) (botKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return botKey{}, fmt.Errorf("it is not in PEM")
	}
	var k botKey
	switch block.Type {
	case "RSA PRIVATE KEY":
		k.private, _ = x509.ParsePKCS1PrivateKey(block.Bytes) // nil is told below: the error may show the key
	case "PRIVATE KEY":
		key, _ := x509.ParsePKCS8PrivateKey(block.Bytes)
		k.private, _ = key.(*rsa.PrivateKey)
	case "RSA PUBLIC KEY":
		k.public, _ = x509.ParsePKCS1PublicKey(block.Bytes)
	case "PUBLIC KEY":
		key, _ := x509.ParsePKIXPublicKey(block.Bytes)
		k.public, _ = key.(*rsa.PublicKey)
	}
	if k.private != nil {
		k.public = &k.private.PublicKey
	}
	if k.public == nil || k.public.N.BitLen() < minKeyBits {
		return botKey{}, fmt.Errorf("it is no RSA key of %d bits or more", minKeyBits)
	}
	thumbprint, err := (&jose.JSONWebKey{Key: k.public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return botKey{}, err
	}
	k.kid = base64.RawURLEncoding.EncodeToString(thumbprint)
	return k, nil
}

// openIDDocument is what RFC 8414 and OpenID Connect Discovery ask for, of an issuer whom nobody can log in at.
type openIDDocument struct {
	Issuer                string   `json:"issuer"`
	JWKSURI               string   `json:"jwks_uri"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	ResponseTypes         []string `json:"response_types_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	SigningAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	TokenEndpointMethods  []string `json:"token_endpoint_auth_methods_supported"`
}

// openIDConfiguration answers where the bot's public keys are.
func (p *plugin) openIDConfiguration(_ context.Context, c *call) (any, error) {
	c.Reply.SetHeader("Cache-Control", cacheKeys)
	return openIDDocument{
		Issuer: p.settings.url("/openid/issuer"), JWKSURI: p.settings.url("/openid/jwk"),
		AuthorizationEndpoint: "https://invalid.aura.invalid/authorize", // nobody can log in here
		ResponseTypes:         []string{"id_token"}, SubjectTypes: []string{"public"}, SigningAlgorithms: []string{"RS256"},
		TokenEndpointMethods: []string{"private_key_jwt"},
	}, nil
}

// cacheKeys is how long others may rely on the keys they have. Two keys overlap for longer when one follows the other.
const cacheKeys = "public, max-age=300"

type publicKey struct {
	Type      string `json:"kty"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	ID        string `json:"kid"`
	N         string `json:"n"`
	E         string `json:"e"`
}

type keySet struct {
	Keys []publicKey `json:"keys"`
}

// jwk answers the public keys: the next one, the current one and the previous one.
func (p *plugin) jwk(_ context.Context, c *call) (any, error) {
	c.Reply.SetHeader("Cache-Control", cacheKeys)
	set := keySet{make([]publicKey, 0, len(p.keys.bot))}
	for _, k := range p.keys.bot {
		set.Keys = append(set.Keys, publicKey{
			"RSA", "sig", "RS256", k.kid,
			base64.RawURLEncoding.EncodeToString(k.public.N.Bytes()),
			base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.public.E)).Bytes()),
		})
	}
	return set, nil
}
