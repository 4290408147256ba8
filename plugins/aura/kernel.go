package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/sluicehq/sluice/plugins/sdk/upstream"
)

const kernelName = "Kernel"

// kernel asks Kernel about access tokens and authorizations.
type kernel struct {
	settings kernelSettings
	secret   string
	client   *upstream.Client // nil when Kernel is not set up
	signer   *botKey
}

func newKernel(s kernelSettings, secret string, bot []botKey, m *metrics) (*kernel, error) {
	k := &kernel{settings: s, secret: secret}
	if len(bot) > 0 {
		k.signer = &bot[0]
	}
	if s.BaseURL == "" {
		return k, nil
	}
	var err error
	k.client, err = s.client("kernel", m)
	return k, err
}

func (k *kernel) close() {
	if k.client != nil {
		k.client.Close()
	}
}

// introspected reads a user out of an access token, as Kernel sees it (RFC 7662).
func (p *plugin) introspected(ctx context.Context, c *call) (u newUser, err error) {
	answer, err := p.kernel.post(ctx, c, p.settings.Kernel.IntrospectPath, url.Values{"token": {c.bearer}, "token_type_hint": {"access_token"}})
	if err != nil {
		return u, err
	}
	if answer.Status != http.StatusOK {
		return u, refusedUpstream(kernelName, answer)
	}
	var token struct {
		Active          bool   `json:"active"`
		Subject         string `json:"sub"`
		AuthorizationID string `json:"authorization_id"`
		ChannelID       string `json:"channel_id"`
		PhoneNumber     string `json:"phone_number"`
	}
	if err := json.Unmarshal(answer.Body, &token); err != nil {
		return u, fail(badGateway, kernelName+" gave no usable answer")
	}
	if !token.Active {
		return u, errUnauthenticated
	}
	u = newUser{userID: token.Subject, authorizationID: token.AuthorizationID}
	if u.userID == "" || u.authorizationID == "" || len(u.userID) > maxUserID || len(u.authorizationID) > maxAuthorizationID {
		return u, fail(badGateway, kernelName+" names no user")
	}
	if token.ChannelID == "" {
		u.channelID, err = channelID(c)
	} else if u.channelID, err = asUUID("channel_id", token.ChannelID); err != nil {
		err = fail(badGateway, kernelName+" names no channel")
	}
	if err == nil && token.PhoneNumber != "" {
		if u.phoneNumber, err = asPhone("phone_number", token.PhoneNumber); err != nil {
			err = fail(badGateway, kernelName+" names no telephone number")
		}
	}
	return u, err
}

// Assertions live as long as Kernel allows.
const assertionLife = 5 * time.Minute

var errNotAuthorized = fail(unauthenticated, "the user's authorization is gone")

// authorized asks for a token in the name of a user. invalid_grant says that his authorization is gone.
func (k *kernel) authorized(ctx context.Context, c *call, r *record) error {
	assertion, err := k.assertion(r)
	if err != nil {
		return err
	}
	answer, err := k.post(ctx, c, k.settings.TokenPath, url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion},
	})
	if err != nil {
		return err
	}
	if answer.Status == http.StatusOK {
		return nil
	}
	var refused struct {
		Error string `json:"error"`
	}
	if answer.Status == http.StatusBadRequest && json.Unmarshal(answer.Body, &refused) == nil && refused.Error == "invalid_grant" {
		return errNotAuthorized
	}
	return refusedUpstream(kernelName, answer)
}

func (k *kernel) assertion(r *record) (string, error) {
	if k.signer == nil || k.signer.private == nil {
		return "", errors.New("there is no key to sign assertions with")
	}
	issued := time.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": k.settings.Issuer, "sub": r.UserID, "aud": k.settings.Audience, "authorization_id": r.AuthorizationID,
		"iat": issued.Unix(), "exp": issued.Add(assertionLife).Unix(), "jti": uuid.NewString(),
	})
	token.Header["kid"] = k.signer.kid
	return token.SignedString(k.signer.private)
}

func (k *kernel) post(ctx context.Context, c *call, path string, form url.Values) (upstream.Answer, error) {
	if k.client == nil {
		return upstream.Answer{}, fail(unavailable, kernelName+" is not set up")
	}
	var header http.Header
	if k.settings.ClientID != "" {
		credentials := &http.Request{Header: http.Header{}}
		credentials.SetBasicAuth(url.QueryEscape(k.settings.ClientID), url.QueryEscape(k.secret)) // RFC 6749, 2.3.1
		header = credentials.Header
	}
	answer, err := k.client.Do(ctx, upstream.Call{
		Method: http.MethodPost, Path: path, Correlator: c.correlator, Header: header,
		Body: []byte(form.Encode()), ContentType: "application/x-www-form-urlencoded",
	})
	if err != nil {
		return answer, failedUpstream(kernelName, err)
	}
	return answer, nil
}
