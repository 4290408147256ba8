package main

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/sluicehq/sluice/plugins/sdk"
)

// registry keeps the users. It only reads and writes by document id, and writes in an order in which whatever is cut off in
// between is found again, or is no more than an id that leads nowhere:
//
//	new: global, auraId, telephone number, record
//	erased: global, telephone number, record, auraId
//
// So what refers to a record is there as long as it is, and a record is never out of reach of an erasure.
type registry struct {
	keys      *keys
	users     documents[record]
	pointers  documents[pointer]
	globals   documents[global]
	globalIDs documents[owner]
	phones    documents[phone]
}

func newRegistry(host *sdk.Host, k *keys) registry {
	return registry{
		k,
		documents[record]{host.Store(usersCollection)},
		documents[pointer]{host.Store(auraIDsCollection)},
		documents[global]{host.Store(globalsCollection)},
		documents[owner]{host.Store(globalIDsCollection)},
		documents[phone]{host.Store(phonesCollection)},
	}
}

// person names who it is. Ids of one kind are nobody's of another.
func (g registry) person(u newUser) string {
	switch {
	case u.external:
		return g.keys.hmac("external", u.auraID)
	case u.userID == "":
		return g.keys.hmac("authorization", u.authorizationID)
	}
	return g.keys.hmac("person", u.userID)
}

func (g registry) key(channelID, person string) string { return g.keys.hmac("user", channelID, person) }

// register gives the record of a user in a channel: the one that is there, with what is new about him, or a new one.
func (g registry) register(ctx context.Context, u newUser) (*record, error) {
	person := g.person(u)
	key := g.key(u.channelID, person)
	for race := range maxRaces {
		r, version, err := g.users.get(ctx, key)
		if err != nil {
			return nil, err
		}
		var done bool
		if r != nil {
			if u.unproven {
				return nil, errTaken
			}
			done, err = g.renew(ctx, key, r, version, u)
			if done && err == nil && u.external { // an erasure of the same id may have taken its pointer
				_, err = g.point(ctx, u, r.AuraID, key)
			}
		} else {
			r, done, err = g.create(ctx, key, person, u)
		}
		if done || err != nil {
			return r, err
		}
		if err := pause(ctx, race); err != nil {
			return nil, err
		}
	}
	return nil, errRaces
}

// renew writes what is new about a user, if anything, and reports whether the record was still the one that was read.
func (g registry) renew(ctx context.Context, key string, r *record, version int64, u newUser) (bool, error) {
	hmac := g.keys.phoneHMAC(u.phoneNumber)
	newAuthorization := u.authorizationID != "" && u.authorizationID != r.AuthorizationID
	newPhone := hmac != "" && hmac != r.PhoneHMAC
	if !newAuthorization && !newPhone {
		return true, nil
	}
	oldPhone := r.PhoneHMAC
	if newAuthorization {
		r.AuthorizationID = u.authorizationID
	}
	if newPhone {
		if err := g.addPhone(ctx, hmac, key); err != nil {
			return false, err
		}
		r.PhoneHMAC, r.PhoneNumber = hmac, g.keys.sealPhone(u.phoneNumber)
	}
	r.UpdatedAt = now()
	done, err := g.users.replace(ctx, key, r, version)
	if !done || err != nil || !newPhone || oldPhone == "" {
		return done, err
	}
	return true, g.removePhone(ctx, oldPhone, key)
}

