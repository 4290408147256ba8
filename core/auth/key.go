package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

const (
	// minSecretBytes is the size of a digest of HS256; a shorter key is easier to guess than the signature.
	minSecretBytes = 32
	// secretBytes is how much randomness a generated secret holds.
	secretBytes = 64
	minRSABits  = 2048
	// madeRSABits is the size of RSA keys that are made here: they may sign for years.
	madeRSABits = 3072
)

// algorithms are those that tokens may be signed with.
var algorithms = []string{"HS256", "EdDSA", "ES256", "RS256"}

// key signs and verifies with one algorithm, which is the key's own: what a token says of it is only compared. The zero value
// is no key.
type key struct {
	// id is the kid of its tokens. It depends on nothing but the key.
	id      string
	method  jwt.SigningMethod
	private any // what method.Sign wants; nil for a key that only verifies
	public  any // what method.Verify wants
}

func (k key) algorithm() string { return k.method.Alg() }

func (k key) asymmetric() bool { return k.method != jwt.SigningMethodHS256 }

// secretKey makes the key of HS256. Its id gives away no more of the secret than a signature does: it is one, of a text that no
// token can be.
func secretKey(secret []byte) (key, error) {
	if len(secret) < minSecretBytes {
		return key{}, fmt.Errorf("the secret of HS256 tokens has %d bytes: use at least %d random ones", len(secret), minSecretBytes)
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("sluice: the id of this key"))
	return key{hex.EncodeToString(mac.Sum(nil)[:16]), jwt.SigningMethodHS256, secret, secret}, nil
}

// pairKey makes a key of a private or public one, with the thumbprint of RFC 7638 as its id.
func pairKey(k any) (key, error) {
	private, public := k, k
	if signer, ok := k.(crypto.Signer); ok {
		public = signer.Public()
	} else {
		private = nil
	}
	method, err := methodOf(public)
	if err != nil {
		return key{}, err
	}
	thumbprint, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return key{}, err
	}
	return key{base64.RawURLEncoding.EncodeToString(thumbprint), method, private, public}, nil
}

// methodOf says what a key is for: every kind has one algorithm.
func methodOf(public crypto.PublicKey) (jwt.SigningMethod, error) {
	switch p := public.(type) {
	case ed25519.PublicKey:
		return jwt.SigningMethodEdDSA, nil
	case *ecdsa.PublicKey:
		if p.Curve == elliptic.P256() {
			return jwt.SigningMethodES256, nil
		}
	case *rsa.PublicKey:
		if bits := p.N.BitLen(); bits < minRSABits {
			return nil, fmt.Errorf("an RSA key of %d bits is too short, use at least %d", bits, minRSABits)
		}
		return jwt.SigningMethodRS256, nil
	}
	return nil, errors.New("it is a key of another kind: use one for EdDSA (Ed25519), ES256 (P-256) or RS256 (RSA)")
}

// makeKey makes a key of random numbers. Its id does not begin with a dash, which would make a flag of it on a command line.
func makeKey(algorithm string) (key, error) {
	for {
		k, err := randomKey(algorithm)
		if err != nil || !strings.HasPrefix(k.id, "-") {
			return k, err
		}
	}
}

func randomKey(algorithm string) (key, error) {
	var private any
	var err error
	switch algorithm {
	case "HS256":
		random := make([]byte, secretBytes)
		_, _ = rand.Read(random) // never fails: the runtime ends the process instead
		return secretKey([]byte(hex.EncodeToString(random)))
	case "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256":
		private, err = rsa.GenerateKey(rand.Reader, madeRSABits)
	default:
		return key{}, unknownAlgorithm(algorithm)
	}
	if err != nil {
		return key{}, fmt.Errorf("make a key for %s: %w", algorithm, err)
	}
	return pairKey(private)
}

func unknownAlgorithm(algorithm string) error {
	return fmt.Errorf("tokens cannot be signed with %q: use HS256, EdDSA, ES256 or RS256", algorithm)
}

// keyFromFile reads a private or public key from a PEM file.
func keyFromFile(file string) (key, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return key{}, err
	}
	parsed, err := parsePEM(text)
	if err != nil {
		return key{}, fmt.Errorf("%s: %w", file, err)
	}
	k, err := pairKey(parsed)
	if err != nil {
		return key{}, fmt.Errorf("%s: %w", file, err)
	}
	return k, nil
}

// parsePEM reads the first block, in any of the forms that keys come in.
func parsePEM(text []byte) (any, error) {
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
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	default:
		return nil, fmt.Errorf("the PEM file holds a %q, not a key", block.Type)
	}
}
