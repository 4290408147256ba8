package sdk

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
)

// Strategy is a way to log in: auth:login with the argument strategy. It keeps the credentials of users, one set a user, most
// often in Collections of the plugin's own; Request.User is who asks for a change of them.
//
// Errors are as those of a Handler; kerror.SecurityCredentialsRejected.New("why") is what to say of credentials that are not
// good enough. Any error, and no answer in time, refuses the login or the change.
type Strategy struct {
	// Name is one that no other strategy of the node has: letters, digits, dashes and underscores. "local" is the node's own.
	Name string
	// Fields names the members of credentials.
	Fields []string
	// Account is the field of a login that names the account, such as "username": guesses against one account are then slowed
	// down, not only those from one address. "" when logins name none.
	Account string

	// Verify looks at a login. Refusing it is no error but an Outcome without a KUID. Credentials of a user who does not exist
	// (what a creation that was cut off leaves behind) may be answered all the same: the node refuses them.
	Verify func(ctx context.Context, l *Login) (Outcome, error)
	// Exists says whether the user has credentials.
	Exists func(ctx context.Context, r *Request, kuid string) (bool, error)
	// Validate says what is wrong with new credentials, or with a change of them, and changes nothing.
	Validate func(ctx context.Context, r *Request, c Credentials) error
	// Create and Update may be called without Validate and hold by themselves. What they answer goes to the client and holds
	// nothing secret. Credentials are created before their user is stored, and deleted when that fails.
	Create func(ctx context.Context, r *Request, c Credentials) (any, error)
	Update func(ctx context.Context, r *Request, c Credentials) (any, error)
	Delete func(ctx context.Context, r *Request, kuid string) error

	// Info gives the public part of a user's credentials. nil: there is none to show.
	Info func(ctx context.Context, r *Request, kuid string) (any, error)
	// ByID is Info for the strategy's own name of a user. nil: it has none.
	ByID func(ctx context.Context, r *Request, id string) (any, error)
	// Search must refuse queries and sorts over anything that Info does not show. nil: it cannot.
	Search func(ctx context.Context, r *Request, s CredentialSearch) (CredentialsFound, error)
	// Holder gives the user who has the name of these credentials, "" for nobody. With it, what a creation that was cut off
	// left behind does not keep the name. nil: credentials have no name, or it stays taken.
	Holder func(ctx context.Context, r *Request, c Credentials) (kuid string, err error)
}

// Login is one attempt to log in.
type Login struct{ *Request }

// Field reads a text out of the body, or else out of the arguments; "" when it is not there, or is no text.
func (l *Login) Field(name string) string {
	body, err := l.OptBodyFields()
	if err != nil {
		body = protocol.Args{}
	}
	for _, args := range []protocol.Args{body, l.Args} {
		if text, err := args.OptString(name, ""); err == nil && text != "" {
			return text
		}
	}
	return ""
}

// Outcome is what a strategy makes of a login: a user, a refusal, or the way on.
type Outcome struct {
	// KUID is who logs in, "" for nobody.
	KUID string
	// Message tells a refused client why: the same for an unknown account and for a wrong password.
	Message string
	// Redirect, when not nil, is the answer instead: the login goes on elsewhere.
	Redirect *Redirect
}

// Redirect sends the client elsewhere, as OAuth does, or asks it for more.
type Redirect struct {
	StatusCode int
	Header     http.Header
	// More are further members of the login's result, none of them kuid or message.
	More map[string]any
}

// Credentials are those of one user.
type Credentials struct {
	// KUID is the user, "" for Holder.
	KUID string
	// Value is the JSON object that came for this strategy.
	Value jsontext.Value
	// Update, for Validate, says that it is a change.
	Update bool
}

// CredentialSearch is a search among the credentials of a strategy.
type CredentialSearch struct {
	// Query and Sort are those of a search body, nil for none.
	Query, Sort jsontext.Value
	From, Size  int
}

// CredentialsFound is what was found.
type CredentialsFound struct {
	// Hits are at most Size public parts of credentials, each with the user in the member "kuid".
	Hits []any `json:"hits"`
	// Total is how many match.
	Total int `json:"total"`
}