// create makes a record, and reports whether nobody else was faster.
func (g registry) create(ctx context.Context, key, person string, u newUser) (*record, bool, error) {
	auraIDGlobal, err := g.joinGlobal(ctx, person, u.channelID)
	if err != nil {
		return nil, false, err
	}
	r := &record{
		AuraID: u.auraID, AuraIDGlobal: auraIDGlobal, Person: person, UserID: u.userID, AuthorizationID: u.authorizationID,
		ChannelID: u.channelID, PhoneHMAC: g.keys.phoneHMAC(u.phoneNumber), PhoneNumber: g.keys.sealPhone(u.phoneNumber),
		Type: authenticatedUser, CreatedAt: now(),
	}
	if u.external {
		r.Type = externalUser
	}
	r.UpdatedAt = r.CreatedAt
	if r.AuraID == "" {
		r.AuraID = uuid.NewString()
	}
	replaced, err := g.point(ctx, u, r.AuraID, key)
	if err != nil {
		return nil, false, err
	}
	if err := g.addPhone(ctx, r.PhoneHMAC, key); err != nil {
		return nil, false, err
	}
	done, err := g.users.create(ctx, key, r)
	switch {
	case err != nil:
	case !done && u.auraID == "": // the other's record has another auraId
		err = g.unpoint(ctx, r.AuraID, key)
	case done && replaced != "":
		err = g.drop(ctx, replaced, r.AuraID)
	}
	return r, done, err
}

// drop removes the external record whose auraId another one has taken over.
func (g registry) drop(ctx context.Context, key, auraID string) error {
	r, version, err := g.users.get(ctx, key)
	if err != nil || r == nil || r.AuraID != auraID {
		return err
	}
	if err := g.leaveGlobal(ctx, r.Person, r.AuraIDGlobal, r.ChannelID); err != nil {
		return err
	}
	if err := g.removePhone(ctx, r.PhoneHMAC, key); err != nil {
		return err
	}
	_, err = g.users.remove(ctx, key, version)
	return err
}

var errTaken = fail(alreadyExists, "the auraId belongs to another channel or user")

// point makes an auraId lead to a key. One that leads to another record already is taken, unless that is an external one of
// the channel which u takes over: replaced is then its key. One that leads nowhere is free.
func (g registry) point(ctx context.Context, u newUser, auraID, key string) (replaced string, err error) {
	for range maxRaces {
		created, err := g.pointers.create(ctx, auraID, &pointer{key})
		if created || err != nil {
			return "", err
		}
		p, version, err := g.pointers.get(ctx, auraID)
		if err != nil || p != nil && p.Key == key {
			return "", err
		}
		if p == nil {
			continue
		}
		r, _, err := g.users.get(ctx, p.Key)
		if err != nil {
			return "", err
		}
		if r != nil && r.AuraID == auraID {
			if u.external || r.Type != externalUser || r.ChannelID != u.channelID {
				return "", errTaken
			}
			replaced = p.Key
		}
		if done, err := g.pointers.replace(ctx, auraID, &pointer{key}, version); done || err != nil {
			return replaced, err
		}
	}
	return "", errRaces
}

func (g registry) unpoint(ctx context.Context, auraID, key string) error {
	return g.pointers.edit(ctx, auraID, func(p *pointer) (*pointer, bool) { return nil, p != nil && p.Key == key })
}

// joinGlobal gives a person's id over all channels, and notes that the channel has a record.
func (g registry) joinGlobal(ctx context.Context, person, channelID string) (string, error) {
	var auraIDGlobal string
	fresh := uuid.NewString()
	err := g.globals.edit(ctx, person, func(have *global) (*global, bool) {
		switch {
		case have == nil:
			auraIDGlobal = fresh
			return &global{fresh, []string{channelID}}, true
		case slices.Contains(have.Channels, channelID):
			auraIDGlobal = have.AuraIDGlobal
			return have, false
		default:
			auraIDGlobal = have.AuraIDGlobal
			return &global{have.AuraIDGlobal, append(have.Channels, channelID)}, true
		}
	})
	if err != nil {
		return "", err
	}
	_, err = g.globalIDs.create(ctx, auraIDGlobal, &owner{person}) // there already, unless it is fresh or was cut off
	return auraIDGlobal, err
}

// leaveGlobal takes a channel from a person's id, and the id away with the last one.
func (g registry) leaveGlobal(ctx context.Context, person, auraIDGlobal, channelID string) error {
	last := false
	err := g.globals.edit(ctx, person, func(have *global) (*global, bool) {
		last = have == nil
		if have == nil || have.AuraIDGlobal != auraIDGlobal {
			return have, false
		}
		rest := slices.DeleteFunc(slices.Clone(have.Channels), func(c string) bool { return c == channelID })
		if last = len(rest) == 0; last {
			return nil, true
		}
		return &global{auraIDGlobal, rest}, len(rest) != len(have.Channels)
	})
	if err != nil || !last {
		return err
	}
	return g.globalIDs.edit(ctx, auraIDGlobal, func(o *owner) (*owner, bool) { return nil, o != nil })
}

