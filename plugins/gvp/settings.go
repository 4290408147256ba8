package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/plugins/sdk/settings"
	"github.com/sluicehq/sluice/plugins/sdk/throttle"
)

// configuration is plugins.config.gvp; configSchema says what each setting is.
type configuration struct {
	UniAPI struct {
		HTTPStatus  string         `json:"httpStatus"`
		StatusCodes map[string]int `json:"statusCodes"`
	} `json:"uniapi"`
	Login struct {
		Bare              bool            `json:"bare"`
		MaxTokens         int             `json:"maxTokens"`
		Throttle          throttle.Limits `json:"throttle"`
		RefusalsPerMinute int             `json:"refusalsPerMinute"`
	} `json:"login"`
	Geo struct {
		Database  string            `json:"database"`
		Overrides map[string]string `json:"overrides"`
	} `json:"geo"`
	FourthPlatform        fourthPlatformSettings `json:"fourthPlatform"`
	AuraID                auraIDSettings         `json:"auraId"`
	AuraToken             auraTokenSettings      `json:"auraToken"`
	AuraEndpointErrorCode int                    `json:"auraEndpointErrorCode"`
	Upstream              upstreamSettings       `json:"upstream"`
	CallsPerMinute        int                    `json:"callsPerMinute"`
	LogRetention          settings.Duration      `json:"logRetention"`
	WatchFiles            settings.Duration      `json:"watchFiles"`
	Fixture               string                 `json:"fixture"`
}

type fourthPlatformSettings struct {
	AuthURL        string `json:"authURL"`
	APIURL         string `json:"apiURL"`
	ProfilePath    string `json:"profilePath"`
	UserIDField    string `json:"userIdField"`
	ClientID       string `json:"clientId"`
	Issuer         string `json:"issuer"`
	Scope          string `json:"scope"`
	Purpose        string `json:"purpose"`
	ACR            string `json:"acr"`
	IdentifierType string `json:"identifierType"`
	PrivateKeyFile string `json:"privateKeyFile"`
}

func (s fourthPlatformSettings) issuer() string {
	if s.Issuer != "" {
		return s.Issuer
	}
	return s.ClientID
}

type auraIDSettings struct {
	URL       string `json:"url"`
	Auth      string `json:"auth"`
	ChannelID string `json:"channelId"`
	Validate  bool   `json:"validate"`
}

type auraTokenSettings struct {
	Mode string `json:"mode"`
	URL  string `json:"url"`
}

type upstreamSettings struct {
	CAFile          string            `json:"caFile"`
	AllowInsecure   bool              `json:"allowInsecure"`
	Timeout         settings.Duration `json:"timeout"`
	ConnectTimeout  settings.Duration `json:"connectTimeout"`
	BreakerFailures uint              `json:"breakerFailures"`
	BreakerDelay    settings.Duration `json:"breakerDelay"`
}

// The values of auraId.auth and auraToken.mode.
const (
	authBearer     = "bearer"
	authAPIKey     = "apikey"
	modeAura       = "aura"
	modeDirectLine = "directline"
)

func readConfiguration(text jsontext.Value) (configuration, error) {
	var c configuration
	c.UniAPI.HTTPStatus = "inband"
	c.Login.MaxTokens = 50
	c.Login.Throttle = throttle.Standard()
	c.Login.RefusalsPerMinute = 120
	c.FourthPlatform.ProfilePath = "/userprofile/v3/users/" + uniqueIDMark
	c.FourthPlatform.UserIDField = "id"
	c.AuraID.Auth = authBearer
	c.AuraToken.Mode = modeAura
	c.AuraEndpointErrorCode = fourthPlatform.code
	// Answers leave before the node's own limit of 5 s is over.
	c.Upstream.Timeout.Duration = 4 * time.Second
	c.CallsPerMinute = 30
	c.LogRetention.Duration = 90 * 24 * time.Hour
	c.WatchFiles.Duration = time.Second
	if err := json.Unmarshal(text, &c); err != nil {
		return c, err
	}
	return c, c.check()
}

func (c configuration) check() error {
	for name := range c.UniAPI.StatusCodes {
		if !slices.ContainsFunc(outcomes, func(o outcome) bool { return o.name == name }) {
			return fmt.Errorf("uniapi.statusCodes: there is no outcome %q", name)
		}
	}
	if c.WatchFiles.Duration <= 0 {
		return fmt.Errorf("watchFiles: want a duration above 0")
	}
	return nil
}

