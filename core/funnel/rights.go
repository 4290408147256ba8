package funnel

import (
	"context"
	"errors"
	"strings"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// wellFormed checks what every request must hold, whatever its action.
func (r *run) wellFormed() error {
	switch {
	case r.req.Controller == "":
		return kerror.APIAssertMissingArgument.New("controller")
	case r.req.Action == "":
		return kerror.APIAssertMissingArgument.New("action")
	case r.req.Args.Raw("targets") == nil:
		return nil
	case r.req.Index != "":
		return kerror.APIAssertMutuallyExclusive.New("targets", "index")
	case r.req.Collection != "":
		return kerror.APIAssertMutuallyExclusive.New("targets", "collection")
	}
	return nil
}

// identify finds the user behind the token. auth:login and auth:checkToken do not look at the envelope's token: a client
// whose token has ended must be able to log in and to ask. Nor does a logout fail that only removes a cookie.
func (r *run) identify(ctx context.Context) error {
	user, err := r.tokenUser(ctx)
	if r.dropsCookie() && errors.Is(err, kerror.SecurityTokenInvalid) {
		user, err = r.funnel.Users.Anonymous(ctx)
	}
	if err != nil {
		return err
	}
	r.user, r.req.User = user, &user.User
	return nil
}

func (r *run) tokenUser(ctx context.Context) (*security.User, error) {
	if r.req.Token == "" || r.isAuth("login") || r.isAuth("checkToken") {
		return r.funnel.Users.Anonymous(ctx)
	}
	v1 := r.entry != nil && r.entry.Profile == protocol.KuzzleV1
	token, err := r.funnel.Tokens.Verify(ctx, r.req.Token, auth.VerifyOptions{AcceptUnprefixed: v1 && r.funnel.AcceptUnprefixed})
	if err != nil {
		return nil, err
	}
	user, err := r.funnel.Users.User(ctx, token.KUID)
	if errors.Is(err, kerror.SecurityUserNotFound) { // deleted since: its tokens go with it
		return nil, kerror.SecurityTokenInvalid.Wrap(err).WithV1("Invalid token")
	}
	if err != nil {
		return nil, err
	}
	return user, r.funnel.Tokens.Link(ctx, r.req.Connection, token)
}

// internalUser is whom a call from inside the node runs as: the user it names, else nobody.
func (r *run) internalUser(ctx context.Context) (*security.User, error) {
	if r.req.User.Anonymous() {
		user, err := r.funnel.Users.Anonymous(ctx)
		if err == nil && r.req.User != nil {
			r.req.User = &user.User
		}
		return user, err
	}
	user, err := r.funnel.Users.User(ctx, r.req.User.ID)
	if err == nil {
		r.req.User = &user.User
	}
	return user, err
}

// rights decides whether the user may call the action, known or not, and says so to those who listen.
func (r *run) rights(ctx context.Context) error {
	err := r.decide()
	if err != nil {
		if fired := r.fire(ctx, "request:onUnauthorized"); fired != nil {
			return fired
		}
		return err
	}
	return r.fire(ctx, "request:onAuthorized")
}

func (r *run) decide() error {
	if r.user.Anonymous() && r.dropsCookie() {
		return nil // there is no session: the action does nothing
	}
	if r.entry != nil && r.entry.Auth == router.AuthRequired && r.user.Anonymous() {
		return kerror.SecurityRightsUnauthorized.New(r.req.Controller, r.req.Action).WithV1("Json Web Token Error")
	}
	if r.funnel.Users.Allowed(r.user, r.req, r.snapshot.Grants()) {
		return nil
	}
	return r.funnel.Users.Denied(r.user, r.req)
}

func (r *run) notFound() error {
	if r.knownController {
		return kerror.APIProcessActionNotFound.New(r.req.Controller, r.req.Action)
	}
	return kerror.APIProcessControllerNotFound.New(r.req.Controller)
}

func (r *run) isAuth(action string) bool {
	return r.req.Controller == "auth" && r.req.Action == action
}

// dropsCookie reports a logout by cookie, which a browser needs also when the session in it has ended: pages cannot remove it.
func (r *run) dropsCookie() bool {
	if !r.isAuth("logout") {
		return false
	}
	asked, err := r.req.Args.Bool("cookieAuth") // the action refuses what is no flag
	return err == nil && asked
}

// oldestSDK is the first major version of each SDK that speaks this API.
var oldestSDK = map[string]byte{"js": '7', "csharp": '2', "cpp": '2', "java": '3', "android": '5', "go": '3', "php": '4'}

// sdkVersion refuses SDKs that speak an older API. Names it does not know pass.
func (r *run) sdkVersion() error {
	if !r.funnel.StrictSDKVersion || r.req.Volatile == nil {
		return nil
	}
	volatile, err := protocol.ParseArgs(r.req.Volatile, "volatile.")
	if err != nil {
		return kerror.APIAssertInvalidType.New("volatile", "object")
	}
	if old := volatile.Raw("sdkVersion"); old != nil {
		return kerror.APIProcessIncompatibleSDKVersion.New(string(old), "an SDK for API version 2")
	}
	nameAndVersion, err := volatile.OptString("sdkName", "")
	if err != nil {
		return nil //nolint:nilerr // a name that is no text is a name the node does not know
	}
	name, version, found := strings.Cut(nameAndVersion, "@")
	if oldest := oldestSDK[name]; found && oldest != 0 && version != "" && major(version) < int(oldest-'0') {
		return kerror.APIProcessIncompatibleSDKVersion.New(nameAndVersion, name+"@"+string(oldest)+" or later")
	}
	return nil
}

// major reads the number that a version begins with; a version that begins otherwise is taken for a new one.
func major(version string) int {
	n, digits := 0, 0
	for digits < len(version) && digits < 6 && version[digits] >= '0' && version[digits] <= '9' {
		n = n*10 + int(version[digits]-'0')
		digits++
	}
	if digits == 0 {
		return 1 << 20
	}
	return n
}
