package main

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

const (
	minKeyBits        = 2048
	assertionLifetime = 300 * time.Second
)

// signer makes assertions of who a user is (RFC 7523), which the fourth platform changes for an access token.
type signer struct {
	// key is nil while there is none that is good.
	key      atomic.Pointer[signingKey]
	settings fourthPlatformSettings
}

type signingKey struct {
	private *rsa.PrivateKey
	id      string
}

var errNoKey = errors.New("there is no private key for assertions")

// load takes a new key in PEM; nil, or one that is not good, leaves none.
func (s *signer) load(pem []byte) error {
	key, err := readSigningKey(pem)
	s.key.Store(key)
	return err
}

func readSigningKey(pem []byte) (*signingKey, error) {
	if pem == nil {
		return nil, nil
	}
	private, err := jwt.ParseRSAPrivateKeyFromPEM(pem)
	if err != nil { // whose text may quote the file
		return nil, errors.New("it is no RSA key in PEM")
	}
	if private.N.BitLen() < minKeyBits {
		return nil, fmt.Errorf("it has %d bits, and needs %d", private.N.BitLen(), minKeyBits)
	}
	if err := private.Validate(); err != nil {
		return nil, errors.New("it is damaged")
	}
	return &signingKey{private, thumbprint(&private.PublicKey)}, nil
}

// sign makes an assertion of a user of the fourth platform, who has the unique id at GVP.
func (s *signer) sign(subject, uniqueID string, now time.Time) (string, error) {
	key := s.key.Load()
	if key == nil {
		return "", errNoKey
	}
	claims := jwt.MapClaims{
		"iss": s.settings.issuer(), "sub": subject, "aud": s.settings.AuthURL, "jti": uuid.NewString(),
		"iat": now.Unix(), "exp": now.Add(assertionLifetime).Unix(),
	}
	for name, value := range map[string]string{"scope": s.settings.Scope, "purpose": s.settings.Purpose, "acr": s.settings.ACR} {
		if value != "" {
			claims[name] = value
		}
	}
	if t := s.settings.IdentifierType; t != "" {
		claims["authentication_context"] = []map[string]string{{"identifier": uniqueID, "type": t}}
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = key.id
	return token.SignedString(key.private)
}

// thumbprint names a key by RFC 7638.
func thumbprint(key *rsa.PublicKey) string {
	b64 := base64.RawURLEncoding.EncodeToString
	text := fmt.Sprintf(`{"e":"%s","kty":"RSA","n":"%s"}`, b64(big.NewInt(int64(key.E)).Bytes()), b64(key.N.Bytes()))
	sum := sha256.Sum256([]byte(text))
	return b64(sum[:])
}
