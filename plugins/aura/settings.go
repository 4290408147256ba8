package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/plugins/sdk"
	duration "github.com/sluicehq/sluice/plugins/sdk/settings"
	"github.com/sluicehq/sluice/plugins/sdk/upstream"
)

// settings are the plugin's configuration; configSchema describes them.
type settings struct {
	Environment      string             `json:"environment"`
	PublicURL        string             `json:"publicUrl"`
	StorageSubdomain string             `json:"storageSubdomain"`
	RedirectURIs     []string           `json:"redirectUris"`
	Fixture          string             `json:"fixture"`
	DirectLine       directLineSettings `json:"directLine"`
	Kernel           kernelSettings     `json:"kernel"`
	Erasure          erasureSettings    `json:"erasure"`
	Metrics          metricsSettings    `json:"metrics"`
	Limits           struct {
		FailuresPerMinute     int `json:"failuresPerMinute"`
		UnknownUsersPerMinute int `json:"unknownUsersPerMinute"`
	} `json:"limits"`
}

// upstreamSettings are those of each service outside.
type upstreamSettings struct {
	BaseURL       string            `json:"baseUrl"`
	AllowInsecure bool              `json:"allowInsecure"`
	CAFile        string            `json:"caFile"`
	Timeout       duration.Duration `json:"timeout"`
	Breaker       struct {
		Failures int               `json:"failures"`
		Delay    duration.Duration `json:"delay"`
	} `json:"breaker"`
}

type directLineSettings struct {
	upstreamSettings
}

type kernelSettings struct {
	upstreamSettings
	ClientID       string `json:"clientId"`
	TokenPath      string `json:"tokenPath"`
	IntrospectPath string `json:"introspectPath"`
	Audience       string `json:"audience"`
	Issuer         string `json:"issuer"`
	AcceptBearer   bool   `json:"acceptBearer"`
	ValidateOnGet  bool   `json:"validateOnGet"`
}

type erasureSettings struct {
	TellGVP      bool              `json:"tellGvp"`
	FirstRetry   duration.Duration `json:"firstRetry"`
	LongestRetry duration.Duration `json:"longestRetry"`
}

type metricsSettings struct {
	AllowCIDR []string `json:"allowCIDR"`
}

func (m metricsSettings) prefixes() ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, len(m.AllowCIDR))
	for i, text := range m.AllowCIDR {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("metrics.allowCIDR: %q is no network such as 10.0.0.0/8", text)
		}
		prefixes[i] = prefix.Masked()
	}
	return prefixes, nil
}

const configSchema = `{
	"type": "object",
	"additionalProperties": false,
	"$defs": {
		"duration": {"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"},
		"baseUrl": {"type": "string", "pattern": "^https?://", "description": "Absolute; https unless it is this machine."},
		"allowInsecure": {"type": "boolean", "description": "Allows http to other machines. For laboratories."},
		"caFile": {"type": "string", "description": "Certificates, in PEM, of who may have signed the service's; those of the system when absent."},
		"timeout": {"$ref": "#/$defs/duration", "description": "For a whole call; 4.5s when absent. Longer than plugins.callTimeout is of no use."},
		"breaker": {
			"type": "object",
			"additionalProperties": false,
			"properties": {
				"failures": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "Failures in a row after which the service is left alone; 5 when absent."},
				"delay": {"$ref": "#/$defs/duration", "description": "For how long; 30s when absent."}
			}
		}
	},
	"properties": {
		"environment": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$", "description": "API keys of other environments are refused; local when absent."},
		"publicUrl": {"type": "string", "pattern": "^https?://[^?#]+[^?#/]$", "description": "Where clients find the plugin, without a slash at the end; http://localhost:7512/aura-services/v1 when absent."},
		"storageSubdomain": {"type": "string", "pattern": "^[a-z0-9]{3,24}$", "description": "What GET /config answers."},
		"redirectUris": {"type": "array", "items": {"type": "string", "pattern": "^https?://[^#]+$"}, "description": "Where browsers may be sent after a callback, each in full."},
		"fixture": {"type": "string", "description": "JSON file of API keys and users that are made at start when they are not there; demo is the one in the plugin. For demonstrations."},
		"directLine": {
			"type": "object",
			"additionalProperties": false,
			"properties": {
				"baseUrl": {"$ref": "#/$defs/baseUrl"},
				"allowInsecure": {"$ref": "#/$defs/allowInsecure"},
				"caFile": {"$ref": "#/$defs/caFile"},
				"timeout": {"$ref": "#/$defs/timeout"},
				"breaker": {"$ref": "#/$defs/breaker"}
			}
		},
		"kernel": {
			"type": "object",
			"additionalProperties": false,
			"dependentRequired": {"acceptBearer": ["baseUrl"], "validateOnGet": ["baseUrl"]},
			"properties": {
				"baseUrl": {"$ref": "#/$defs/baseUrl"},
				"allowInsecure": {"$ref": "#/$defs/allowInsecure"},
				"caFile": {"$ref": "#/$defs/caFile"},
				"timeout": {"$ref": "#/$defs/timeout"},
				"breaker": {"$ref": "#/$defs/breaker"},
				"clientId": {"type": "string", "description": "With the secret kernelClientSecret, how the plugin proves who it is."},
				"tokenPath": {"type": "string", "pattern": "^/", "description": "/token when absent."},
				"introspectPath": {"type": "string", "pattern": "^/", "description": "/introspect when absent (RFC 7662)."},
				"audience": {"type": "string", "description": "aud of assertions; baseUrl when absent."},
				"issuer": {"type": "string", "description": "iss of assertions; clientId when absent."},
				"acceptBearer": {"type": "boolean", "description": "GET /users/aura-id takes an access token of Kernel in place of an API key and parameters."},
				"validateOnGet": {"type": "boolean", "description": "GET /users/{auraId} asks Kernel whether the user's authorization still holds."}
			}
		},
		"erasure": {
			"type": "object",
			"additionalProperties": false,
			"properties": {
				"tellGvp": {"type": "boolean", "description": "Whether the plugin gvp must know of an erasure; true when absent. Set it to false where there is no gvp."},
				"firstRetry": {"$ref": "#/$defs/duration", "description": "Wait until gvp is told again, doubled each time; 5s when absent."},
				"longestRetry": {"$ref": "#/$defs/duration", "description": "5m when absent."}
			}
		},
		"metrics": {
			"type": "object",
			"additionalProperties": false,
			"properties": {
				"allowCIDR": {"type": "array", "items": {"type": "string"}, "description": "Networks that may read the metrics without an API key; this machine when absent."}
			}
		},
		"limits": {
			"type": "object",
			"additionalProperties": false,
			"description": "By address; 0 bounds nothing.",
			"properties": {
				"failuresPerMinute": {"type": "integer", "minimum": 0, "description": "Refused API keys, tokens and states; 30 when absent."},
				"unknownUsersPerMinute": {"type": "integer", "minimum": 0, "description": "Look-ups of users that do not exist; 300 when absent."}
			}
		}
	}
}`

