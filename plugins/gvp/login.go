package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/passwords"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// loginObject is the Content of a login. Hashcode is null in every public answer, and nobody says what it is.
type loginObject struct {
	Token      string
	Expiration int64 // Unix seconds
	Hashcode   any
	SessionID  string `json:"SessionId"`
}

// loginUserPassword makes a token. Each call leaves one row in GVP_LogLogin, and the token is answered only after that. Of those
// that are refused as too many, an address has a bounded number of rows a minute, or anybody could fill the disk.
func (p *plugin) loginUserPassword(ctx context.Context, r *sdk.Request) (any, error) {
	a := p.newAttempt(r)
	content, err := p.login(ctx, a, r)
	if err == nil {
		return content, nil
	}
	f := asFailure(err)
	if f.outcome == tooManyRequests && !p.mayLogRefusal(ctx, a.ip) {
		p.metrics.rowsSpared.Inc()
		return nil, f
	}
	p.loginLog.keep(ctx, a.row(f.outcome, p.answers.number(f.outcome)))
	return nil, f
}

func (p *plugin) mayLogRefusal(ctx context.Context, ip string) bool {
	one, wait, err := p.refusals.Begin(ctx, ip, "")
	if err != nil || wait > 0 {
		return false
	}
	one.Fail() // what counts
	return true
}

