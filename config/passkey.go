package config

import "time"

// Passkey is the section security.passkey. What belongs to what (a domain and its origins) the strategy says when the node
// starts.
type Passkey struct {
	Enabled          bool          `config:"enabled" doc:"Whether users may log in with passkeys, the strategy passkey."`
	RPID             string        `config:"rpId" doc:"Domain that passkeys belong to, without scheme and port, such as example.com: they work on pages of it and of what stands below it. A change makes all passkeys useless."`
	RPOrigins        []string      `config:"rpOrigins" doc:"Origins of the pages that use passkeys, such as https://app.example.com. Empty = https:// and security.passkey.rpId."`
	RPDisplayName    string        `config:"rpDisplayName" doc:"What people read when they make a passkey. Empty = security.passkey.rpId."`
	UserVerification string        `config:"userVerification" doc:"Whether a passkey must see that it is its owner who uses it, by a PIN, a finger or a face. Only required makes it two factors in one." oneof:"required preferred discouraged"`
	Timeout          time.Duration `config:"timeout" doc:"How long people may take to make or use a passkey." min:"10s" max:"1h"`
}

func defaultPasskey() Passkey {
	return Passkey{UserVerification: "required", Timeout: 5 * time.Minute}
}
