package config

import "time"

// Security is the section security.
type Security struct {
	AuthToken    AuthToken    `config:"authToken" doc:"How tokens are made and checked."`
	APIKey       APIKey       `config:"apiKey" doc:"How long API keys live."`
	PasswordHash PasswordHash `config:"passwordHash" doc:"Cost of Argon2id, with which passwords are hashed. Stored hashes keep the cost they were made with."`

	Local Local `config:"local" doc:"Logins with passwords, the strategy local: what passwords must be like, and how they are changed."`

	OIDC map[string]OIDCProvider `config:"oidc" doc:"OpenID providers with which users log in, each under the name of its strategy; see security.oidc.<name>."`

	Passkey Passkey `config:"passkey" doc:"Logins with passkeys (WebAuthn) in place of passwords."`

	RestrictedProfileIDs []string `config:"restrictedProfileIds" doc:"Profiles of users that security:createRestrictedUser makes."`
}

// AuthToken is the section security.authToken.
type AuthToken struct {
	Algorithm        string   `config:"algorithm" doc:"Signing algorithm of tokens. Empty: that of the key there is, HS256 for the first one." oneof:"HS256 EdDSA ES256 RS256"`
	Secret           Secret   `config:"secret" doc:"Key of HS256, at least 32 random bytes. Empty, as is privateKeyFile: keys are made and kept with the data, and rotated with sluice keys."`
	PrivateKeyFile   string   `config:"privateKeyFile" doc:"PEM file with the private key of EdDSA, ES256 or RS256."`
	RetiredSecrets   []Secret `config:"retiredSecrets" doc:"Keys of HS256 that sign no longer or not yet: tokens signed with them are good."`
	RetiredKeyFiles  []string `config:"retiredKeyFiles" doc:"PEM files with such keys of the other algorithms; public keys are enough."`
	ExpiresIn        TTL      `config:"expiresIn" doc:"Lifetime of a token when the login names none."`
	MaxTTL           TTL      `config:"maxTTL" doc:"Longest lifetime a login may ask for."`
	GracePeriod      TTL      `config:"gracePeriod" doc:"How long a refreshed token stays usable." min:"0ms"`
	AcceptUnprefixed bool     `config:"acceptUnprefixed" doc:"On kuzzle-v1 routes, accept a token also without its kauth- prefix."`
}

// APIKey is the section security.apiKey.
type APIKey struct {
	MaxTTL TTL `config:"maxTTL" doc:"Longest lifetime that users may give their own API keys."`
}

// PasswordHash is the section security.passwordHash. The bounds are those of Argon2 (RFC 9106); Validate also wants 8 KiB
// for each lane.
type PasswordHash struct {
	MemoryKiB   int `config:"memoryKiB" doc:"Memory of one hash in KiB." min:"8" max:"4194304"`
	Iterations  int `config:"iterations" doc:"Passes over the memory." min:"1" max:"1000"`
	Parallelism int `config:"parallelism" doc:"Lanes computed at once." min:"1" max:"255"`
}

func defaultSecurity() Security {
	return Security{
		AuthToken: AuthToken{
			ExpiresIn:        TTL(time.Hour),
			MaxTTL:           Infinite,
			GracePeriod:      TTL(time.Second),
			AcceptUnprefixed: true,
		},
		APIKey:       APIKey{MaxTTL: Infinite},
		PasswordHash: PasswordHash{MemoryKiB: 19456, Iterations: 2, Parallelism: 1},

		Local:   defaultLocal(),
		Passkey: defaultPasskey(),

		RestrictedProfileIDs: []string{"default"},
	}
}
