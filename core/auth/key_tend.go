package auth

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// SigningKey is what may be told of a key that signs or verifies tokens.
type SigningKey struct {
	ID        string
	Algorithm string
	// Signs is set for the one key that signs new tokens; the others only verify.
	Signs bool
	// Configured is set for a key of the settings, of which the times are not known.
	Configured bool
	Created    time.Time
	// Retired is zero for a key that signs, or would without the one of the settings.
	Retired time.Time
}

// ListKeys gives the keys of the settings and of the data folder, the one that signs first. Nothing is made.
func ListKeys(o Options) ([]SigningKey, error) {
	signing, err := configuredKey(o)
	if err != nil {
		return nil, err
	}
	retired, err := configuredRetired(o)
	if err != nil {
		return nil, err
	}
	r, _, err := loadRing(o)
	if err != nil {
		return nil, err
	}
	var list []SigningKey
	if signing.id != "" {
		list = append(list, SigningKey{ID: signing.id, Algorithm: signing.algorithm(), Signs: true, Configured: true})
	}
	for _, k := range r {
		list = append(list, k.info(signing.id == ""))
	}
	for _, k := range retired {
		list = append(list, SigningKey{ID: k.id, Algorithm: k.algorithm(), Configured: true})
	}
	return list, nil
}

// info tells of a key; signs is whether the data folder has the key that signs.
func (k ringKey) info(signs bool) SigningKey {
	return SigningKey{
		ID: k.id, Algorithm: k.algorithm(), Signs: signs && k.retired.IsZero(), Created: k.created, Retired: k.retired,
	}
}

// RotateKey makes a new key in the data folder that signs from now on; those before it go on verifying. algorithm is "" for the
// configured one, or that of the key before. A node that runs on the folder takes the key over.
func RotateKey(o Options, algorithm string) (SigningKey, error) {
	signing, err := configuredKey(o)
	switch {
	case err != nil:
		return SigningKey{}, err
	case signing.id != "":
		return SigningKey{}, errConfigured(o)
	case o.Algorithm != "" && algorithm != "" && algorithm != o.Algorithm:
		return SigningKey{}, fmt.Errorf("security.authToken.algorithm is %s: take it out of the settings to choose one here, "+
			"or change it there and restart the node, which then makes a key for %s", o.Algorithm, algorithm)
	}
	r, _, err := changeRing(o, func(r ring, _ bool) (ring, error) {
		current := r.current()
		if current == nil {
			return nil, errNoKeys
		}
		return r.rotate(cmp.Or(algorithm, o.Algorithm, current.algorithm()), time.Now().UTC())
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = errNoKeys
	}
	if err != nil {
		return SigningKey{}, err
	}
	return r.current().info(true), nil
}

var errNoKeys = errors.New("the data folder has no keys: the node makes them when it is started there for the first time; " +
	"name its folder with --data, or its settings with --config")

// errConfigured says how a key of the settings is changed.
func errConfigured(o Options) error {
	setting, retired := "secret", "retiredSecrets"
	if o.Secret == "" {
		setting, retired = "privateKeyFile", "retiredKeyFiles"
	}
	return fmt.Errorf("the settings name the key that signs, so it changes there. Without logging anyone out:\n"+
		"  1. on every node, add the new key to security.authToken.%[2]s, and restart it: all nodes know the new key\n"+
		"  2. on every node, make the new key security.authToken.%[1]s, put the old one into %[2]s, and restart it\n"+
		"  3. take the old one out of %[2]s when no token or API key is signed with it any more", setting, retired)
}

// RemoveKey takes a retired key out of the data folder: what it signed ends, API keys too.
func RemoveKey(o Options, id string) error {
	list, err := ListKeys(o)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(list, func(k SigningKey) bool { return k.ID == id })
	switch {
	case at < 0:
		return fmt.Errorf("there is no key %.64q: \"sluice keys list\" names all", id)
	case list[at].Configured && list[at].Signs:
		return errConfigured(o)
	case list[at].Configured:
		return errors.New("the settings name it: take it out of security.authToken.retiredSecrets or retiredKeyFiles, and restart the node")
	case list[at].Signs:
		return errors.New("it signs new tokens: run \"sluice keys rotate\" first")
	}
	_, _, err = changeRing(o, func(r ring, _ bool) (ring, error) {
		return slices.DeleteFunc(slices.Clone(r), func(k ringKey) bool { return k.id == id }), nil
	})
	return err
}
