package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"time"
)

// proof is who credentials belong to.
type proof struct {
	userID string
	// device is the key of the device, "" for none.
	device string
	// lifetime replaces that of the channel when it is not 0.
	lifetime time.Duration
}

// prove is how the credentials of a channel are verified. Whatever is wrong with them is invalidCredentials.
type prove func(p *plugin, ctx context.Context, c *credentials, ip string) (proof, error)

var proofs = map[string]prove{
	"internet":           (*plugin).provePassword,
	"android":            (*plugin).proveSignature,
	"browser":            (*plugin).proveDeviceID,
	"statementGenerator": (*plugin).proveNothing,
	"dicBuilder":         (*plugin).proveNothing,
	"chat":               (*plugin).proveLink,
	"android_v1":         (*plugin).proveSealedTime,
	"mobile":             (*plugin).proveSealedTime,
	"ios_v1":             (*plugin).proveSealedTime,
	"test":               (*plugin).demo,
}

// account is what guesses are counted by, "" for nothing but the address.
func (c *credentials) account() string {
	switch c.channel {
	case "internet":
		return "name\x00" + normalName(c.fields["userName"])
	case "android":
		return "uuid\x00" + c.fields["uuid"]
	case "browser":
		return "deviceId\x00" + c.fields["deviceId"]
	case "android_v1", "mobile", "ios_v1":
		return "deviceTag\x00" + c.fields["deviceTag"]
	}
	return "" // services prove themselves, not an account
}

// provePassword takes the same time for a name that nobody has.
func (p *plugin) provePassword(ctx context.Context, c *credentials, _ string) (proof, error) {
	key, password := nameKey(c.fields["userName"]), c.fields["password"]
	var l login
	if _, err := read(ctx, p.names, key, &l); err != nil && !isNotFound(err) {
		return proof{}, err
	}
	ok, err := p.hasher.Matches(ctx, l.PasswordHash, password)
	switch {
	case err != nil:
		return proof{}, err
	case !ok:
		return proof{}, errInvalidCredentials
	}
	if p.hasher.Weak(l.PasswordHash) {
		p.strengthen(ctx, key, l.PasswordHash, password)
	}
	return proof{userID: l.AFiUserID}, nil
}

// strengthen hashes a password anew. The login does not depend on it.
func (p *plugin) strengthen(ctx context.Context, key, old, password string) {
	hash, err := p.hasher.Hash(ctx, password)
	if err == nil {
		err = change(ctx, p, p.names, key, func(l *login) error {
			if l.PasswordHash == old {
				l.PasswordHash = hash
			}
			return nil
		})
	}
	if err != nil {
		p.host.Logger().WarnContext(ctx, "a weak password hash stays", "error", err.Error())
	}
}

// usable reads a device that may prove something: one that is registered and not disabled.
func (p *plugin) usable(ctx context.Context, key string) (device, error) {
	var d device
	_, err := read(ctx, p.devices, key, &d)
	if isNotFound(err) || err == nil && d.Disabled != nil {
		err = errInvalidCredentials
	}
	return d, err
}

// proveSignature takes an Ed25519 or ECDSA signature of the device's own key. With dtsValueString in it, it must be fresh and
// is good once; without, it can be replayed, so that the token is good for a short time only.
func (p *plugin) proveSignature(ctx context.Context, c *credentials, ip string) (proof, error) {
	key := deviceKey(kindUUID, c.fields["uuid"])
	d, err := p.usable(ctx, key)
	switch {
	case err != nil:
		return proof{}, err
	case !p.signed(&d, c):
		return proof{}, errInvalidCredentials
	}
	by := proof{userID: d.AFiUserID, device: key}
	at, timed := c.time()
	_, hasSignature := c.fields["signature"]
	switch {
	case !timed || !hasSignature:
		p.metrics.replayable.Inc()
		by.lifetime = min(p.settings.Android.ReplayableLifetime.Duration, p.settings.lifetime(c.channel))
		return by, p.notice(ctx, key, &d, c, ip)
	case !p.settings.fresh(at, time.Now()):
		return proof{}, errInvalidCredentials
	}
	// What was signed is one-time, not the signature: ECDSA has two for everything signed.
	return by, p.useOnce(ctx, key, digest(signedText(c)), c, ip)
}

// signed verifies the signature; none is as good where the operator said so.
func (p *plugin) signed(d *device, c *credentials) bool {
	text, given := c.fields["signature"]
	if !given {
		return !p.settings.Android.RequireSignature
	}
	signature, ok := decode64(text)
	public, _, err := parsePublicKey(d.PublicKey)
	if !ok || err != nil {
		return false
	}
	message := signedText(c)
	switch k := public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(k, []byte(message), signature)
	case *ecdsa.PublicKey:
		sum := digest(message)
		return ecdsa.VerifyASN1(k, sum[:], signature)
	}
	return false
}

// signedText is what a device of the channel android signs. None of its parts holds a line end: else a tag could end in a
// time, and what was signed with a time would be good without one, again and again.
func signedText(c *credentials) string {
	text := "AFi-v1\nandroid\n" + c.fields["uuid"] + "\n" + c.fields["deviceTagOpen"]
	if at, ok := c.fields[dts.name]; ok {
		text += "\n" + at
	}
	return text
}

