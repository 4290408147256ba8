package main

import (
	"context"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/plugins/sdk/upstream"
)

// auraServices are Aura's endpoints, or Direct Line in its place. Its errors are outcomes.
type auraServices struct {
	id    auraIDSettings
	token auraTokenSettings
	// failed is the outcome when an endpoint fails.
	failed outcome

	idClient, tokenClient *upstream.Client
	keys                  map[string]string // by device type; "*" for the others
	internalKey           string
	kernelKey             string
	directLineSecret      string
}

// conversation is the Content of GetAuraToken, its keys in this order.
type conversation struct {
	ConversationID     string  `json:"conversationId"`
	Token              string  `json:"token"`
	ExpiresIn          int64   `json:"expires_in"`
	StreamURL          string  `json:"streamUrl"`
	ReferenceGrammarID *string `json:"referenceGrammarId"` // null when Direct Line gives none
}

// open opens a conversation. Nothing of it is kept: the stream must be used within a minute.
func (s *auraServices) open(ctx context.Context, deviceType int64, correlator string) (conversation, error) {
	call := upstream.Call{Method: http.MethodGet, Path: "/token/wss", Correlator: correlator, Idempotent: true}
	if s.token.Mode == modeDirectLine {
		call = upstream.Call{
			Method: http.MethodPost, Path: "/v3/directline/conversations", Correlator: correlator,
			Header: authorization("Bearer", s.directLineSecret),
		}
	} else {
		key, err := s.keyOf(deviceType)
		if err != nil {
			return conversation{}, failBecause(s.failed, err)
		}
		call.Header = authorization("APIKEY", key)
	}
	if s.tokenClient == nil {
		return conversation{}, failBecause(s.failed, errNotConfigured("auraToken.url"))
	}
	a, err := s.tokenClient.Do(ctx, call)
	if err != nil || a.Status != http.StatusOK && a.Status != http.StatusCreated {
		return conversation{}, failBecause(s.failed, badAnswer("aura-token", a, err))
	}
	var c conversation
	if json.Unmarshal(a.Body, &c) != nil || c.ConversationID == "" || c.Token == "" || c.StreamURL == "" || c.ExpiresIn <= 0 {
		return conversation{}, failBecause(s.failed, errMalformed)
	}
	return c, nil
}

func (s *auraServices) keyOf(deviceType int64) (string, error) {
	if key := s.keys[number(deviceType)]; key != "" {
		return key, nil
	}
	if key := s.keys["*"]; key != "" {
		return key, nil
	}
	return "", errNotConfigured("secret " + secretAuraKeys + " of device type " + number(deviceType))
}

// identify asks for the Aura ID of a user of the fourth platform: with his access token, or with the plugin's own key and what
// says who he is.
func (s *auraServices) identify(ctx context.Context, u user, platformID, token, correlator string) (string, error) {
	if s.idClient == nil {
		return "", failBecause(s.failed, errNotConfigured("auraId.url"))
	}
	call := upstream.Call{
		Method: http.MethodGet, Path: "/aura-services/v1/users/aura-id", Header: authorization("Bearer", token),
		Correlator: correlator, Idempotent: true,
	}
	if s.id.Auth == authAPIKey {
		call.Header = authorization("APIKEY", s.kernelKey)
		// The account is what the user's authorization at GVP is known by.
		call.Query = url.Values{"userId": {platformID}, "authorizationId": {u.ID}}
		if s.id.ChannelID != "" {
			call.Query.Set("channelId", s.id.ChannelID)
		}
	}
	a, err := s.idClient.Do(ctx, call)
	if err != nil || a.Status != http.StatusOK {
		return "", failBecause(s.failed, badAnswer("aura-id", a, err))
	}
	var answer struct {
		AuraID string `json:"auraId"`
	}
	if json.Unmarshal(a.Body, &answer) != nil || answer.AuraID == "" || len(answer.AuraID) > maxAuraIDBytes {
		return "", failBecause(s.failed, errMalformed)
	}
	return answer.AuraID, nil
}

const maxAuraIDBytes = 256

// lives asks Aura whether an Aura ID is still somebody's.
func (s *auraServices) lives(ctx context.Context, auraID, correlator string) (bool, error) {
	if s.tokenClient == nil {
		return false, failBecause(s.failed, errNotConfigured("auraToken.url"))
	}
	a, err := s.tokenClient.Do(ctx, upstream.Call{
		Method: http.MethodGet, Path: "/users/" + url.PathEscape(auraID), Header: authorization("APIKEY", s.internalKey),
		Correlator: correlator, Idempotent: true,
	})
	switch {
	case err == nil && a.Status == http.StatusOK:
		return true, nil
	case err == nil && (a.Status == http.StatusNotFound || a.Status == http.StatusUnauthorized):
		return false, nil
	}
	return false, failBecause(s.failed, badAnswer("aura-token", a, err))
}
