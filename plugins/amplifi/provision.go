package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// newUser is what an administrator or a fixture says of a user. Absent, isFullyRegistered and isLocalSavingAllowed are true.
type newUser struct {
	// AFiUserID is made when it is "".
	AFiUserID string `json:"AFiUserId"`
	// UserName and Password come together, or not at all: then the user has no channel internet.
	UserName                    string   `json:"userName"`
	Password                    string   `json:"password"`
	Name                        fullName `json:"name"`
	LanguageCode                *string  `json:"languageCode"`
	Segment                     string   `json:"segment"`
	PostOnboardingStepsRequired *string  `json:"postOnboardingStepsRequired"`
	ReferralCode                *string  `json:"referralCode"`
	IsFullyRegistered           *bool    `json:"isFullyRegistered"`
	IsIdleUser                  bool     `json:"isIdleUser"`
	UIStage                     *string  `json:"uiStage"`
	IsLocalSavingAllowed        *bool    `json:"isLocalSavingAllowed"`
}

// invalid is what an administrator has to correct. Its text names members, not values.
type invalid string

// Error implements error.
func (e invalid) Error() string { return string(e) }

var (
	errNameTaken   = errors.New("this userName or AFiUserId is taken")
	errDeviceTaken = errors.New("this device is registered already")
	errNoUser      = errors.New("there is no such user")
)

var userIDForm = regexp.MustCompile(userIDPattern)

func (n *newUser) check() error {
	name := utf8.RuneCountInString(normalName(n.UserName))
	switch {
	case n.AFiUserID != "" && !userIDForm.MatchString(n.AFiUserID):
		return invalid("AFiUserId must be 16 lower-case letters and digits.")
	case (n.UserName == "") != (n.Password == ""):
		return invalid("userName and password come together.")
	case n.UserName != "" && (name < 1 || name > 254):
		return invalid("userName must have 1 to 254 characters.")
	case utf8.RuneCountInString(n.Password) > 1024:
		return invalid("password must have 1 to 1024 characters.")
	}
	return nil
}

// addUser makes a user: errNameTaken when there is one.
func (p *plugin) addUser(ctx context.Context, n newUser) (*user, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	now := timestampOf(time.Now())
	u := &user{
		AFiUserID: n.AFiUserID, UserName: normalName(n.UserName), Created: now, Modified: now, Name: n.Name,
		LanguageCode: n.LanguageCode, Segment: n.Segment, PostOnboardingStepsRequired: n.PostOnboardingStepsRequired,
		ReferralCode: n.ReferralCode, IsFullyRegistered: n.IsFullyRegistered == nil || *n.IsFullyRegistered, IsIdleUser: n.IsIdleUser,
		UIStage: n.UIStage, IsLocalSavingAllowed: n.IsLocalSavingAllowed == nil || *n.IsLocalSavingAllowed, Live: []liveToken{},
	}
	if u.AFiUserID == "" {
		u.AFiUserID = newUserID()
	}
	if u.Segment == "" {
		u.Segment = "standard"
	}
	var hash string
	if n.UserName != "" {
		var err error
		if hash, err = p.hashFor(ctx, n); err != nil {
			return nil, err
		}
	}
	return u, p.store(ctx, u, hash)
}

// hashFor hashes the password, unless the name is taken.
func (p *plugin) hashFor(ctx context.Context, n newUser) (string, error) {
	var l login
	switch _, err := read(ctx, p.names, nameKey(n.UserName), &l); {
	case err == nil:
		return "", errNameTaken
	case !isNotFound(err):
		return "", err
	}
	return p.hasher.Hash(ctx, n.Password)
}

// store writes the user, then his name: cut off in between, there is a user whom nobody can name.
func (p *plugin) store(ctx context.Context, u *user, hash string) error {
	_, err := p.users.Create(ctx, u.AFiUserID, u)
	switch {
	case isTaken(err):
		return errNameTaken
	case err != nil || hash == "":
		return err
	}
	_, err = p.names.Create(ctx, nameKey(u.UserName), login{u.AFiUserID, hash})
	if err == nil {
		return nil
	}
	if isTaken(err) {
		err = errNameTaken
	}
	return errors.Join(err, p.users.Delete(context.WithoutCancel(ctx), u.AFiUserID))
}

// newDevice is what an administrator or a fixture says of a device.
type newDevice struct {
	// AFiUserID is whose it is; a fixture may say UserName instead.
	AFiUserID string `json:"AFiUserId"`
	UserName  string `json:"userName"`
	Kind      string `json:"kind"`
	// ID is the uuid, deviceTag, deviceId or transportUserId; of a deviceId one is made when it is "".
	ID string `json:"id"`
	// Transport is for the kind chat.
	Transport string `json:"transport"`
	// PublicKey is for the kind uuid: PEM, or base64 of the DER form.
	PublicKey string `json:"publicKey"`
	// DeviceKey is for the kind deviceTag: 32 bytes in base64; one is made when it is "".
	DeviceKey  string         `json:"deviceKey"`
	DeviceData jsontext.Value `json:"deviceData"`
}