// proveDeviceID takes the device's id for a secret, which it is. The key of the document is its hash.
func (p *plugin) proveDeviceID(ctx context.Context, c *credentials, ip string) (proof, error) {
	return p.proveKnown(ctx, deviceKey(kindDeviceID, c.fields["deviceId"]), c, ip)
}

// proveLink believes the gateway that the message is of that account of the transport.
func (p *plugin) proveLink(ctx context.Context, c *credentials, ip string) (proof, error) {
	return p.proveKnown(ctx, deviceKey(kindChat, c.fields["transport"], c.fields["transportUserId"]), c, ip)
}

func (p *plugin) proveKnown(ctx context.Context, key string, c *credentials, ip string) (proof, error) {
	d, err := p.usable(ctx, key)
	if err != nil {
		return proof{}, err
	}
	return proof{userID: d.AFiUserID, device: key}, p.notice(ctx, key, &d, c, ip)
}

// proveNothing believes the service that has proven itself.
func (p *plugin) proveNothing(_ context.Context, c *credentials, _ string) (proof, error) {
	return proof{userID: c.fields["userId"]}, nil
}

// proveSealedTime takes dtsValueString sealed with the device's own key: fresh, for this channel, and once.
func (p *plugin) proveSealedTime(ctx context.Context, c *credentials, ip string) (proof, error) {
	tag, text := c.fields["deviceTag"], c.fields[dts.name]
	key := deviceKey(kindDeviceTag, tag)
	d, err := p.usable(ctx, key)
	if err != nil {
		return proof{}, err
	}
	secret, err := p.ring.Open(sealedFor(key), d.SealedKey)
	if err != nil {
		p.host.Logger().LogAttrs(ctx, slog.LevelError, "a device key does not open", slog.String("device", key))
		return proof{}, errInvalidCredentials
	}
	sealedText, _ := decode64(c.fields["cryptotext"]) // the schema has looked
	plain, ok := openTime(secret, sealedText, "AFi-v1/"+c.channel+"/"+tag)
	at, _ := c.time()
	if !ok || subtle.ConstantTimeCompare(plain, []byte(text)) != 1 || !p.settings.fresh(at, time.Now()) {
		return proof{}, errInvalidCredentials
	}
	return proof{userID: d.AFiUserID, device: key}, p.useOnce(ctx, key, sha256.Sum256(sealedText), c, ip)
}

// sealedFor is the purpose that a device's key is sealed for.
func sealedFor(device string) string { return "afi-device-key/" + device }

const gcmNonceBytes = 12

// openTime opens nonce and AES-256-GCM ciphertext.
func openTime(key, sealedText []byte, purpose string) ([]byte, bool) {
	block, err := aes.NewCipher(key)
	if err != nil || len(sealedText) < gcmNonceBytes {
		return nil, false
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, false
	}
	plain, err := aead.Open(nil, sealedText[:gcmNonceBytes], sealedText[gcmNonceBytes:], []byte(purpose))
	return plain, err == nil
}

// useOnce takes a proof if it was not taken before; when that cannot be written, there is no token.
func (p *plugin) useOnce(ctx context.Context, key string, hash [sha256.Size]byte, c *credentials, ip string) error {
	now := time.Now()
	err := change(ctx, p, p.devices, key, func(d *device) error {
		if d.Disabled != nil {
			return errInvalidCredentials
		}
		d.see(c, ip)
		return d.use(encode(hash), now, now.Add(2*p.settings.Skew.Duration))
	})
	if isNotFound(err) {
		return errInvalidCredentials
	}
	return err
}

// notice writes what a device says about itself, if that is news.
func (p *plugin) notice(ctx context.Context, key string, d *device, c *credentials, ip string) error {
	if c.deviceData == nil || string(d.DeviceData) == string(c.deviceData) {
		return nil
	}
	return change(ctx, p, p.devices, key, func(d *device) error {
		d.see(c, ip)
		return nil
	})
}

// demo gives everybody the demo user of a device tag, and makes it when there is none.
func (p *plugin) demo(ctx context.Context, c *credentials, ip string) (proof, error) {
	if at, ok := c.time(); ok && !p.settings.fresh(at, time.Now()) {
		return proof{}, errInvalidCredentials
	}
	tag := c.fields["deviceTag"]
	by := proof{userID: demoUserID(tag), device: deviceKey(kindTest, tag)}
	var d device
	_, err := read(ctx, p.devices, by.device, &d)
	switch {
	case isNotFound(err):
		return by, p.newDemo(ctx, by, c, ip)
	case err != nil:
		return proof{}, err
	}
	return by, p.notice(ctx, by.device, &d, c, ip)
}

// newDemo makes user, then device: with the device there is the user. Somebody else may be making them too.
func (p *plugin) newDemo(ctx context.Context, by proof, c *credentials, ip string) error {
	if !p.demoUsers.Allow() {
		return errTooManyAttempts.after(time.Minute)
	}
	now := timestampOf(time.Now())
	u := user{
		AFiUserID: by.userID, Created: now, Modified: now, Segment: "demo",
		IsFullyRegistered: true, IsLocalSavingAllowed: true, Live: []liveToken{},
	}
	if _, err := p.users.Create(ctx, u.AFiUserID, u); err != nil && !isTaken(err) {
		return err
	}
	d := device{Kind: kindTest, AFiUserID: by.userID, DeviceData: c.deviceData, IP: ip, Registered: now}
	if _, err := p.devices.Create(ctx, by.device, d); err != nil && !isTaken(err) {
		return err
	}
	return nil
}