// login checks in the order of the documentation: the password comes before all that depends on the user, so that nobody
// without it learns anything.
func (p *plugin) login(ctx context.Context, a *attempt, r *sdk.Request) (any, error) {
	c, err := readCredentials(r)
	a.credentials = c
	if err != nil {
		return nil, p.nameless(ctx, a.ip, err)
	}
	found, err := p.look(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := checkInstance(found.instance, c.deviceType); err != nil {
		return nil, p.nameless(ctx, a.ip, err)
	}
	if err := p.checkPassword(ctx, a.ip, c, found.user); err != nil {
		return nil, err
	}
	a.userID = found.user.Value.ID
	activates, err := checkStatus(found.user.Value, found.instance.Value)
	if err != nil {
		return nil, err
	}
	on, trusted, err := p.chooseDevice(ctx, c, found)
	if err != nil {
		return nil, err
	}
	a.deviceID = on.DeviceID
	if err := p.checkCountry(a, found.user.Value, found.instance.Value); err != nil {
		return nil, err
	}
	if activates {
		if err := p.activate(ctx, &found); err != nil {
			return nil, err
		}
	}
	return p.issue(ctx, a, found, on, trusted)
}

// findings are what a login depends on.
type findings struct {
	instance record[instance]
	user     record[user]
	device   record[device] // the one that the login names
}

// look reads everything at once: none of it needs the others to be found.
func (p *plugin) look(ctx context.Context, c credentials) (findings, error) {
	var f findings
	var errs [3]error
	var wait sync.WaitGroup
	wait.Go(func() { f.instance, errs[0] = read[instance](ctx, p.host.Store(instances), number(c.instanceID)) })
	wait.Go(func() { f.user, errs[1] = read[user](ctx, p.host.Store(users), p.ids.user(c.instanceID, c.userName)) })
	if c.deviceID != "" {
		wait.Go(func() { f.device, errs[2] = read[device](ctx, p.host.Store(devices), p.ids.device(c.deviceID)) })
	}
	wait.Wait()
	return f, errors.Join(errs[:]...)
}

func checkInstance(i record[instance], deviceType int64) error {
	if !i.Found || !i.Value.Active {
		return fail(invalidInstance)
	}
	if t, known := i.Value.deviceType(deviceType); !known || !t.Enabled {
		return fail(invalidDeviceType)
	}
	return nil
}

// nameless counts an attempt that names no account against its address alone. It gives why the attempt failed, or that there
// were too many.
func (p *plugin) nameless(ctx context.Context, ip string, why error) error {
	try, wait, err := p.throttle.Begin(ctx, ip, "")
	if err != nil {
		return err
	}
	if wait > 0 {
		p.metrics.throttled.Inc()
		return fail(tooManyRequests)
	}
	try.Fail()
	return why
}

// checkPassword costs one hash whether or not the account exists, unless too many were wrong.
func (p *plugin) checkPassword(ctx context.Context, ip string, c credentials, u record[user]) error {
	try, wait, err := p.throttle.Begin(ctx, ip, p.ids.user(c.instanceID, c.userName))
	if err != nil {
		return err
	}
	if wait > 0 {
		p.metrics.throttled.Inc()
		return fail(tooManyRequests)
	}
	defer try.Drop()
	matches, err := p.passwords.Matches(ctx, u.Value.PasswordHash, c.password)
	switch {
	case errors.Is(err, passwords.ErrBusy):
		return failBecause(tooManyRequests, err)
	case err != nil:
		return err
	case !matches:
		try.Fail()
		return fail(invalidUser)
	}
	try.Succeed()
	return nil
}

// checkStatus says whether a user may log in, and whether that makes him active.
func checkStatus(u user, i instance) (activates bool, err error) {
	switch u.Status {
	case active:
		return false, nil
	case awaitingEmailConfirmation:
		if i.AllowLoginBeforeEmailConfirmationFlag {
			return true, nil
		}
		return false, fail(notYetActivated)
	case suspended:
		return false, fail(userSuspended)
	case excluded:
		return false, fail(userExcluded)
	default:
		return false, fail(invalidUser)
	}
}

// chooseDevice gives the device that the token is for, and whether it is a trusted one.
func (p *plugin) chooseDevice(ctx context.Context, c credentials, f findings) (device, bool, error) {
	check, given := f.instance.Value.TrustedDeviceCheck, c.deviceID != ""
	if check == checkOff || check == checkIfGiven && !given {
		return device{DeviceID: "dt" + number(c.deviceType) + "-" + f.user.Value.ID, DeviceType: c.deviceType}, false, nil
	}
	var own []device
	if given {
		if f.device.Found {
			own = []device{f.device.Value}
		}
	} else {
		var err error
		if own, err = p.devicesOf(ctx, f.user.Value, c.deviceType); err != nil {
			return device{}, false, err
		}
	}
	own = slices.DeleteFunc(own, func(d device) bool { return d.UserID != f.user.Value.ID || d.DeviceType != c.deviceType })
	if len(own) == 0 {
		return device{}, false, fail(deviceUnknown)
	}
	own = slices.DeleteFunc(own, func(d device) bool { return !d.Enabled })
	if len(own) == 0 {
		return device{}, false, fail(deviceDisabled)
	}
	return slices.MaxFunc(own, func(a, b device) int { return cmp.Compare(a.LastUsedAt, b.LastUsedAt) }), true, nil
}

func (p *plugin) devicesOf(ctx context.Context, u user, deviceType int64) ([]device, error) {
	var keys []string
	for _, d := range u.Devices {
		if d.Type == deviceType {
			keys = append(keys, d.Key)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	found, err := readMany[device](ctx, p.host.Store(devices), keys)
	var own []device
	for _, key := range keys {
		if d := found[key]; d.Found {
			own = append(own, d.Value)
		}
	}
	return own, err
}

// checkCountry refuses addresses outside of the instance's countries. While nobody knows where an address is, it is refused
// too, as a fault of ours.
func (p *plugin) checkCountry(a *attempt, u user, i instance) error {
	if !i.GeoBlockingEnabled || u.GeoblockingWhitelist {
		return nil
	}
	if a.countryErr != nil {
		return a.countryErr
	}
	if !slices.Contains(i.Countries, a.country) {
		return fail(roaming)
	}
	return nil
}

// activate makes a user active who logs in before he has confirmed his e-mail. Whoever changed the account in the meantime
// has the last word.
func (p *plugin) activate(ctx context.Context, f *findings) error {
	store := p.host.Store(users)
	for {
		u := &f.user
		written, err := store.Update(ctx, u.Value.ID, map[string]any{"status": active}, sdk.IfVersion(u.Version))
		if err == nil {
			u.Value.Status, u.Version = active, written.Version
			return nil
		}
		if !errors.Is(err, kerror.ServicesStorageTooManyChanges) {
			return err
		}
		if *u, err = read[user](ctx, store, u.Value.ID); err != nil {
			return err
		}
		if activates, err := checkStatus(u.Value, f.instance.Value); err != nil || !activates {
			return err
		}
	}
}

// issue stores the token and the row of the log, and gives the token when both are safe.
func (p *plugin) issue(ctx context.Context, a *attempt, f findings, on device, trusted bool) (any, error) {
	u := f.user.Value
	now := time.Now()
	c := newClaims(u, on, trusted, time.Duration(f.instance.Value.TokenTTL)*time.Second, now)
	row := tokenRow{
		Prefix: loggedPrefix, UserID: u.ID, InstanceID: u.InstanceID, DeviceType: c.DeviceType,
		DeviceID: c.DeviceID, SessionID: c.SessionID, Generation: u.TokenGeneration, IssuedAt: millis(now), ExpiresAt: c.ExpiresAt,
		IP: a.ip, Country: a.country,
	}
	token, at, err := p.storeToken(ctx, c, row)
	if err != nil {
		return nil, err
	}
	a.sessionID = c.SessionID
	var wait sync.WaitGroup
	if trusted {
		wait.Go(func() { p.touch(ctx, on, now) })
	}
	err = p.loginLog.write(ctx, a.row(okay, p.answers.number(okay)))
	wait.Wait()
	if err != nil {
		a.sessionID = ""
		p.withdraw(ctx, at)
		return nil, err
	}
	p.strengthen(ctx, f.user, a.credentials.password)
	return loginObject{Token: token, Expiration: c.ExpiresAt / 1000, SessionID: c.SessionID}, nil
}

// touch notes when a device was used last; nothing depends on it but which device is chosen.
func (p *plugin) touch(ctx context.Context, d device, now time.Time) {
	if _, err := p.host.Store(devices).Update(ctx, p.ids.device(d.DeviceID), map[string]int64{"lastUsedAt": millis(now)}); err != nil {
		p.host.Logger().WarnContext(ctx, "the use of a device was not noted", "error", err.Error())
	}
}

// withdraw deletes the row of a token that is not given out. Nobody has its text, so that it may stay when that fails.
func (p *plugin) withdraw(ctx context.Context, at place) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
	defer cancel()
	if err := p.host.Store(tokens).Delete(ctx, at.id, sdk.IfVersion(at.version)); err != nil {
		p.host.Logger().WarnContext(ctx, "the row of a token that was not given out stays", "error", err.Error())
	}
}

// strengthen hashes a password anew that was hashed cheaper than is usual now.
func (p *plugin) strengthen(ctx context.Context, u record[user], password string) {
	if !p.passwords.Weak(u.Value.PasswordHash) {
		return
	}
	hash, err := p.passwords.Hash(ctx, password)
	if err == nil {
		_, err = p.host.Store(users).Update(ctx, u.Value.ID, map[string]string{"passwordHash": hash}, sdk.IfVersion(u.Version))
	}
	if err != nil && !errors.Is(err, kerror.ServicesStorageTooManyChanges) { // the next login does it
		p.host.Logger().WarnContext(ctx, "a weak hash of a password stays", "error", err.Error())
	}
}
