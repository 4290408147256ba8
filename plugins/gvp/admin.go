package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/passwords"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const adminController = "gvp-uniapi/admin"

// adminActions are for those whose role allows them, and for plugins that list them. They have no routes.
func (p *plugin) adminActions() []sdk.Action {
	var list []sdk.Action
	for name, do := range map[string]sdk.Handler{
		"createInstance":        administer(p.createInstance),
		"createUser":            administer(p.createUser),
		"setUserStatus":         administer(p.setUserStatus),
		"registerTrustedDevice": administer(p.registerTrustedDevice),
		"setDeviceEnabled":      administer(p.setDeviceEnabled),
		"forget":                administer(p.forgetAuraID),
	} {
		list = append(list, sdk.Action{Controller: adminController, Name: name, Auth: sdk.AuthRequired, Handler: p.audited(name, do)})
	}
	slices.SortFunc(list, func(a, b sdk.Action) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// administer reads the body of an admin action over the defaults that it has.
func administer[T any](do func(context.Context, *T) (any, error)) sdk.Handler {
	return func(ctx context.Context, r *sdk.Request) (any, error) {
		in := new(T)
		if err := r.ReadBody(in); err != nil {
			return nil, err
		}
		return do(ctx, in)
	}
}

func badRequest(message string) *kerror.Error {
	return refusal("invalidParameter", 7, http.StatusBadRequest, message)
}

func refusal(code string, number uint32, status int, message string) *kerror.Error {
	return sdk.ServiceError("gvp", code, number, status, message)
}

var (
	errNoInstance = refusal("instanceNotFound", 1, http.StatusNotFound, "There is no such instance.")
	errNoUser     = refusal("userNotFound", 2, http.StatusNotFound, "There is no such user.")
	errNoDevice   = refusal("deviceNotFound", 3, http.StatusNotFound, "There is no such device.")
	errExists     = refusal("alreadyExists", 4, http.StatusConflict, "It exists already.")
	errTransition = refusal("statusNotReachable", 5, http.StatusConflict, "The user's status does not lead to that one.")
	errTooMany    = refusal("reachedMaximumNumberOfDevices", 6, http.StatusConflict, "The user has as many devices of this type as the instance allows.")
)

// newInstance is what createInstance takes: what is not given has the value that is the safer one.
type newInstance struct {
	instance
	Active             *bool           `json:"active"`
	GeoBlockingEnabled *bool           `json:"geoBlockingEnabled"`
	DeviceTypes        []newDeviceType `json:"deviceTypes"`
}

type newDeviceType struct {
	deviceType
	Enabled *bool `json:"enabled"`
}

func isTrue(given *bool) bool { return given == nil || *given }

const standardTokenTTL = 24 * 60 * 60 // seconds

func (n *newInstance) read() (instance, error) {
	i := n.instance
	i.Active, i.GeoBlockingEnabled = isTrue(n.Active), isTrue(n.GeoBlockingEnabled)
	if i.TokenTTL == 0 {
		i.TokenTTL = standardTokenTTL
	}
	if i.TrustedDeviceCheck == "" {
		i.TrustedDeviceCheck = checkStrict
	}
	for _, t := range n.DeviceTypes {
		t.deviceType.Enabled = isTrue(t.Enabled)
		if _, twice := i.deviceType(t.Code); twice || t.Max < 0 {
			return i, badRequest("A device type is there twice, or its max is negative.")
		}
		i.DeviceTypes = append(i.DeviceTypes, t.deviceType)
	}
	switch {
	case i.TokenTTL < 0 || i.TokenTTL > 10*365*standardTokenTTL:
		return i, badRequest("tokenTTL is not between 1 second and 10 years.")
	case !slices.Contains([]string{checkStrict, checkIfGiven, checkOff}, i.TrustedDeviceCheck):
		return i, badRequest("trustedDeviceCheck is none of strict, ifGiven and off.")
	case slices.ContainsFunc(i.Countries, func(c string) bool { return !countryForm.MatchString(c) }):
		return i, badRequest("A country is no ISO 3166-1 code of two letters.")
	}
	return i, nil
}

func (p *plugin) createInstance(ctx context.Context, n *newInstance) (any, error) {
	i, err := n.read()
	if err != nil {
		return nil, err
	}
	for _, t := range i.DeviceTypes {
		err := upsert(ctx, p.host.Store(deviceTypes), number(t.Code), func(known *namedType) bool {
			changed := *known != namedType{t.Code, t.Name}
			*known = namedType{t.Code, t.Name}
			return changed
		})
		if err != nil {
			return nil, err
		}
	}
	if _, err := p.host.Store(instances).Create(ctx, number(i.ID), i); err != nil {
		return nil, asExists(err)
	}
	return i, nil
}

type namedType struct {
	Code int64  `json:"code"`
	Name string `json:"name"`
}

func asExists(err error) error {
	if errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists) {
		return errExists
	}
	return err
}

// newUser is what createUser takes.
type newUser struct {
	InstanceID           int64   `json:"instanceId"`
	UserName             string  `json:"userName"`
	Password             string  `json:"password"`
	UniqueID             string  `json:"uniqueId"`
	Status               *status `json:"status"` // active when absent
	GeoblockingWhitelist bool    `json:"geoblockingWhitelist"`
}

type createdUser struct {
	UserID string `json:"userId"`
}

func (p *plugin) createUser(ctx context.Context, n *newUser) (any, error) {
	u := user{
		InstanceID: n.InstanceID, UniqueID: n.UniqueID, Email: normalUserName(n.UserName), Status: active,
		GeoblockingWhitelist: n.GeoblockingWhitelist, CreatedAt: millis(time.Now()),
	}
	if n.Status != nil {
		u.Status = *n.Status
	}
	switch at := strings.LastIndexByte(u.Email, '@'); {
	case at <= 0 || at == len(u.Email)-1 || len(u.Email) > maxUserNameChars:
		return nil, badRequest("userName is no e-mail address.")
	case n.Password == "" || len(n.Password) > passwords.MaxBytes:
		return nil, badRequest("password is empty or too long.")
	case u.Status < unknown || u.Status > excluded:
		return nil, badRequest("status is none of 0 to 4.")
	}
	if i, err := read[instance](ctx, p.host.Store(instances), number(u.InstanceID)); err != nil || !i.Found {
		return nil, errors.Join(err, unless(i.Found, errNoInstance))
	}
	u.ID = p.ids.user(u.InstanceID, u.Email)
	var err error
	if u.PasswordHash, err = p.passwords.Hash(ctx, n.Password); err != nil {
		return nil, err
	}
	if _, err := p.host.Store(users).Create(ctx, u.ID, u); err != nil {
		return nil, asExists(err)
	}
	return createdUser{u.ID}, nil
}

type newStatus struct {
	UserID string `json:"userId"`
	Status status `json:"status"`
}

// leadsTo reports whether an operator may change a status so: 0 is where unfinished accounts are, 4 is for ever but for him.
func (s status) leadsTo(next status) bool {
	if s == next || next == excluded {
		return true
	}
	switch s {
	case unknown:
		return next == awaitingEmailConfirmation || next == active
	case active:
		return next == suspended
	case awaitingEmailConfirmation, suspended, excluded:
		return next == active
	}
	return false
}

// setUserStatus changes a status. To leave active revokes the user's tokens, for good.
func (p *plugin) setUserStatus(ctx context.Context, n *newStatus) (any, error) {
	if n.Status < unknown || n.Status > excluded {
		return nil, badRequest("status is none of 0 to 4.")
	}
	return n, p.changeUser(ctx, n.UserID, func(u *user) error {
		if !u.Status.leadsTo(n.Status) {
			return errTransition
		}
		if u.Status == active && n.Status != active {
			u.TokenGeneration++
		}
		u.Status = n.Status
		return nil
	})
}

// changeUser changes a user who must be there, again when somebody else was faster.
func (p *plugin) changeUser(ctx context.Context, id string, change func(*user) error) error {
	if id == "" {
		return errNoUser
	}
	var refused error
	err := upsert(ctx, p.host.Store(users), id, func(u *user) bool {
		if u.ID == "" {
			refused = errNoUser
		} else {
			refused = change(u)
		}
		return refused == nil
	})
	return errors.Join(refused, err)
}

type newDevice struct {
	UserID       string `json:"userId"`
	DeviceType   int64  `json:"deviceType"`
	DeviceID     string `json:"deviceId"` // made when absent
	FriendlyName string `json:"friendlyName"`
	Enabled      *bool  `json:"enabled"`
}

type registeredDevice struct {
	DeviceID string `json:"deviceId"`
}

// registerTrustedDevice makes a device somebody's. It may be repeated: a device that is his already is his.
func (p *plugin) registerTrustedDevice(ctx context.Context, n *newDevice) (any, error) {
	if n.DeviceID == "" {
		n.DeviceID = uuid.NewString()
	}
	if len(n.DeviceID) > maxDeviceIDChars {
		return nil, badRequest("deviceId is too long.")
	}
	most, err := p.mostDevices(ctx, n.UserID, n.DeviceType)
	if err != nil {
		return nil, err
	}
	d := device{DeviceID: n.DeviceID, DeviceType: n.DeviceType, UserID: n.UserID, FriendlyName: n.FriendlyName, Enabled: isTrue(n.Enabled)}
	own := ownDevice{p.ids.device(n.DeviceID), n.DeviceType}
	_, err = p.host.Store(devices).Create(ctx, own.Key, d)
	created := err == nil
	if errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists) {
		err = p.isHis(ctx, own.Key, n)
	}
	if err != nil {
		return nil, err
	}
	err = p.changeUser(ctx, n.UserID, func(u *user) error { return u.own(own, most) })
	if err != nil && created {
		err = errors.Join(err, p.host.Store(devices).Delete(ctx, own.Key))
	}
	return registeredDevice{n.DeviceID}, err
}

