package main

import (
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/plugins/sdk/upstream"
)

// upstreams are the services that the plugin calls. One without an address is nil, and its calls fail.
type upstreams struct {
	auth, api  *upstream.Client // of the fourth platform
	auraID     *upstream.Client
	auraTokens *upstream.Client
}

func newUpstreams(c configuration, m *metrics) (upstreams, error) {
	var u upstreams
	for _, one := range []struct {
		name, base string
		client     **upstream.Client
	}{
		{"4p-auth", c.FourthPlatform.AuthURL, &u.auth},
		{"4p-api", c.FourthPlatform.APIURL, &u.api},
		{"aura-id", c.AuraID.URL, &u.auraID},
		{"aura-token", c.AuraToken.URL, &u.auraTokens},
	} {
		if one.base == "" {
			continue
		}
		client, err := upstream.New(upstream.Options{
			Name: one.name, BaseURL: one.base, CAFile: c.Upstream.CAFile, AllowInsecure: c.Upstream.AllowInsecure,
			Timeout: c.Upstream.Timeout.Duration, ConnectTimeout: c.Upstream.ConnectTimeout.Duration,
			BreakerFailures: c.Upstream.BreakerFailures, BreakerDelay: c.Upstream.BreakerDelay.Duration,
			Observe: func(o upstream.Outcome, took time.Duration) { m.upstream(one.name, string(o), took) },
		})
		if err != nil {
			return upstreams{}, err
		}
		*one.client = client
	}
	return u, nil
}

func (u upstreams) close() {
	for _, c := range []*upstream.Client{u.auth, u.api, u.auraID, u.auraTokens} {
		if c != nil {
			c.Close()
		}
	}
}

func authorization(scheme, secret string) http.Header {
	return http.Header{"Authorization": {scheme + " " + secret}}
}

// errNotConfigured is the cause when a service has no address or no credentials.
type errNotConfigured string

func (e errNotConfigured) Error() string { return "the setting " + string(e) + " is not set" }

// badAnswer is the cause when a service answered something else than expected. It shows no content.
func badAnswer(name string, a upstream.Answer, err error) error {
	if err != nil {
		return err
	}
	var refused struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(a.Body, &refused) // often it is something else
	if oauthError.MatchString(refused.Error) {
		return fmt.Errorf("%s answered %d: %s", name, a.Status, refused.Error)
	}
	return fmt.Errorf("%s answered %d", name, a.Status)
}

// oauthError is a code of RFC 6749, and nothing else that an answer may hold.
var oauthError = regexp.MustCompile(`^[a-z_]{1,40}$`)
