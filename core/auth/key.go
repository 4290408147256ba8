package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// minSecretBytes is the size of a digest of HS256; a shorter key is easier to guess than the signature.
	minSecretBytes = 32
	minRSABits     = 2048
)

// key signs and verifies with the one algorithm of the configuration.
type key struct {
	method  jwt.SigningMethod
	private any // what method.Sign wants
	public  any // what method.Verify wants
}

// loadKey gets the key that o names. Its errors are for operators.
func loadKey(o Options) (key, error) {
	switch o.Algorithm {
	case "", "HS256":
		return loadSecret(o)
	case "EdDSA", "ES256", "RS256":
		k, err := loadPrivateKey(o.Algorithm, o.PrivateKeyFile)
		if err != nil {
			return key{}, fmt.Errorf("load the key for %s tokens: %w", o.Algorithm, err)
		}
		return k, nil
	default:
		return key{}, fmt.Errorf("tokens cannot be signed with %q: use HS256, EdDSA, ES256 or RS256", o.Algorithm)
	}
}

// CheckKey reports what Open would say of the key, without making one.
func CheckKey(o Options) error {
	if (o.Algorithm == "" || o.Algorithm == "HS256") && o.Secret == "" {
		if _, err := os.Stat(o.SecretFile); errors.Is(err, fs.ErrNotExist) {
			return nil // Open makes it
		}
	}
	_, err := loadKey(o)
	return err
}

func loadSecret(o Options) (key, error) {
	secret := []byte(o.Secret)
	if len(secret) == 0 {
		var err error
		if secret, err = secretFromFile(o.SecretFile); err != nil {
			return key{}, err
		}
	}
	if len(secret) < minSecretBytes {
		return key{}, fmt.Errorf("the secret of HS256 tokens has %d bytes: use at least %d random ones", len(secret), minSecretBytes)
	}
	return key{jwt.SigningMethodHS256, secret, secret}, nil
}

func loadPrivateKey(algorithm, file string) (key, error) {
	if file == "" {
		return key{}, errors.New("no private key file is configured")
	}
	text, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return key{}, err
	}
	private, err := parsePEM(text)
	if err != nil {
		return key{}, fmt.Errorf("%s: %w", file, err)
	}
	switch k := private.(type) {
	case ed25519.PrivateKey:
		if algorithm == "EdDSA" {
			return key{jwt.SigningMethodEdDSA, k, k.Public()}, nil
		}
	case *ecdsa.PrivateKey:
		if algorithm == "ES256" && k.Curve == elliptic.P256() {
			return key{jwt.SigningMethodES256, k, &k.PublicKey}, nil
		}
	case *rsa.PrivateKey:
		if bits := k.N.BitLen(); algorithm == "RS256" && bits < minRSABits {
			return key{}, fmt.Errorf("%s: an RSA key of %d bits is too short, use at least %d", file, bits, minRSABits)
		}
		if algorithm == "RS256" {
			return key{jwt.SigningMethodRS256, k, &k.PublicKey}, nil
		}
	}
	return key{}, fmt.Errorf("%s holds no private key for %s", file, algorithm)
}

// parsePEM reads the first block, in any of the forms that private keys come in.
func parsePEM(text []byte) (crypto.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("not a PEM file")
	}
	switch block.Type {
	case "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("the PEM file holds a %q, not a private key", block.Type)
	}
}