// mostDevices gives how many devices of a type a user may have.
func (p *plugin) mostDevices(ctx context.Context, userID string, code int64) (int, error) {
	if userID == "" {
		return 0, errNoUser
	}
	u, err := read[user](ctx, p.host.Store(users), userID)
	if err != nil || !u.Found {
		return 0, errors.Join(err, unless(u.Found, errNoUser))
	}
	i, err := read[instance](ctx, p.host.Store(instances), number(u.Value.InstanceID))
	if err != nil {
		return 0, err
	}
	t, known := i.Value.deviceType(code)
	if !known {
		return 0, badRequest("deviceType is none that the instance knows.")
	}
	return t.Max, nil
}

func (p *plugin) isHis(ctx context.Context, key string, n *newDevice) error {
	d, err := read[device](ctx, p.host.Store(devices), key)
	if err == nil && (d.Value.UserID != n.UserID || d.Value.DeviceType != n.DeviceType) {
		return errExists
	}
	return err
}

// maxDevices bounds the devices of one user, whatever his instance allows.
const maxDevices = 1000

func (u *user) own(d ownDevice, most int) error {
	if slices.Contains(u.Devices, d) {
		return nil
	}
	has := 0
	for _, other := range u.Devices {
		if other.Type == d.Type {
			has++
		}
	}
	if most > 0 && has >= most || len(u.Devices) >= maxDevices {
		return errTooMany
	}
	u.Devices = append(u.Devices, d)
	return nil
}