// secrets are what the operator may set.
var secrets = []sdk.Secret{
	{Name: "keyRing", Description: "Keys that API keys, states and telephone numbers are sealed with: id:secret, the active one first; a secret is 32 " +
		"bytes in hex or base64. Without it one is made and kept in the plugin's own storage."},
	{Name: "indexKey", Description: "Key of the HMACs that telephone numbers and users are found by, 32 bytes in hex or base64. It must never change. Without it one " +
		"is made and kept in the plugin's own storage."},
	{Name: "directLineSecret", Description: "Secret of the bot's Direct Line. Without it GET /token and GET /token/wss answer 503."},
	{Name: "kernelClientSecret", Description: "Secret of kernel.clientId."},
	{Name: "botKey", Description: "The bot's private RSA key in PEM. Without it GET /openid/jwk publishes no key."},
	{Name: "botKeyNext", Description: "RSA key in PEM, private or public, that will be the bot's: publish it 5 minutes or more before it is."},
	{Name: "botKeyPrevious", Description: "RSA key in PEM, private or public, that was the bot's: publish it while something signed with it is good."},
}

func readSettings(config jsontext.Value) (settings, error) {
	s := settings{Environment: "local", PublicURL: "http://localhost:7512/aura-services/v1"}
	s.DirectLine.BaseURL = "https://directline.botframework.com"
	s.Kernel.TokenPath, s.Kernel.IntrospectPath = "/token", "/introspect"
	s.DirectLine.Timeout.Duration, s.Kernel.Timeout.Duration = defaultTimeout, defaultTimeout
	s.Erasure = erasureSettings{true, duration.Duration{Duration: 5 * time.Second}, duration.Duration{Duration: 5 * time.Minute}}
	s.Metrics.AllowCIDR = []string{"127.0.0.0/8", "::1/128"}
	s.Limits.FailuresPerMinute, s.Limits.UnknownUsersPerMinute = 30, 300
	if err := json.Unmarshal(config, &s); err != nil {
		return s, err
	}
	if s.Kernel.Audience == "" {
		s.Kernel.Audience = s.Kernel.BaseURL
	}
	if s.Kernel.Issuer == "" {
		s.Kernel.Issuer = s.Kernel.ClientID
	}
	return s, nil
}

// defaultTimeout leaves the node, which gives a plugin 5 seconds, time for the plugin's own answer.
const defaultTimeout = 4500 * time.Millisecond

func (u upstreamSettings) client(name string, m *metrics) (*upstream.Client, error) {
	return upstream.New(upstream.Options{
		Name: name, BaseURL: u.BaseURL, AllowInsecure: u.AllowInsecure, CAFile: u.CAFile, Timeout: u.Timeout.Duration,
		BreakerFailures: uint(u.Breaker.Failures), BreakerDelay: u.Breaker.Delay.Duration,
		Observe: func(o upstream.Outcome, took time.Duration) { m.called(name, string(o), took) },
	})
}

// mayRedirectTo reports whether a browser may be sent to uri.
func (s *settings) mayRedirectTo(uri string) bool { return slices.Contains(s.RedirectURIs, uri) }

// url is a path of the plugin as clients see it.
func (s *settings) url(path string) string { return strings.TrimRight(s.PublicURL, "/") + path }
