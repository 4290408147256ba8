package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// binding is the Aura ID of a user on a device. Every token of that device uses it, so that there is one place to clear.
type binding struct {
	UserID   string `json:"userId"`
	DeviceID string `json:"deviceId"`
	AuraID   string `json:"auraId"`
	At       int64  `json:"auraIdAt"`
}

// owners are the bindings that hold one Aura ID. The Aura ID itself is not in it: it outlives the erasure.
type owners struct {
	Bindings []string `json:"bindings"`
	// ForgottenAt is when the Aura ID was erased, 0 for never: what was asked for before must not be stored after.
	ForgottenAt int64 `json:"forgottenAt"`
}

// auraIDOf gives the Aura ID of the session's device: the stored one, else one that the fourth platform is asked for. Requests
// of one device that come together ask once.
func (p *plugin) auraIDOf(ctx context.Context, s session, correlator string) (string, error) {
	if s.auraID != "" {
		valid, err := p.stillValid(ctx, s, correlator)
		if err != nil || valid {
			return s.auraID, err
		}
	}
	key := p.ids.binding(s.UserID, s.DeviceID)
	return p.flights.do(ctx, key, func(ctx context.Context) (string, error) {
		kept, err := read[binding](ctx, p.host.Store(auraIDs), key)
		if err != nil || kept.Found { // another request has just stored it
			return kept.Value.AuraID, err
		}
		return p.askForAuraID(ctx, s, correlator)
	})
}

// stillValid asks Aura, when the operator wants that. An Aura ID that is nobody's any more is cleared.
func (p *plugin) stillValid(ctx context.Context, s session, correlator string) (bool, error) {
	if !p.config.AuraID.Validate {
		return true, nil
	}
	lives, err := p.aura.lives(ctx, s.auraID, correlator)
	if err != nil || lives {
		return lives, err
	}
	return false, p.unbind(ctx, p.ids.binding(s.UserID, s.DeviceID), s.auraID)
}

func (p *plugin) askForAuraID(ctx context.Context, s session, correlator string) (string, error) {
	started := time.Now()
	platformID, token, err := p.platform.authenticate(ctx, s.user.UniqueID, correlator)
	if err != nil {
		return "", err
	}
	auraID, err := p.aura.identify(ctx, s.user, platformID, token, correlator)
	if err != nil {
		return "", err
	}
	return auraID, p.bind(ctx, s, auraID, started)
}

// bind stores an Aura ID that was asked for at a time. The order of its writes and of those of forget makes sure that none
// stays that was erased in the meantime: the owners are written first and read again last.
func (p *plugin) bind(ctx context.Context, s session, auraID string, asked time.Time) error {
	key := p.ids.binding(s.UserID, s.DeviceID)
	forgotten := false
	err := p.changeOwners(ctx, auraID, func(o *owners) bool {
		if forgotten = o.ForgottenAt >= millis(asked); forgotten || slices.Contains(o.Bindings, key) {
			return false
		}
		o.Bindings = append(o.Bindings, key)
		return true
	})
	if err != nil || forgotten {
		return err
	}
	if _, err := p.host.Store(auraIDs).Put(ctx, key, binding{s.UserID, s.DeviceID, auraID, millis(time.Now())}); err != nil {
		return err
	}
	now, err := read[owners](ctx, p.host.Store(auraOwners), p.ids.aura(auraID))
	if err != nil || now.Value.ForgottenAt >= millis(asked) {
		return errors.Join(err, p.unbind(ctx, key, auraID))
	}
	return nil
}

// unbind clears a binding if it holds that Aura ID.
func (p *plugin) unbind(ctx context.Context, key, auraID string) error {
	store := p.host.Store(auraIDs)
	for {
		b, err := read[binding](ctx, store, key)
		if err != nil || !b.Found || b.Value.AuraID != auraID {
			return err
		}
		err = store.Delete(ctx, key, sdk.IfVersion(b.Version))
		if err == nil || !errors.Is(err, kerror.ServicesStorageTooManyChanges) && !errors.Is(err, kerror.ServicesStorageNotFound) {
			return err
		}
	}
}

// forget clears an Aura ID that was erased, wherever it is. It may be called again.
func (p *plugin) forget(ctx context.Context, auraID string) (cleared int, err error) {
	var keys []string
	err = p.changeOwners(ctx, auraID, func(o *owners) bool {
		keys, o.ForgottenAt = o.Bindings, millis(time.Now())
		return true
	})
	if err != nil {
		return 0, err
	}
	for _, key := range keys {
		if err := p.unbind(ctx, key, auraID); err != nil {
			return 0, err
		}
	}
	return len(keys), p.changeOwners(ctx, auraID, func(o *owners) bool {
		o.Bindings = slices.DeleteFunc(o.Bindings, func(key string) bool { return slices.Contains(keys, key) })
		return true
	})
}

// changeOwners changes the owners of an Aura ID, again when somebody else was faster. change reports whether there is anything
// to write.
func (p *plugin) changeOwners(ctx context.Context, auraID string, change func(*owners) bool) error {
	return upsert(ctx, p.host.Store(auraOwners), p.ids.aura(auraID), change)
}

// upsert reads a document, or takes an empty one, and writes what change made of it; again when somebody else was faster.
func upsert[T any](ctx context.Context, store sdk.Store, id string, change func(*T) bool) error {
	for {
		now, err := read[T](ctx, store, id)
		if err != nil || !change(&now.Value) {
			return err
		}
		if now.Found {
			_, err = store.Replace(ctx, id, now.Value, sdk.IfVersion(now.Version))
		} else {
			_, err = store.Create(ctx, id, now.Value)
		}
		if err == nil || !lostRace(err) {
			return err
		}
	}
}

func lostRace(err error) bool {
	return errors.Is(err, kerror.ServicesStorageTooManyChanges) || errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists) ||
		errors.Is(err, kerror.ServicesStorageNotFound)
}
