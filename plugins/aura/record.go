package main

import "time"

// What a record is of.
const (
	authenticatedUser = "authenticated"
	externalUser      = "external"
)

// record is one user in one channel. Its key, the id of its document, is an HMAC of channel and person, which is why there is
// one at most.
type record struct {
	AuraID          string `json:"auraId"`
	AuraIDGlobal    string `json:"auraIdGlobal"`
	Person          string `json:"person"`
	UserID          string `json:"userId,omitempty"`
	AuthorizationID string `json:"authorizationId,omitempty"`
	ChannelID       string `json:"channelId"`
	PhoneNumber     string `json:"phoneNumber,omitempty"` // sealed
	PhoneHMAC       string `json:"phoneHmac,omitempty"`
	Type            string `json:"type"`
	CreatedAt       string `json:"createdAt"`
	UpdatedAt       string `json:"updatedAt"`
}

// pointer leads from an auraId to the key of its record.
type pointer struct {
	Key string `json:"key"`
}

// global is a person's id over all channels. Channels are those that have a record.
type global struct {
	AuraIDGlobal string   `json:"auraIdGlobal"`
	Channels     []string `json:"channels"`
}

// owner leads from an auraIdGlobal to the person.
type owner struct {
	Person string `json:"person"`
}

// phone lists the keys of the records with one telephone number.
type phone struct {
	Keys []string `json:"keys"`
}

// newUser is who wants a record.
type newUser struct {
	userID, authorizationID, channelID, phoneNumber string
	// auraID is wished for; "" leaves the choice.
	auraID string
	// external users are known by their auraID alone.
	external bool
	// unproven users get a new record or none: one that exists may be somebody else's.
	unproven bool
}

// now is a time as it is stored and answered.
func now() string { return stamp(time.Now()) }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// incarnation tells a record from one that took its place.
func (r *record) incarnation() string { return r.AuraID + "|" + r.CreatedAt }
