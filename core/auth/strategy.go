package auth

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
)

// Strategy is a way to prove who one is. core/auth/local is one; plugins bring others. Methods may be called by many
// goroutines at once. req is the request on whose behalf the strategy acts.
//
// Errors from the catalogue, kerror.Bare ones and a Rejection reach the client; any other is an internal error.
type Strategy interface {
	// Fields names the members of this strategy's credentials.
	Fields() []string
	// Verify looks at a login. Refusing it is no error but an Outcome without a user.
	Verify(ctx context.Context, login Login) (Outcome, error)
	Credentials
}

// Credentials is what a strategy keeps of users. A user has one set of credentials or none.
//
//  1. Exists says whether the user has some.
//  2. Validate says what is wrong with new ones (update: with a change), and changes nothing. Its value is answered to
//     validateCredentials.
//  3. Create, Update, Delete do it. They may be called without Validate and must hold by themselves; the value of the
//     first two is answered to the client and holds nothing secret.
//
// Credentials are created before their user is stored and outlive a node that dies in between. Such leftovers are deleted
// when a user of that id is made; until then a login with them must be refused, see Login.Known.
type Credentials interface {
	Exists(ctx context.Context, req *protocol.Request, kuid string) (bool, error)
	Validate(ctx context.Context, req *protocol.Request, kuid string, credentials jsontext.Value, update bool) (any, error)
	Create(ctx context.Context, req *protocol.Request, kuid string, credentials jsontext.Value) (any, error)
	Update(ctx context.Context, req *protocol.Request, kuid string, credentials jsontext.Value) (any, error)
	Delete(ctx context.Context, req *protocol.Request, kuid string) error
}

// Rejection is an error of Validate that only says in words what is wrong with the credentials.
type Rejection string

func (r Rejection) Error() string { return string(r) }

// Describer is a strategy that shows the public part of credentials.
type Describer interface {
	// Info gives the public part of a user's credentials.
	Info(ctx context.Context, req *protocol.Request, kuid string) (any, error)
	// ByID gives the same for the strategy's own name of a user.
	ByID(ctx context.Context, req *protocol.Request, id string) (any, error)
}

// Holder is a strategy whose credentials have a name that only one user can have. Leftovers of a user that was never stored
// are deleted when their name is wanted again; without this method such a name stays taken.
type Holder interface {
	// Holder gives the user who has the name of these credentials, "" for nobody.
	Holder(ctx context.Context, req *protocol.Request, credentials jsontext.Value) (kuid string, err error)
}

// AccountNamer is a strategy whose logins name the account they are for. Guesses against one account are slowed down;
// without this, only those from one address are.
type AccountNamer interface {
	// Account is what the login calls itself, whether or not there is such an account; "" when it names none.
	Account(login Login) string
}

// Login is one attempt to log in.
type Login struct {
	Request *protocol.Request
	// Body and Args are where a form would send its fields: Body wins.
	Body protocol.Args
	Args protocol.Args
	// Known reports whether there is a user of that id. A strategy that finds credentials whose user is not there answers as
	// if it had found none. nil knows everybody.
	Known func(ctx context.Context, kuid string) (bool, error)
}

// Field reads a text of the login; "" when it is not there, is empty or is no text.
func (l Login) Field(name string) string {
	for _, args := range []protocol.Args{l.Body, l.Args} {
		if text, err := args.OptString(name, ""); err == nil && text != "" {
			return text
		}
	}
	return ""
}

// Outcome is what a strategy makes of a login.
type Outcome struct {
	// KUID is who logged in, "" for nobody.
	KUID string
	// Message tells a refused client why.
	Message string
	// Redirect, when not nil, is the answer instead: the login goes on elsewhere.
	Redirect *Redirect
}

// Redirect sends the client elsewhere, as OAuth does, or asks it for more. It is the result of the login.
type Redirect struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	// More are further members of the result, under other names than those of the fields.
	More map[string]jsontext.Value `json:",embed"`
}