// registered is what the administrator is told of a device, and nobody ever again.
type registered struct {
	AFiUserID string `json:"AFiUserId"`
	Kind      string `json:"kind"`
	ID        string `json:"id"`
	DeviceKey string `json:"deviceKey,omitempty"`
}

// addDevice registers a device: errDeviceTaken when it is registered, errNoUser when nobody has that id.
func (p *plugin) addDevice(ctx context.Context, n newDevice) (*registered, error) {
	d := device{Kind: n.Kind, AFiUserID: n.AFiUserID, DeviceData: n.DeviceData, Registered: timestampOf(time.Now())}
	answer := &registered{AFiUserID: n.AFiUserID, Kind: n.Kind, ID: n.ID}
	key, err := p.prepare(&n, &d, answer)
	if err != nil {
		return nil, err
	}
	var u user
	switch _, err := read(ctx, p.users, n.AFiUserID, &u); {
	case isNotFound(err):
		return nil, errNoUser
	case err != nil:
		return nil, err
	}
	_, err = p.devices.Create(ctx, key, d)
	switch {
	case isTaken(err):
		return nil, errDeviceTaken
	case err != nil:
		return nil, err
	}
	return answer, nil
}

// prepare checks what is special to the kind, makes what is to be made, and gives the key of the document.
func (p *plugin) prepare(n *newDevice, d *device, answer *registered) (key string, err error) {
	if n.DeviceData != nil && n.DeviceData.Kind() != '{' {
		return "", invalid("deviceData must be an object.")
	}
	if n.Kind == kindDeviceID && n.ID == "" {
		n.ID = pick(lettersAndDigits, 40)
		answer.ID = n.ID
	}
	channel := map[string][2]string{
		kindUUID: {"android", "uuid"}, kindDeviceTag: {"mobile", "deviceTag"},
		kindDeviceID: {"browser", "deviceId"}, kindChat: {"chat", "transportUserId"},
	}[n.Kind]
	if channel[0] == "" {
		return "", invalid("kind must be uuid, deviceTag, deviceId or chat.")
	}
	for _, f := range schemas[channel[0]] {
		if f.name == channel[1] && !f.check(&p.settings, n.ID) {
			return "", invalid("id is not one that the channel " + channel[0] + " takes.")
		}
	}
	switch n.Kind {
	case kindUUID:
		return deviceKey(kindUUID, n.ID), preparePublicKey(n, d)
	case kindDeviceTag:
		key = deviceKey(kindDeviceTag, n.ID)
		return key, p.prepareDeviceKey(n, d, answer, key)
	case kindChat:
		if !p.settings.takesTransport(n.Transport) {
			return "", invalid("transport must be one of the setting transports.")
		}
		return deviceKey(kindChat, n.Transport, n.ID), nil
	}
	return deviceKey(kindDeviceID, n.ID), nil
}

// preparePublicKey keeps the key, which only laboratories do without.
func preparePublicKey(n *newDevice, d *device) error {
	if n.PublicKey == "" {
		return nil
	}
	_, der, err := parsePublicKey(n.PublicKey)
	if err != nil {
		return invalid("publicKey: " + err.Error() + ".")
	}
	d.PublicKey = base64.RawURLEncoding.EncodeToString(der)
	return nil
}

const deviceKeyBytes = 32

func (p *plugin) prepareDeviceKey(n *newDevice, d *device, answer *registered, key string) error {
	if p.ring == nil {
		return invalid("Without the secret keyRing no device key can be kept.")
	}
	secret := make([]byte, deviceKeyBytes)
	if n.DeviceKey == "" {
		_, _ = rand.Read(secret) // never fails: the runtime ends the process instead
		answer.DeviceKey = base64.RawURLEncoding.EncodeToString(secret)
	} else {
		var ok bool
		if secret, ok = decode64(n.DeviceKey); !ok || len(secret) != deviceKeyBytes {
			return invalid("deviceKey must be 32 bytes in base64.")
		}
	}
	d.SealedKey = p.ring.Seal(sealedFor(key), secret)
	return nil
}

// disable keeps a user out and ends his tokens, how many it says.
func (p *plugin) disable(ctx context.Context, userID string) (at timestamp, ended int, err error) {
	var dead []string
	err = change(ctx, p, p.users, userID, func(u *user) error {
		dead = append([]string(nil), u.Dead...)
		ended = len(u.Live)
		for _, l := range u.Live {
			dead = append(dead, l.Hash)
		}
		u.Live, u.Dead = []liveToken{}, nil
		if u.Disabled == nil {
			now := timestampOf(time.Now())
			u.Disabled, u.Modified = &now, now
		}
		at = *u.Disabled
		return nil
	})
	switch {
	case isNotFound(err):
		return at, 0, errNoUser
	case err != nil:
		return at, 0, err
	}
	p.bury(ctx, dead)
	return at, ended, nil
}
