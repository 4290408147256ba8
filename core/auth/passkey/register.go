package passkey

import (
	"context"
	"encoding/base64"
	stdjson "encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	webauthnwire "github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const (
	// maxAttestationBytes bounds what a browser answers with at a registration.
	maxAttestationBytes = 64 << 10
	// maxNameBytes bounds the names of passkeys, and those that authenticators show, which cut them there.
	maxNameBytes = 64
)

// Validate begins a registration: of credentials without a response, which are not there yet, its value is the options that
// the browser makes a passkey from. With a response it says what Create would refuse, and of a change what Update would.
func (s *Strategy) Validate(ctx context.Context, _ *protocol.Request, kuid string, raw jsontext.Value, update bool) (any, error) {
	if update {
		c, err := parseChange(raw)
		if err != nil {
			return nil, err
		}
		a, err := s.having(ctx, kuid)
		if err != nil {
			return nil, err
		}
		if err := c.apply(&a); err != nil {
			return nil, err
		}
		return true, nil
	}
	args, err := credentials(raw)
	if err != nil {
		return nil, err
	}
	a, _, err := s.read(ctx, kuid)
	if err != nil {
		return nil, err
	}
	if args.Raw("response") == nil {
		return s.beginRegistration(&a, args)
	}
	n, err := parseNew(args)
	if err != nil {
		return nil, err
	}
	if err := s.free(ctx, n.id()); err != nil {
		return nil, err
	}
	if err := s.register(ctx, &a, n); err != nil {
		return nil, err
	}
	return true, nil
}

// beginRegistration gives the options for a further passkey.
func (s *Strategy) beginRegistration(a *account, args protocol.Args) (any, error) {
	name, err := text(args, "displayName")
	if err != nil {
		return nil, err
	}
	if len(a.Passkeys) >= maxPasskeys {
		return nil, errTooMany()
	}
	fresh, err := s.seal.newChallenge(ceremony{registration, a.KUID}, s.now().Add(s.timeout))
	if err != nil {
		return nil, err
	}
	var have []webauthnwire.CredentialDescriptor
	for _, p := range a.Passkeys {
		have = append(have, p.descriptor())
	}
	begun, _, err := s.rp.BeginRegistration(s.user(a, name), webauthn.WithExclusions(have), withChallenge(fresh))
	if err != nil {
		return nil, err
	}
	options, err := stdjson.Marshal(begun.Response) // its types are made for that package
	return jsontext.Value(options), err
}

func withChallenge(challenge []byte) webauthn.RegistrationOption {
	return func(o *webauthnwire.PublicKeyCredentialCreationOptions) error {
		o.Challenge = challenge
		return nil
	}
}

// Create stores a passkey, beside those that there are: 400 for one that does not hold, 412 for one that is stored already or
// is too much. It answers with all of the user.
func (s *Strategy) Create(ctx context.Context, _ *protocol.Request, kuid string, raw jsontext.Value) (any, error) {
	args, err := credentials(raw)
	if err != nil {
		return nil, err
	}
	n, err := parseNew(args)
	if err != nil {
		return nil, err
	}
	select {
	case s.registering <- struct{}{}:
		defer func() { <-s.registering }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := s.free(ctx, n.id()); err != nil {
		return nil, err
	}
	var stored info
	err = s.change(ctx, kuid, func(a *account) error {
		err := s.register(ctx, a, n)
		stored = a.info()
		return err
	})
	if err != nil {
		return nil, err
	}
	return stored, nil
}

// free refuses a credential that somebody has.
func (s *Strategy) free(ctx context.Context, id string) error {
	docs, err := s.engine.Find(ctx, usersCollection, "ids", id, 1)
	if err != nil {
		return security.StorageFailed("look for a passkey", err)
	}
	if len(docs) > 0 {
		return kerror.Bare(kerror.PreconditionError, "This passkey is registered already.")
	}
	return nil
}

// fresh are new credentials: what the browser made of the options, and what the user calls it.
type fresh struct {
	response *webauthnwire.ParsedCredentialCreationData
	name     string
}

func (n fresh) id() string { return encode(n.response.RawID) }

func parseNew(args protocol.Args) (fresh, error) {
	raw := args.Raw("response")
	switch {
	case raw == nil:
		return fresh{}, kerror.Bare(kerror.BadRequestError,
			`The member "response" of the credentials is missing: ask for options with validateMyCredentials and no credentials, give them to the browser, and send what it makes of them.`)
	case len(raw) > maxAttestationBytes:
		return fresh{}, kerror.Bare(kerror.BadRequestError,
			`The member "response" of the credentials must not have more than `+strconv.Itoa(maxAttestationBytes)+` bytes.`)
	}
	name, err := text(args, "name")
	if err != nil {
		return fresh{}, err
	}
	response, err := webauthnwire.ParseCredentialCreationResponseBytes(raw)
	// The id that the authenticator signed is the one that counts; a client that says another has no business here.
	if err != nil || !slices.Equal(response.RawID, response.Response.AttestationObject.AuthData.AttData.CredentialID) {
		return fresh{}, kerror.Bare(kerror.BadRequestError,
			`The member "response" of the credentials cannot be read: send what PublicKeyCredential.toJSON() gives.`)
	}
	return fresh{response, name}, nil
}

// register verifies a new passkey and puts it into the account.
func (s *Strategy) register(ctx context.Context, a *account, n fresh) error {
	if len(a.Passkeys) >= maxPasskeys {
		return errTooMany()
	}
	client := n.response.Response.CollectedClientData
	asked, ok := s.seal.open(ceremony{registration, a.KUID}, client.Challenge)
	if !ok {
		return bad(refusal("The response is none to options for this user: ask for options with validateMyCredentials and no credentials."))
	}
	u := s.user(a, "")
	made, err := s.rp.CreateCredential(u, webauthn.SessionData{
		Challenge: client.Challenge, UserID: u.handle, UserVerification: s.required, CredParams: webauthn.CredentialParametersDefault(),
	}, n.response)
	if err != nil {
		return bad(s.refuse(ctx, a.KUID, client, err))
	}
	now := s.now()
	if err := a.spend(asked, now); err != nil {
		return bad(err)
	}
	a.add(passkey{
		ID: n.id(), Name: n.name, PublicKey: made.PublicKey, SignCount: made.Authenticator.SignCount,
		BackupEligible: made.Flags.BackupEligible, BackedUp: made.Flags.BackupState,
		Transports: transports(made.Transport), CreatedAt: now.UnixMilli(),
	})
	return nil
}

// bad makes of a refusal what is answered to whoever manages credentials; other errors stay what they are.
func bad(err error) error {
	var no refusal
	if errors.As(err, &no) {
		return kerror.Bare(kerror.BadRequestError, no.Error())
	}
	return err
}

// transports are the ones that browsers know today, each once: what clients send is shown to others.
func transports(said []webauthnwire.AuthenticatorTransport) []string {
	known := []webauthnwire.AuthenticatorTransport{
		webauthnwire.BLE, webauthnwire.Hybrid, webauthnwire.Internal, webauthnwire.NFC, webauthnwire.SmartCard, webauthnwire.USB,
	}
	var list []string
	for _, t := range known {
		if slices.Contains(said, t) {
			list = append(list, string(t))
		}
	}
	return list
}

func errTooMany() error {
	return kerror.Bare(kerror.PreconditionError, "There are "+strconv.Itoa(maxPasskeys)+" passkeys already: remove one first.")
}

func encode(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }
