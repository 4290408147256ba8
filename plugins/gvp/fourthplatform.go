package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/plugins/sdk/upstream"
)

const (
	uniqueIDMark = "{uniqueId}"
	grantBearer  = "urn:ietf:params:oauth:grant-type:jwt-bearer" //nolint:gosec // a name
	// earlier is how long before its end a service token is no longer used.
	earlier = 60 * time.Second
)

// platform is the fourth platform ("4P", Kernel). Its errors are outcomes.
type platform struct {
	settings  fourthPlatformSettings
	secret    string // of the client
	signer    *signer
	auth, api *upstream.Client
	flights   *flights

	mu      sync.Mutex
	service accessToken // the plugin's own, for searches
}

type accessToken struct {
	text    string
	expires time.Time
}

// authenticate proves to the platform who a user is, and gives his id there and an access token of his. A user who is not
// there is told before a key that is not good.
func (p *platform) authenticate(ctx context.Context, uniqueID, correlator string) (id, token string, err error) {
	if p.auth == nil || p.api == nil {
		return "", "", failBecause(fourthPlatform, errNotConfigured("fourthPlatform.authURL or apiURL"))
	}
	if id, err = p.findUser(ctx, uniqueID, correlator); err != nil {
		return "", "", err
	}
	assertion, err := p.signer.sign(id, uniqueID, time.Now())
	if err != nil {
		return "", "", failBecause(bearerGeneration, err)
	}
	granted, err := p.grant(ctx, url.Values{"grant_type": {grantBearer}, "assertion": {assertion}}, correlator)
	return id, granted.text, err
}

// findUser searches the profiles for a unique id.
func (p *platform) findUser(ctx context.Context, uniqueID, correlator string) (string, error) {
	if uniqueID == "" {
		return "", fail(userNotFoundIn4P)
	}
	a, err := p.search(ctx, uniqueID, correlator)
	if err == nil && a.Status == http.StatusUnauthorized { // the service token has been revoked
		p.dropServiceToken()
		a, err = p.search(ctx, uniqueID, correlator)
	}
	switch {
	case err == nil && a.Status == http.StatusNotFound:
		return "", fail(userNotFoundIn4P)
	case err != nil || a.Status != http.StatusOK:
		return "", failBecause(fourthPlatform, badAnswer("4p-api", a, err))
	}
	return p.readProfile(a.Body)
}

func (p *platform) search(ctx context.Context, uniqueID, correlator string) (upstream.Answer, error) {
	token, err := p.serviceToken(ctx, correlator)
	if err != nil {
		return upstream.Answer{}, err
	}
	return p.api.Do(ctx, upstream.Call{
		Method: http.MethodGet, Path: strings.ReplaceAll(p.settings.ProfilePath, uniqueIDMark, url.PathEscape(uniqueID)),
		Header: authorization("Bearer", token), Correlator: correlator, Idempotent: true,
	})
}

var errMalformed = errors.New("the answer cannot be read")

// readProfile takes a profile, or a list of which the first is taken.
func (p *platform) readProfile(body []byte) (string, error) {
	body = bytes.TrimSpace(body)
	if bytes.HasPrefix(body, []byte("[")) {
		var list []jsontext.Value
		if err := json.Unmarshal(body, &list); err != nil {
			return "", failBecause(fourthPlatform, errMalformed)
		}
		if len(list) == 0 {
			return "", fail(userNotFoundIn4P)
		}
		body = list[0]
	}
	var profile map[string]jsontext.Value
	var id string
	if json.Unmarshal(body, &profile) != nil || json.Unmarshal(profile[p.settings.UserIDField], &id) != nil || id == "" {
		return "", failBecause(fourthPlatform, errMalformed)
	}
	return id, nil
}

// serviceToken gives the plugin's own access token, a new one shortly before it ends.
func (p *platform) serviceToken(ctx context.Context, correlator string) (string, error) {
	p.mu.Lock()
	kept := p.service
	p.mu.Unlock()
	if kept.text != "" && time.Now().Before(kept.expires.Add(-earlier)) {
		return kept.text, nil
	}
	return p.flights.do(ctx, "service token", func(ctx context.Context) (string, error) {
		form := url.Values{"grant_type": {"client_credentials"}}
		if p.settings.Purpose != "" {
			form.Set("purpose", p.settings.Purpose)
		}
		granted, err := p.grant(ctx, form, correlator)
		if err != nil {
			return "", err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.service = granted
		return granted.text, nil
	})
}

func (p *platform) dropServiceToken() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.service = accessToken{}
}

// grant asks the token endpoint.
func (p *platform) grant(ctx context.Context, form url.Values, correlator string) (accessToken, error) {
	// RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
	client := url.QueryEscape(p.settings.ClientID) + ":" + url.QueryEscape(p.secret)
	now := time.Now()
	a, err := p.auth.Do(ctx, upstream.Call{
		Method: http.MethodPost, Path: "/token", Header: authorization("Basic", base64.StdEncoding.EncodeToString([]byte(client))),
		Body: []byte(form.Encode()), ContentType: typeForm, Correlator: correlator,
	})
	if err != nil || a.Status != http.StatusOK {
		return accessToken{}, failBecause(fourthPlatform, badAnswer("4p-auth", a, err))
	}
	var granted struct {
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	if json.Unmarshal(a.Body, &granted) != nil || granted.AccessToken == "" {
		return accessToken{}, failBecause(fourthPlatform, errMalformed)
	}
	return accessToken{granted.AccessToken, now.Add(time.Duration(granted.ExpiresIn * float64(time.Second)))}, nil
}
