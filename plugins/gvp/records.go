package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The collections, and what their documents hold. Times are milliseconds since 1970.
const (
	instances   = "gvp_instances"         // by number
	deviceTypes = "gvp_devices_types"     // by code
	users       = "gvp_users"             // by ids.user
	devices     = "gvp_trusted_devices"   // by ids.device, so that a device belongs to one user
	tokens      = "gvp_users_auth_tokens" //nolint:gosec // a name; by ids.token, so that a user has only so many
	auraIDs     = "gvp_aura_ids"          // the Aura ID of a user on a device, by ids.binding
	auraOwners  = "gvp_aura_owners"       // which of them hold an Aura ID, by ids.aura
	loginLog    = "gvp_log_login"         // by UUID v7
	audit       = "gvp_audit"             // by UUID v7
	keyStore    = "gvp_keys"              // by name
)

func collections() []sdk.Collection {
	plain := []byte(`{"dynamic":"false"}`)
	all := []sdk.Collection{
		{Name: tokens, Mapping: []byte(`{"dynamic":"false","properties":{"expiresAt":{"type":"date"},"userId":{"type":"keyword"}}}`)},
		{Name: loginLog, Mapping: []byte(`{"dynamic":"false","properties":{"at":{"type":"date"},"userId":{"type":"keyword"},"statusCode":{"type":"integer"}}}`)},
		{Name: audit, Mapping: []byte(`{"dynamic":"false","properties":{"at":{"type":"date"},"action":{"type":"keyword"},"subject":{"type":"keyword"}}}`)},
	}
	for _, name := range []string{instances, deviceTypes, users, devices, auraIDs, auraOwners, keyStore} {
		all = append(all, sdk.Collection{Name: name, Mapping: plain})
	}
	return all
}

// instance is an operator's business ("OB").
type instance struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Active bool   `json:"active"`
	// Countries are ISO 3166-1 alpha-2 codes.
	Countries                             []string     `json:"countries"`
	AllowLoginBeforeEmailConfirmationFlag bool         `json:"allowLoginBeforeEmailConfirmationFlag"`
	GeoBlockingEnabled                    bool         `json:"geoBlockingEnabled"`
	TokenTTL                              int64        `json:"tokenTTL"` // seconds
	TrustedDeviceCheck                    string       `json:"trustedDeviceCheck"`
	DeviceTypes                           []deviceType `json:"deviceTypes"`
}

// The values of instance.TrustedDeviceCheck.
const (
	checkStrict  = "strict"  // the user has an enabled device of the type
	checkIfGiven = "ifGiven" // only a device that the login names is looked at
	checkOff     = "off"
)

// deviceType is one that an instance knows. Max is how many of it a user may have, 0 for any number.
type deviceType struct {
	Code    int64  `json:"code"`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	Max     int    `json:"max"`
}

func (i instance) deviceType(code int64) (deviceType, bool) {
	at := slices.IndexFunc(i.DeviceTypes, func(t deviceType) bool { return t.Code == code })
	if at < 0 {
		return deviceType{}, false
	}
	return i.DeviceTypes[at], true
}

// status is that of a user.
type status int

// The statuses; the numbers are GVP's.
const (
	unknown                   status = 0
	active                    status = 1
	awaitingEmailConfirmation status = 2
	suspended                 status = 3
	excluded                  status = 4
)

// user is an account at one instance.
type user struct {
	ID                   string `json:"id"`
	InstanceID           int64  `json:"instanceId"`
	UniqueID             string `json:"uniqueId"` // the fourth platform's name for him
	Email                string `json:"email"`
	PasswordHash         string `json:"passwordHash"`
	Status               status `json:"status"`
	GeoblockingWhitelist bool   `json:"geoblockingWhitelist"`
	// TokenGeneration is counted up when the account leaves active: tokens of an earlier generation are revoked.
	TokenGeneration int64 `json:"tokenGeneration"`
	// Devices names his trusted devices, so that they are found without a search.
	Devices   []ownDevice `json:"devices"`
	CreatedAt int64       `json:"createdAt"`
}

type ownDevice struct {
	Key  string `json:"key"` // ids.device
	Type int64  `json:"type"`
}

// device is a trusted one.
type device struct {
	DeviceID     string `json:"deviceId"`
	DeviceType   int64  `json:"deviceType"`
	UserID       string `json:"userId"`
	FriendlyName string `json:"friendlyName"`
	Enabled      bool   `json:"enabled"`
	LastUsedAt   int64  `json:"lastUsedAt"`
}

// tokenRow is what the server knows of a token.
type tokenRow struct {
	TokenHash  string `json:"tokenHash"` // SHA-256 of the whole text, in hex
	Prefix     string `json:"prefix"`
	UserID     string `json:"userId"`
	InstanceID int64  `json:"instanceId"`
	DeviceType int64  `json:"deviceType"`
	DeviceID   string `json:"deviceId"`
	SessionID  string `json:"sessionId"`
	Generation int64  `json:"generation"` // user.TokenGeneration at the login
	IssuedAt   int64  `json:"issuedAt"`
	ExpiresAt  int64  `json:"expiresAt"`
	RevokedAt  int64  `json:"revokedAt"` // 0 for not
	IP         string `json:"ip"`
	Country    string `json:"country"`
}

// record is a stored document of type T. Its zero value is none.
type record[T any] struct {
	Value   T
	Version int64
	Found   bool
}

// read gets a document; one that is not there is no error.
func read[T any](ctx context.Context, s sdk.Store, id string) (record[T], error) {
	d, err := s.Get(ctx, id)
	if errors.Is(err, kerror.ServicesStorageNotFound) {
		return record[T]{}, nil
	}
	if err != nil {
		return record[T]{}, err
	}
	r := record[T]{Version: d.Version, Found: true}
	return r, json.Unmarshal(d.Source, &r.Value)
}

// readMany gets the documents that are there, by id.
func readMany[T any](ctx context.Context, s sdk.Store, names []string) (map[string]record[T], error) {
	answer, err := s.Call(ctx, "mGet", map[string]any{"ids": names}, nil)
	if err != nil {
		return nil, err
	}
	var got struct {
		Successes []struct {
			ID      string `json:"_id"`
			Version int64  `json:"_version"`
			Source  T      `json:"_source"`
		} `json:"successes"`
	}
	if err := answer.Decode(&got); err != nil {
		return nil, err
	}
	found := make(map[string]record[T], len(got.Successes))
	for _, d := range got.Successes {
		found[d.ID] = record[T]{d.Source, d.Version, true}
	}
	return found, nil
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func millis(t time.Time) int64 { return t.UnixMilli() }
