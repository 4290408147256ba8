package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// device is a document of afi_devices, named by a hash of its kind and what identifies it: of a browser that is a secret.
type device struct {
	Kind      string `json:"kind"`
	AFiUserID string `json:"AFiUserId"`
	// PublicKey is what signatures of a device of the kind uuid are verified with: base64 of its DER form.
	PublicKey string `json:"publicKey,omitempty"`
	// SealedKey is the AES key of a device of the kind deviceTag, sealed under the plugin's key ring.
	SealedKey  string         `json:"deviceKey,omitempty"`
	DeviceData jsontext.Value `json:"deviceData,omitempty"`
	IP         string         `json:"ip,omitempty"`
	Registered timestamp      `json:"registeredAt"`
	Disabled   *timestamp     `json:"disabledAt,omitempty"`
	// Used are the proofs that were taken and must not be again, each until it is stale anyway.
	Used []usedProof `json:"used,omitempty"`
}

type usedProof struct {
	Hash string    `json:"hash"`
	End  timestamp `json:"exp"`
}

// The kinds of devices. Those of the channel test are its own.
const (
	kindUUID      = "uuid"
	kindDeviceTag = "deviceTag"
	kindDeviceID  = "deviceId"
	kindChat      = "chat"
	kindTest      = "test"
)

func deviceKey(kind string, parts ...string) string {
	return keyOf(append([]string{"device", kind}, parts...)...)
}

// maxUsed bounds the proofs of one device within the time that they are fresh; one more is refused.
const maxUsed = 256

// use takes a proof that is good until end. Used before, it is invalidCredentials.
func (d *device) use(hash string, now, end time.Time) error {
	d.Used = slices.DeleteFunc(d.Used, func(u usedProof) bool { return !u.End.at.After(now) })
	switch {
	case slices.ContainsFunc(d.Used, func(u usedProof) bool { return u.Hash == hash }):
		return errInvalidCredentials
	case len(d.Used) >= maxUsed:
		return errTooManyAttempts.after(d.Used[0].End.at.Sub(now))
	}
	d.Used = append(d.Used, usedProof{hash, timestampOf(end.Add(time.Millisecond))})
	return nil
}

// see keeps what a device that has proven itself says about itself.
func (d *device) see(c *credentials, ip string) {
	d.IP = ip
	if c.deviceData != nil {
		d.DeviceData = c.deviceData
	}
}

var errPublicKey = errors.New("a public key is Ed25519 or ECDSA P-256, in PEM or as base64 of its DER form")

// parsePublicKey reads a key, which is an ed25519.PublicKey or an *ecdsa.PublicKey, and gives its DER form too.
func parsePublicKey(text string) (key any, der []byte, err error) {
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der = block.Bytes
	} else if b, ok := decode64(text); ok {
		der = b
	}
	key, err = x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, nil, errPublicKey
	}
	switch k := key.(type) {
	case ed25519.PublicKey:
		return key, der, nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return key, der, nil
		}
	}
	return nil, nil, errPublicKey
}
