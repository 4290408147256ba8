package passkey

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/storage"
)

// Name is the name of the strategy.
const Name = "passkey"

// index is the private index of the strategy.
const index = "strategy-passkey"

// usersCollection holds the account of each user who has passkeys, under the id of the user.
var usersCollection = storage.Collection{Scope: storage.Internal, Index: index, Name: "users"}

// Options are what a Strategy is made of. Whether domain and origins go together, config has checked.
type Options struct {
	Engine storage.Engine
	// RPID is the domain that passkeys belong to, for good: a passkey works on it and on what stands below it.
	RPID string
	// Origins are those of the pages that may use them; none is https:// and RPID.
	Origins []string
	// DisplayName is what people read when they make a passkey; "" is RPID.
	DisplayName string
	// UserVerification is required, preferred or discouraged.
	UserVerification string
	// Timeout is how long a challenge is good for.
	Timeout time.Duration
	// Named gives the user whom the user name of a login means, "" for nobody. nil knows nobody. The id of a user always
	// means that user, unless it is the name of another.
	Named func(ctx context.Context, name string) (kuid string, err error)
	// Logger is told of passkeys that seem to have been copied; nil is slog.Default.
	Logger *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Strategy is the strategy passkey. It is safe for concurrent use.
type Strategy struct {
	engine   storage.Engine
	rp       *webauthn.WebAuthn
	seal     sealer
	timeout  time.Duration
	required protocol.UserVerificationRequirement
	named    func(ctx context.Context, name string) (string, error)
	log      *slog.Logger
	now      func() time.Time
	// registering is held by the one registration in progress: that nobody has a credential is checked, then it is stored. In
	// a cluster two nodes could store one at the same moment; it would then let in nobody, see holder.
	registering chan struct{}
}

// Open makes the collections of the strategy.
func Open(ctx context.Context, o Options) (*Strategy, error) {
	rp, err := relyingParty(o)
	if err != nil {
		return nil, err
	}
	spec := storage.Spec{Keywords: []string{"ids"}, Mapping: jsontext.Value(`{"dynamic":"false","properties":{}}`)}
	if err := o.Engine.Ensure(ctx, usersCollection, spec); err != nil {
		return nil, fmt.Errorf("make the collection of the strategy passkey: %w", err)
	}
	secret, err := loadSecret(ctx, o.Engine)
	if err != nil {
		return nil, err
	}
	s := &Strategy{
		engine: o.Engine, rp: rp, seal: sealer{secret}, timeout: o.Timeout,
		required: protocol.UserVerificationRequirement(o.UserVerification),
		named:    o.Named, log: o.Logger, now: o.Now, registering: make(chan struct{}, 1),
	}
	if s.named == nil {
		s.named = func(context.Context, string) (string, error) { return "", nil }
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// relyingParty is what verifies. Attestation is not asked for: who made an authenticator does not matter here.
func relyingParty(o Options) (*webauthn.WebAuthn, error) {
	origins := o.Origins
	if len(origins) == 0 {
		origins = []string{"https://" + o.RPID}
	}
	timeout := webauthn.TimeoutConfig{Timeout: o.Timeout, TimeoutUVD: o.Timeout}
	return webauthn.New(&webauthn.Config{
		RPID: o.RPID, RPOrigins: origins, RPDisplayName: cmp.Or(o.DisplayName, o.RPID),
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey:      protocol.ResidentKeyRequirementPreferred,
			UserVerification: protocol.UserVerificationRequirement(o.UserVerification),
		},
		Timeouts: webauthn.TimeoutsConfig{Login: timeout, Registration: timeout},
		// Password managers send outputs that nobody asked for; none is read.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
}

// Fields names the members of new credentials.
func (s *Strategy) Fields() []string { return []string{"response", "name"} }

var (
	_ auth.Strategy  = (*Strategy)(nil)
	_ auth.Describer = (*Strategy)(nil)
	_ auth.Holder    = (*Strategy)(nil)
	_ auth.Forget    = Forget
)
