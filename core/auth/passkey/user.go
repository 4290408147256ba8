package passkey

import (
	"encoding/base64"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// user is an account as the library sees it.
type user struct {
	handle      []byte
	name        string
	credentials []webauthn.Credential
}

// user gives the account under the name that authenticators show, which is the id of the user when there is none.
func (s *Strategy) user(a *account, name string) user {
	u := user{handle: s.seal.handle(a.KUID), name: name}
	if name == "" {
		u.name = a.KUID
	}
	for _, p := range a.Passkeys {
		u.credentials = append(u.credentials, p.credential())
	}
	return u
}

func (u user) WebAuthnID() []byte                         { return u.handle }
func (u user) WebAuthnName() string                       { return u.name }
func (u user) WebAuthnDisplayName() string                { return u.name }
func (u user) WebAuthnCredentials() []webauthn.Credential { return u.credentials }

// credential is what the library verifies with.
func (p *passkey) credential() webauthn.Credential {
	return webauthn.Credential{
		ID: p.rawID(), PublicKey: p.PublicKey,
		Flags:         webauthn.CredentialFlags{BackupEligible: p.BackupEligible, BackupState: p.BackedUp},
		Authenticator: webauthn.Authenticator{SignCount: p.SignCount},
	}
}

// descriptor is how a browser is told of a passkey.
func (p *passkey) descriptor() protocol.CredentialDescriptor {
	d := protocol.CredentialDescriptor{Type: protocol.PublicKeyCredentialType, CredentialID: p.rawID()}
	for _, t := range p.Transports {
		d.Transport = append(d.Transport, protocol.AuthenticatorTransport(t))
	}
	return d
}

// rawID is the id as bytes. One that cannot be read, which nothing here stores, is that of no credential.
func (p *passkey) rawID() []byte {
	b, err := base64.RawURLEncoding.DecodeString(p.ID)
	if err != nil {
		return nil
	}
	return b
}

var _ webauthn.User = user{}
