package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/text/unicode/norm"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// user is a document of afi_users, named by AFiUserId. A user is a prospect, who cannot log in, then idle, then fully
// registered; disabled he may be at any time.
type user struct {
	AFiUserID                   string    `json:"AFiUserId"`
	UserName                    string    `json:"userName,omitempty"`
	Created                     timestamp `json:"dtsCreated"`
	Modified                    timestamp `json:"dtsModified"`
	Name                        fullName  `json:"name"`
	LanguageCode                *string   `json:"languageCode"`
	Segment                     string    `json:"segment"`
	PostOnboardingStepsRequired *string   `json:"postOnboardingStepsRequired"`
	ReferralCode                *string   `json:"referralCode"`
	IsFullyRegistered           bool      `json:"isFullyRegistered"`
	IsIdleUser                  bool      `json:"isIdleUser"`
	UIStage                     *string   `json:"uiStage"`
	IsLocalSavingAllowed        bool      `json:"isLocalSavingAllowed"`
	// Disabled is when the user was, nil for never.
	Disabled *timestamp `json:"disabledAt,omitempty"`
	// Live are the tokens that are good, oldest first: what is not among them is not, whatever afi_tokens holds.
	Live []liveToken `json:"live"`
	// Dead are documents of afi_tokens that nobody needs any more.
	Dead []string `json:"dead,omitempty"`
}

type fullName struct {
	FirstName  *string `json:"firstName"`
	MiddleName *string `json:"middleName"`
	LastName   *string `json:"lastName"`
}

// liveToken is a token of a user, named by its hash.
type liveToken struct {
	Hash   string    `json:"hash"`
	Expiry timestamp `json:"dtsExpiry"`
}

// mayLogIn reports whether the user may have tokens.
func (u *user) mayLogIn() bool { return u.Disabled == nil && (u.IsIdleUser || u.IsFullyRegistered) }

// timestamp is a time as the service writes it: 2023-12-15T15:35:24.503Z.
// It embeds no time.Time, whose JSON form would become its own.
type timestamp struct{ at time.Time }

const timestampLayout = "2006-01-02T15:04:05.000Z"

func timestampOf(t time.Time) timestamp { return timestamp{t.UTC().Truncate(time.Millisecond)} }

// MarshalText implements encoding.TextMarshaler.
func (t timestamp) MarshalText() ([]byte, error) { //nolint:unparam // the interface has the error
	return []byte(t.at.Format(timestampLayout)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *timestamp) UnmarshalText(text []byte) (err error) {
	t.at, err = time.Parse(timestampLayout, string(text))
	return err
}

// profile is what GET /user answers. Neither a social security number nor a date of birth is ever kept.
type profile struct {
	AFiUserID                   string    `json:"AFiUserId"`
	Created                     timestamp `json:"dtsCreated"`
	Name                        fullName  `json:"name"`
	LanguageCode                *string   `json:"languageCode"`
	Modified                    timestamp `json:"dtsModified"`
	Segment                     string    `json:"segment"`
	PostOnboardingStepsRequired *string   `json:"postOnboardingStepsRequired"`
	ReferralCode                *string   `json:"referralCode"`
	Private                     struct{}  `json:"private"`
	IsFullyRegistered           bool      `json:"isFullyRegistered"`
	IsIdleUser                  bool      `json:"isIdleUser"`
	UIStage                     *string   `json:"uiStage"`
}

func (u *user) profile() profile {
	return profile{
		AFiUserID: u.AFiUserID, Created: u.Created, Name: u.Name, LanguageCode: u.LanguageCode, Modified: u.Modified,
		Segment: u.Segment, PostOnboardingStepsRequired: u.PostOnboardingStepsRequired, ReferralCode: u.ReferralCode,
		IsFullyRegistered: u.IsFullyRegistered, IsIdleUser: u.IsIdleUser, UIStage: u.UIStage,
	}
}

// getUser answers the user whose token the request carries.
func (p *plugin) getUser(ctx context.Context, r *sdk.Request) (any, error) {
	u, err := p.bearer(ctx, argument(r, "token", "token"))
	if err != nil {
		return nil, err
	}
	return u.profile(), nil
}

// login is a document of afi_names, named by a hash of the user name: it makes the name unique.
type login struct {
	AFiUserID    string `json:"AFiUserId"`
	PasswordHash string `json:"passwordHash"`
}

// normalName is how user names are compared.
func normalName(name string) string { return strings.ToLower(strings.TrimSpace(norm.NFC.String(name))) }

func nameKey(name string) string { return keyOf("name", normalName(name)) }

func isNotFound(err error) bool { return errors.Is(err, kerror.ServicesStorageNotFound) }

func isTaken(err error) bool { return errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists) }

func isConflict(err error) bool { return errors.Is(err, kerror.ServicesStorageTooManyChanges) }

// read gets a document into v.
func read(ctx context.Context, s sdk.Store, id string, v any) (version int64, err error) {
	doc, err := s.Get(ctx, id)
	if err != nil {
		return 0, err
	}
	return doc.Version, json.Unmarshal(doc.Source, v)
}

// maxConflicts is how often a change that others were faster than is tried anew. Those of this process wait for their turn,
// so it is other nodes that come in between.
const maxConflicts = 10

// change reads a document, has edit change it, and writes it. An error of edit stops that. edit runs again on a fresh
// document when somebody else has changed it meanwhile.
func change[T any](ctx context.Context, p *plugin, s sdk.Store, id string, edit func(*T) error) error {
	done, err := p.turns.take(ctx, id)
	if err != nil {
		return err
	}
	defer done()
	for range maxConflicts {
		var v T
		var version int64
		if version, err = read(ctx, s, id, &v); err != nil {
			return err
		}
		if err = edit(&v); err != nil {
			return err
		}
		if _, err = s.Replace(ctx, id, v, sdk.IfVersion(version)); !isConflict(err) {
			return err
		}
	}
	return err
}
