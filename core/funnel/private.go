package funnel

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/router"
)

// ownCredentials reports whether the action looks at credentials itself: the funnel then verifies nothing and decides no
// rights, so neither request:onAuthorized nor request:onUnauthorized is fired, and the rate limit of a profile does not
// hold. All other pipes run and can stop the request.
func (r *run) ownCredentials() bool { return r.entry != nil && r.entry.Auth.Own() }

// keepPrivate makes the request the private matter of the plugin behind the action, before anybody else hears of it. What
// the envelope carried as its token becomes the argument of that name, for the plugin.
func (r *run) keepPrivate() {
	if !r.ownCredentials() {
		return
	}
	r.req.Private = r.entry.Plugin
	if r.req.Token != "" {
		token, _ := jsontext.AppendQuote(nil, r.req.Token) // invalid UTF-8 is replaced
		r.req.Args.Set("jwt", token)
		r.req.Token = ""
	}
}

// leaveToPlugin gives the request the user that nobody has looked for: anonymous, or none.
func (r *run) leaveToPlugin(ctx context.Context) error {
	r.req.User = nil
	if r.entry.Auth == router.AuthNone {
		return nil
	}
	user, err := r.funnel.Users.Anonymous(ctx)
	if err != nil {
		return err
	}
	r.user, r.req.User = user, &user.User
	return nil
}
