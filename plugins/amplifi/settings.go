package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	duration "github.com/sluicehq/sluice/plugins/sdk/settings"
	"github.com/sluicehq/sluice/plugins/sdk/throttle"
)

// settings are the plugin's configuration; configSchema describes them.
type settings struct {
	Fixture              string                       `json:"fixture"`
	Lifetime             duration.Duration            `json:"lifetime"`
	Lifetimes            map[string]duration.Duration `json:"lifetimes"`
	MaxLiveTokens        int                          `json:"maxLiveTokens"`
	DisabledChannels     []string                     `json:"disabledChannels"`
	LocalSavingForbidden []string                     `json:"localSavingForbidden"`
	Transports           []string                     `json:"transports"`
	Skew                 duration.Duration            `json:"skew"`
	Android              struct {
		RequireSignature   bool              `json:"requireSignature"`
		ReplayableLifetime duration.Duration `json:"replayableLifetime"`
	} `json:"android"`
	TestChannel struct {
		Enabled           bool `json:"enabled"`
		NewUsersPerMinute int  `json:"newUsersPerMinute"`
	} `json:"testChannel"`
	Throttle throttle.Limits `json:"throttle"`
}

const configSchema = `{
	"type": "object",
	"additionalProperties": false,
	"$defs": {
		"duration": {"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"},
		"channels": {"type": "array", "items": {"enum": ["internet", "android", "browser", "statementGenerator", "dicBuilder", "chat", "android_v1", "mobile", "ios_v1", "test"]}}
	},
	"properties": {
		"fixture": {"type": "string", "description": "JSON file of users and devices that are made at start when they are not there; demo is the one in the plugin, with the user ali. For demonstrations."},
		"lifetime": {"$ref": "#/$defs/duration", "description": "How long a token is good; 1h when absent."},
		"lifetimes": {"type": "object", "additionalProperties": {"$ref": "#/$defs/duration"}, "description": "The same by channel."},
		"maxLiveTokens": {"type": "integer", "minimum": 1, "maximum": 100, "description": "Tokens that one user may have; the oldest ends for one more. 10 when absent."},
		"disabledChannels": {"$ref": "#/$defs/channels", "description": "Channels that are off."},
		"localSavingForbidden": {"$ref": "#/$defs/channels", "description": "Channels whose answers have isLocalSavingAllowed false, whoever the user is."},
		"transports": {"type": "array", "items": {"type": "string", "minLength": 1}, "description": "What the channel chat takes as transport."},
		"skew": {"$ref": "#/$defs/duration", "description": "How far dtsValueString may be from now, both ways; 5m when absent."},
		"android": {
			"type": "object",
			"additionalProperties": false,
			"properties": {
				"requireSignature": {"type": "boolean", "description": "false takes devices that are known by their uuid alone. For laboratories."},
				"replayableLifetime": {"$ref": "#/$defs/duration", "description": "How long a token is good for a signature without dtsValueString, which can be replayed; 15m when absent."}
			}
		},
		"testChannel": {
			"type": "object",
			"additionalProperties": false,
			"properties": {
				"enabled": {"type": "boolean", "description": "true gives everybody a token of a demo user. For development."},
				"newUsersPerMinute": {"type": "integer", "minimum": 1, "maximum": 10000, "description": "Demo users that may come into being a minute; 60 when absent."}
			}
		},
		"throttle": {
			"type": "object",
			"additionalProperties": false,
			"description": "How much guessing is borne; 0 bounds nothing.",
			"properties": {
				"failuresPerMinute": {"type": "integer", "minimum": 0, "description": "By address; 30 when absent."},
				"failuresInARow": {"type": "integer", "minimum": 0, "description": "By account, until it is blocked; 5 when absent."},
				"firstBlock": {"$ref": "#/$defs/duration", "description": "Doubled by each further failure; 30s when absent."},
				"longestBlock": {"$ref": "#/$defs/duration", "description": "15m when absent."},
				"failuresPerHour": {"type": "integer", "minimum": 0, "description": "By account, whatever succeeds in between; 100 when absent."},
				"maxEntries": {"type": "integer", "minimum": 1000, "description": "Accounts and addresses remembered; 50000 when absent."}
			}
		}
	}
}`

func readSettings(config jsontext.Value) (settings, error) {
	s := settings{
		Lifetime: duration.Duration{Duration: time.Hour}, MaxLiveTokens: 10, Skew: duration.Duration{Duration: 5 * time.Minute},
		Transports: []string{"facebook", "telegram", "web", "whatsapp"}, Throttle: throttle.Standard(),
	}
	s.Android.RequireSignature, s.Android.ReplayableLifetime.Duration = true, 15*time.Minute
	s.TestChannel.NewUsersPerMinute = 60
	if err := json.Unmarshal(config, &s); err != nil {
		return s, err
	}
	for name := range s.Lifetimes {
		if _, known := schemas[name]; !known {
			return s, fmt.Errorf("lifetimes: there is no channel %q", name)
		}
	}
	return s, nil
}

func (s *settings) lifetime(channel string) time.Duration {
	if d, ok := s.Lifetimes[channel]; ok {
		return d.Duration
	}
	return s.Lifetime.Duration
}

// fresh reports whether the date and time that a client has written lies near now.
func (s *settings) fresh(dts, now time.Time) bool { return dts.Sub(now).Abs() <= s.Skew.Duration }

const minServiceKey = 16

// parseServiceKeys reads the secret of that name. Its errors show nothing of it.
func parseServiceKeys(text string) (serviceKeys, error) {
	if text == "" {
		return nil, nil
	}
	var byChannel map[string][]string
	if err := json.Unmarshal([]byte(text), &byChannel); err != nil {
		return nil, errors.New(`the secret serviceKeys is not of the form {"channel":["key"]}`)
	}
	keys := serviceKeys{}
	for channel, list := range byChannel {
		if !slices.Contains(serviceChannels, channel) {
			return nil, fmt.Errorf("the secret serviceKeys names a channel that takes no keys; those that do are %v", serviceChannels)
		}
		for _, key := range list {
			if len(key) < minServiceKey {
				return nil, fmt.Errorf("the secret serviceKeys: a key of %s is shorter than %d characters", channel, minServiceKey)
			}
			keys[channel] = append(keys[channel], digest(key))
		}
	}
	return keys, nil
}
