package auth

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// configuredKey gives the key that the settings name to sign with, the zero key when it is that of the data folder. Its errors
// are for operators, as are those of all that reads keys.
func configuredKey(o Options) (key, error) {
	if o.Algorithm != "" && !slices.Contains(algorithms, o.Algorithm) {
		return key{}, unknownAlgorithm(o.Algorithm)
	}
	var k key
	var err error
	switch {
	case o.Secret != "":
		if k, err = secretKey([]byte(o.Secret)); err != nil {
			err = fmt.Errorf("security.authToken.secret: %w", err)
		}
	case o.PrivateKeyFile != "":
		k, err = keyFromFile(o.PrivateKeyFile)
	case o.KeysFile == "":
		err = errors.New("no key for tokens: configure security.authToken.secret or privateKeyFile")
	default:
		return key{}, nil
	}
	if err != nil {
		return key{}, fmt.Errorf("load the key of tokens: %w", err)
	}
	if k.private == nil {
		return key{}, fmt.Errorf("%s holds a public key: tokens are signed with a private one", o.PrivateKeyFile)
	}
	if wanted := cmp.Or(o.Algorithm, k.algorithm()); wanted != k.algorithm() {
		return key{}, fmt.Errorf("the key of tokens is one for %s, but security.authToken.algorithm is %s", k.algorithm(), wanted)
	}
	return k, nil
}

// configuredRetired gives the keys that the settings name to verify with.
func configuredRetired(o Options) ([]key, error) {
	retired := make([]key, 0, len(o.RetiredSecrets)+len(o.RetiredKeyFiles))
	for i, secret := range o.RetiredSecrets {
		k, err := secretKey([]byte(secret))
		if err != nil {
			return nil, fmt.Errorf("security.authToken.retiredSecrets, number %d: %w", i+1, err)
		}
		retired = append(retired, k)
	}
	for _, file := range o.RetiredKeyFiles {
		k, err := keyFromFile(file)
		if err != nil {
			return nil, fmt.Errorf("security.authToken.retiredKeyFiles: %w", err)
		}
		k.private = nil
		retired = append(retired, k)
	}
	return retired, nil
}

// CheckKey reports what Open would say of the keys, without making one.
func CheckKey(o Options) error {
	signing, err := configuredKey(o)
	if err != nil {
		return err
	}
	retired, err := configuredRetired(o)
	if err != nil {
		return err
	}
	r, _, err := loadRing(o)
	if err != nil {
		return err
	}
	if signing.id == "" && r.current() == nil {
		return nil // Open makes it
	}
	_, err = newKeys(signing, retired, r)
	return err
}