type newEnabled struct {
	DeviceID string `json:"deviceId"`
	Enabled  bool   `json:"enabled"`
}

func (p *plugin) setDeviceEnabled(ctx context.Context, n *newEnabled) (any, error) {
	_, err := p.host.Store(devices).Update(ctx, p.ids.device(n.DeviceID), map[string]bool{"enabled": n.Enabled})
	if errors.Is(err, kerror.ServicesStorageNotFound) {
		err = errNoDevice
	}
	return n, err
}

// erased is what forget takes, and what the event identity:erased carries. Phones are nothing that this plugin knows.
type erased struct {
	AuraID    string `json:"auraId"`
	PhoneHMAC string `json:"phoneHmac"`
}

type forgotten struct {
	AuraID  string `json:"auraId"`
	Cleared int    `json:"cleared"`
}

func (p *plugin) forgetAuraID(ctx context.Context, e *erased) (any, error) {
	if e.AuraID == "" || len(e.AuraID) > maxAuraIDBytes {
		return nil, badRequest("auraId is missing or too long.")
	}
	n, err := p.forget(ctx, e.AuraID)
	return forgotten{e.AuraID, n}, err
}

// identityErased is told when somebody's Aura ID was erased. The plugin that erases calls forget, too, which is not lost.
func (p *plugin) identityErased(ctx context.Context, e *sdk.Event) {
	var what erased
	err := json.Unmarshal(e.Data, &what)
	if err == nil && what.AuraID != "" {
		_, err = p.forget(ctx, what.AuraID)
	}
	if err != nil {
		p.host.Logger().ErrorContext(ctx, "an Aura ID that was erased was not cleared", "error", err.Error())
	}
}
