package auth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"
)

// maxKeyIDBytes bounds the kid that is looked up; ours have 32 or 43.
const maxKeyIDBytes = 64

// keys are the keys in force: one signs, all verify. They never change; another set takes their place.
type keys struct {
	signing key
	byID    map[string]key
	// unnamed are those that may have signed tokens without a kid, as they were before keys could be rotated.
	unnamed []key
	// public is the JSON Web Key Set of the asymmetric ones.
	public []byte
	parser *jwt.Parser
}

// newKeys joins the keys of the settings and those of the data folder. signing is the zero key when the latter sign.
func newKeys(signing key, retired []key, r ring) (*keys, error) {
	k := &keys{
		signing: signing, byID: map[string]key{},
		// Times are left to the store, which knows better.
		parser: jwt.NewParser(jwt.WithValidMethods(algorithms), jwt.WithoutClaimsValidation()),
	}
	if signing.id == "" {
		current := r.current()
		if current == nil {
			return nil, errors.New("none of the keys signs tokens")
		}
		k.signing = current.key
	} else {
		k.unnamed = append(k.unnamed, signing)
	}
	k.unnamed = append(k.unnamed, retired...)
	all := append([]key{k.signing}, retired...)
	for _, entry := range r {
		all = append(all, entry.key)
		if entry.unnamed {
			k.unnamed = append(k.unnamed, entry.key)
		}
	}
	public := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, one := range all {
		if _, twice := k.byID[one.id]; twice {
			continue
		}
		k.byID[one.id] = one
		if one.asymmetric() {
			public.Keys = append(public.Keys, jose.JSONWebKey{Key: one.public, KeyID: one.id, Algorithm: one.algorithm(), Use: "sig"})
		}
	}
	var err error
	if k.public, err = json.Marshal(public); err != nil {
		return nil, fmt.Errorf("write the set of public keys: %w", err)
	}
	return k, nil
}

// sign makes a bare JWT.
func (k *keys) sign(p payload) (string, error) {
	t := jwt.NewWithClaims(k.signing.method, p)
	t.Header["kid"] = k.signing.id
	return t.SignedString(k.signing.private)
}

var (
	errNoUser     = errors.New("the token names no user")
	errHeader     = errors.New("the header of the token holds what none of ours does")
	errUnknownKey = errors.New("the token is signed with no key in force")
)

// parse checks the signature of a token or API key as it was issued, and gives what it says.
func (k *keys) parse(text string) (payload, error) {
	_, bare, _ := strings.Cut(text, "-")
	var claims payload
	if _, err := k.parser.ParseWithClaims(bare, &claims, k.find); err != nil {
		return payload{}, err
	}
	if claims.KUID == "" {
		return payload{}, errNoUser
	}
	return claims, nil
}

// find gives the key of a token. All that the token has a say in is which of the keys in force it is; a header that would
// bring a key along (jwk, jku, x5u), or anything else that we never write, ends it.
func (k *keys) find(t *jwt.Token) (any, error) {
	for name := range t.Header {
		if name != "alg" && name != "typ" && name != "kid" {
			return nil, errHeader
		}
	}
	named, ok := t.Header["kid"]
	if !ok {
		return k.findUnnamed(t.Method)
	}
	id, ok := named.(string)
	if !ok || len(id) > maxKeyIDBytes {
		return nil, errUnknownKey
	}
	one, ok := k.byID[id]
	if !ok || one.method != t.Method {
		return nil, errUnknownKey
	}
	return one.public, nil
}

// findUnnamed gives the keys that a token without kid may be signed with.
func (k *keys) findUnnamed(method jwt.SigningMethod) (any, error) {
	var set jwt.VerificationKeySet
	for _, one := range k.unnamed {
		if one.method == method {
			set.Keys = append(set.Keys, one.public)
		}
	}
	if len(set.Keys) == 0 {
		return nil, errUnknownKey
	}
	return set, nil
}