const configSchema = `{
	"type": "object",
	"additionalProperties": false,
	"properties": {
		"uniapi": {
			"type": "object", "additionalProperties": false,
			"properties": {
				"httpStatus": {"enum": ["inband", "mapped"], "description": "inband: 200 for every result that has a StatusCode but 1; mapped: an HTTP status for each StatusCode."},
				"statusCodes": {"type": "object", "additionalProperties": {"type": "integer"}, "description": "Numbers in place of the plugin's own, by name: {\"TooManyRequests\": 99}. What the node refuses itself keeps 1, 2 and 38."}
			}
		},
		"login": {
			"type": "object", "additionalProperties": false,
			"properties": {
				"bare": {"type": "boolean", "description": "Answer the Login object alone, without StatusCode around it."},
				"maxTokens": {"type": "integer", "minimum": 1, "maximum": 100, "description": "Tokens that one user may have; the oldest ends for one more. 50 when absent."},
				"throttle": {"type": "object", "description": "failuresPerMinute an address, those that name no account too; failuresInARow an account until firstBlock, doubled up to longestBlock; failuresPerHour an account; maxEntries remembered. 0 bounds nothing."},
				"refusalsPerMinute": {"type": "integer", "minimum": 0, "description": "Rows of GVP_LogLogin, by address, of attempts that were refused as too many; further ones are only counted. 120 when absent, 0 is no bound."}
			}
		},
		"geo": {
			"type": "object", "additionalProperties": false,
			"properties": {
				"database": {"type": "string", "description": "MaxMind database (mmdb) of countries; read again when it changes. While it is missing or damaged nobody logs in where his country matters."},
				"overrides": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Countries of networks, before the database: {\"10.0.0.0/8\": \"ES\"}."}
			}
		},
		"fourthPlatform": {
			"type": "object", "additionalProperties": false,
			"properties": {
				"authURL": {"type": "string", "description": "Base address of the authorization server; also the audience of assertions."},
				"apiURL": {"type": "string", "description": "Base address of the API."},
				"profilePath": {"type": "string", "pattern": "^/.*\\{uniqueId\\}", "description": "Path of the search for a user, {uniqueId} in it."},
				"userIdField": {"type": "string", "description": "Member of a profile that holds the user's id."},
				"clientId": {"type": "string"},
				"issuer": {"type": "string", "description": "Issuer of assertions; clientId when absent."},
				"scope": {"type": "string"},
				"purpose": {"type": "string"},
				"acr": {"type": "string"},
				"identifierType": {"type": "string", "description": "Type of the identifier in authentication_context; absent leaves that claim out."},
				"privateKeyFile": {"type": "string", "description": "RSA key in PEM, of 2048 bits or more, that signs assertions; read again when it changes."}
			}
		},
		"auraId": {
			"type": "object", "additionalProperties": false,
			"properties": {
				"url": {"type": "string", "description": "Base address below which /aura-services/v1/users/aura-id stands."},
				"auth": {"enum": ["bearer", "apikey"], "description": "bearer: with the user's access token; apikey: with the secret auraKernelKey, userId, authorizationId and channelId."},
				"channelId": {"type": "string"},
				"validate": {"type": "boolean", "description": "Ask Aura whether a stored Aura ID still lives, with the secret auraInternalKey."}
			}
		},
		"auraToken": {
			"type": "object", "additionalProperties": false,
			"properties": {
				"mode": {"enum": ["aura", "directline"]},
				"url": {"type": "string", "description": "aura: address of the Aura services, below which /token/wss stands; directline: base address of Direct Line."}
			}
		},
		"auraEndpointErrorCode": {"enum": [318, 320], "description": "StatusCode when an endpoint of Aura fails."},
		"upstream": {
			"type": "object", "additionalProperties": false,
			"properties": {
				"caFile": {"type": "string"},
				"allowInsecure": {"type": "boolean", "description": "Allow http to other machines."},
				"timeout": {"type": "string", "description": "Time for all calls of one request together."},
				"connectTimeout": {"type": "string"},
				"breakerFailures": {"type": "integer", "minimum": 1},
				"breakerDelay": {"type": "string"}
			}
		},
		"callsPerMinute": {"type": "integer", "minimum": 0, "description": "GetAuraToken and GetAuraId by one user on one device; 0 is no bound."},
		"logRetention": {"type": "string", "description": "How long rows of GVP_LogLogin are kept; 0s is for ever."},
		"watchFiles": {"type": "string", "description": "How often files are looked at."},
		"fixture": {"type": "string", "description": "File with instances and users to make at the start; \"demo\" is one that comes with the plugin."}
	}
}`