// maxUsersPerPhone bounds what one telephone number can take up.
const maxUsersPerPhone = 1000

func (g registry) addPhone(ctx context.Context, hmac, key string) error {
	if hmac == "" {
		return nil
	}
	full := false
	err := g.phones.edit(ctx, hmac, func(have *phone) (*phone, bool) {
		switch {
		case have == nil:
			return &phone{[]string{key}}, true
		case slices.Contains(have.Keys, key):
			return have, false
		case len(have.Keys) >= maxUsersPerPhone:
			full = true
			return have, false
		default:
			return &phone{append(have.Keys, key)}, true
		}
	})
	if err == nil && full {
		return invalid("phoneNumber", "belongs to too many users")
	}
	return err
}

func (g registry) removePhone(ctx context.Context, hmac, key string) error {
	if hmac == "" {
		return nil
	}
	return g.phones.edit(ctx, hmac, func(have *phone) (*phone, bool) {
		if have == nil || !slices.Contains(have.Keys, key) {
			return have, false
		}
		rest := slices.DeleteFunc(slices.Clone(have.Keys), func(k string) bool { return k == key })
		if len(rest) == 0 {
			return nil, true
		}
		return &phone{rest}, true
	})
}

// byAuraID gives a record; nil when there is none.
func (g registry) byAuraID(ctx context.Context, auraID string) (key string, r *record, err error) {
	p, _, err := g.pointers.get(ctx, auraID)
	if p == nil || err != nil {
		return "", nil, err
	}
	r, _, err = g.users.get(ctx, p.Key)
	if err != nil || r == nil || r.AuraID != auraID {
		return "", nil, err
	}
	return p.Key, r, nil
}

// byPerson gives a record; nil when there is none.
func (g registry) byPerson(ctx context.Context, channelID, person string) (key string, r *record, err error) {
	key = g.key(channelID, person)
	r, _, err = g.users.get(ctx, key)
	return key, r, err
}

// byGlobal gives the record of an auraIdGlobal in a channel; nil when there is none.
func (g registry) byGlobal(ctx context.Context, auraIDGlobal, channelID string) (*record, error) {
	o, _, err := g.globalIDs.get(ctx, auraIDGlobal)
	if o == nil || err != nil {
		return nil, err
	}
	_, r, err := g.byPerson(ctx, channelID, o.Person)
	if r != nil && r.AuraIDGlobal != auraIDGlobal {
		r = nil
	}
	return r, err
}

// byPhone gives the keys of the records with a telephone number, and perhaps of some that are gone.
func (g registry) byPhone(ctx context.Context, hmac string) ([]string, error) {
	have, _, err := g.phones.get(ctx, hmac)
	if have == nil || err != nil {
		return nil, err
	}
	return have.Keys, nil
}

// erase removes a record and all that refers to it. It may be repeated after it was cut off, also when somebody has
// registered anew in the meantime: what it removes is the record it was called for.
func (g registry) erase(ctx context.Context, e erased) error {
	for range maxRaces {
		r, version, err := g.users.get(ctx, e.Key)
		if err != nil {
			return err
		}
		if r == nil {
			return g.unpoint(ctx, e.AuraID, e.Key)
		}
		if r.incarnation() != e.Incarnation {
			return nil
		}
		if err := g.leaveGlobal(ctx, r.Person, r.AuraIDGlobal, r.ChannelID); err != nil {
			return err
		}
		if err := g.removePhone(ctx, r.PhoneHMAC, e.Key); err != nil {
			return err
		}
		done, err := g.users.remove(ctx, e.Key, version)
		if err != nil {
			return err
		}
		if done {
			return g.unpoint(ctx, e.AuraID, e.Key)
		}
	}
	return errRaces
}
