package main

import (
	"context"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/plugins/sdk"
)

// class says which endpoints a key is good for.
type class string

// The classes: internal keys are the bot's own, kernel keys those of what Kernel publishes. Both are good for what is public.
const (
	internalClass class = "internal"
	publicClass   class = "public"
	kernelClass   class = "kernel"
)

// The modes of a key.
const (
	readMode      = "r"
	readWriteMode = "rw"
)

const auraServices = "aura-services"

// grant is what a key is good for, and whose it is.
type grant struct {
	Classes   []class  `json:"classes"`
	Mode      string   `json:"mode"`
	Paths     []string `json:"paths,omitempty"`
	Consumer  string   `json:"consumer"`
	ChannelID string   `json:"channelId,omitempty"`
}

// apiKey is the content of a key: it is sealed, and bound to its environment.
type apiKey struct {
	V   int    `json:"v"`
	KID string `json:"kid"`
	Env string `json:"env"`
	Svc string `json:"svc"`
	grant
	IssuedAt  int64 `json:"iat"`
	ExpiresAt int64 `json:"exp,omitempty"`
}

// keyRow is what is stored of a key: not the key.
type keyRow struct {
	grant
	CreatedAt string `json:"createdAt"`
	ExpiresAt int64  `json:"expiresAt,omitempty"`
	RevokedAt string `json:"revokedAt,omitempty"`
}

// access is what an endpoint asks for.
type access struct {
	route   string
	keyless bool
	state   bool
	classes []class
	write   bool
	bearer  bool
	address bool
}

// withState is for endpoints whose parameter state stands in place of a key.
func (a access) withState() access { a.state = true; return a }

// writing asks for a key that may change something.
func (a access) writing() access { a.write = true; return a }

// orBearer takes an access token of Kernel, too, when the operator wants that.
func (a access) orBearer() access { a.bearer = true; return a }

// orAddress takes requests without a key from networks that the operator names.
func (a access) orAddress() access { a.address = true; return a }

// errUnauthenticated is the answer to every reason why a key is not one.
var errUnauthenticated = fail(unauthenticated, "a valid API key is required")

// authenticate finds out who asks and whether he may: key, then class, then path, then mode.
func (p *plugin) authenticate(ctx context.Context, c *call, a access) error {
	if a.keyless {
		return nil
	}
	scheme, text, err := credentials(c.Request)
	if err != nil {
		return err
	}
	switch {
	case a.bearer && p.settings.Kernel.AcceptBearer && strings.EqualFold(scheme, "Bearer"):
		c.bearer = text
		return nil
	case !strings.EqualFold(scheme, "APIKEY"):
		return errUnauthenticated
	}
	if c.key, err = p.verify(ctx, text); err != nil {
		p.metrics.logins.WithLabelValues("unauthenticated").Inc()
		return err
	}
	if err := c.key.allows(a); err != nil {
		p.metrics.logins.WithLabelValues("denied").Inc()
		return err
	}
	p.metrics.logins.WithLabelValues("ok").Inc()
	return nil
}

// credentials reads scheme and secret: the argument apiKey of an envelope, else the header. Over WebSocket there are no headers
// but those of the upgrade, which may be somebody else's. A key in a query has been written down on its way, and is refused
// whatever else there is.
func credentials(r *sdk.Request) (scheme, text string, err error) {
	query, err := url.ParseQuery(r.RawQuery())
	if err != nil {
		return "", "", invalid("the query", "cannot be read")
	}
	for name := range query {
		if strings.EqualFold(name, "apiKey") {
			return "", "", errUnauthenticated
		}
	}
	if !r.Args.FromText() && r.Args.Has("apiKey") {
		key, err := r.Args.String("apiKey")
		if err != nil {
			return "", "", errUnauthenticated
		}
		return "APIKEY", key, nil
	}
	if r.Connection.Protocol == "websocket" {
		return "", "", nil
	}
	scheme, text, _ = strings.Cut(r.Connection.Header.Get("Authorization"), " ")
	return scheme, text, nil
}

// maxKeyLength bounds the text of a key, in hex.
const maxKeyLength = 8 << 10

// verify opens a key and looks whether it still counts. Every text that could be a key costs one look into the store, so
// that what was wrong with it does not show in the time.
func (p *plugin) verify(ctx context.Context, text string) (*apiKey, error) {
	if text == "" || len(text) > maxKeyLength {
		return nil, errUnauthenticated
	}
	key, opened := p.openKey(text)
	kid := "none"
	if opened {
		kid = key.KID
	}
	row, _, err := documents[keyRow]{p.apiKeys}.get(ctx, kid)
	switch {
	case !opened:
		return nil, errUnauthenticated
	case err != nil:
		return nil, err
	case row == nil || row.RevokedAt != "" || key.ExpiresAt != 0 && time.Now().Unix() >= key.ExpiresAt:
		return nil, errUnauthenticated
	}
	return key, nil
}

func (p *plugin) keyPurpose() string { return "aura-apikey|" + p.settings.Environment }

// openKey reads a key in base64url or hex.
func (p *plugin) openKey(text string) (*apiKey, bool) {
	content, err := p.keys.open(p.keyPurpose(), text)
	if err != nil {
		var b []byte
		if b, err = hex.DecodeString(text); err == nil {
			content, err = p.keys.openBytes(p.keyPurpose(), b)
		}
	}
	var key apiKey
	if err != nil || json.Unmarshal(content, &key) != nil {
		return nil, false
	}
	return &key, key.V == 1 && key.KID != "" && key.Env == p.settings.Environment && key.Svc == auraServices
}

func (k *apiKey) allows(a access) error {
	switch {
	case !slices.ContainsFunc(a.classes, func(c class) bool { return slices.Contains(k.Classes, c) }):
		return fail(permissionDenied, "the API key is not for this endpoint")
	case len(k.Paths) > 0 && !slices.Contains(k.Paths, a.route):
		return fail(permissionDenied, "the API key is not for this path")
	case a.write && k.Mode != readWriteMode:
		return fail(permissionDenied, "the API key may only read")
	}
	return nil
}
