package config

import "time"

// WebSocket is the section websocket.
type WebSocket struct {
	Enabled                bool          `config:"enabled" doc:"Offer WebSocket beside HTTP."`
	IdleTimeout            time.Duration `config:"idleTimeout" doc:"Silence after which a connection is closed." min:"1s"`
	Compression            bool          `config:"compression" doc:"Offer permessage-deflate."`
	RateLimit              int           `config:"rateLimit" doc:"Messages per second and connection; 0 = unlimited." min:"0"`
	SendPingsAutomatically bool          `config:"sendPingsAutomatically" doc:"Ping idle clients before websocket.idleTimeout ends, so that they stay."`
	OutboxMessages         int           `config:"outboxMessages" doc:"Messages waiting for one slow client; see websocket.slowClients for one more." min:"1"`
	SlowClients            string        `config:"slowClients" doc:"What becomes of a client that does not read its notifications: disconnect, so that it comes back and subscribes again, or drop, which loses notifications and tells the client how many. Answers that are not read always disconnect." oneof:"disconnect drop"`
	OutboxBytes            Size          `config:"outboxBytes" doc:"The same bound in bytes." min:"64KB"`
	MaxInFlight            int           `config:"maxInFlight" doc:"Requests of one connection executed at once; further ones wait in the socket." min:"1"`
	WriteTimeout           time.Duration `config:"writeTimeout" doc:"Time for a client to take one message." min:"1ms"`
}

func defaultWebSocket() WebSocket {
	return WebSocket{
		Enabled:        true,
		IdleTimeout:    60 * time.Second,
		OutboxMessages: 4096,
		SlowClients:    "disconnect",
		OutboxBytes:    4 * MB,
		MaxInFlight:    64,
		WriteTimeout:   10 * time.Second,
	}
}
