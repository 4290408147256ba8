// Package config is every setting of a node: its name, type, default, meaning, and the way it is read.
//
// One struct a section, one field a key. The tags are the only place where a key is described:
//
//	config  the name of the key in the file; the environment variable is made from it
//	doc     what it means, for people
//	min, max, oneof  the values that are right
//
// Everything else (the reader, the checks, docs/configuration.md) is made from them, so a new key is one field with a
// default.
//
// The package knows nothing of the parts that use the settings, opens no port and keeps no state: a Config is a value that
// the caller owns and nobody changes after Load. Everybody above protocol may import it.
package config

//go:generate go run ./gen

// Config is all settings of a node. Make one with Defaults or Load; the zero value is not usable.
type Config struct {
	Dev       bool      `config:"dev" doc:"Development mode: plugins run without a pin and the node says so loudly. Never in production."`
	Server    Server    `config:"server" doc:"The address, the folders and the bounds of every connection."`
	HTTP      HTTP      `config:"http" doc:"What is particular to HTTP."`
	WebSocket WebSocket `config:"websocket" doc:"What is particular to WebSocket."`
	MQTT      MQTT      `config:"mqtt" doc:"Whether and where MQTT is spoken."`
	Realtime  Realtime  `config:"realtime" doc:"Subscriptions and what is kept for clients that come back."`
	Limits    Limits    `config:"limits" doc:"What one node takes on at once, and what one request may ask for."`
	Security  Security  `config:"security" doc:"Tokens, passwords and the rights of new users."`
	Storage   Storage   `config:"storage" doc:"Where documents are kept."`
	Plugins   Plugins   `config:"plugins" doc:"Which plugins run, how they are watched and what they are given."`
	Audit     Audit     `config:"audit" doc:"The record of what matters to security, apart from the log; see security.md."`
	Log       Log       `config:"log" doc:"The log of the node, on its standard error."`
}

// Defaults gives the settings of a node that was told nothing. They are valid and work without a file.
func Defaults() *Config {
	return &Config{
		Server:    defaultServer(),
		HTTP:      defaultHTTP(),
		WebSocket: defaultWebSocket(),
		MQTT:      defaultMQTT(),
		Realtime:  defaultRealtime(),
		Limits:    defaultLimits(),
		Security:  defaultSecurity(),
		Storage:   defaultStorage(),
		Plugins:   defaultPlugins(),
		Audit:     defaultAudit(),
		Log:       defaultLog(),
	}
}
