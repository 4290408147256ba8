// Package httpserver serves the port of the node: the API over HTTP, the node's own few entries, and the upgrade to
// WebSocket, which it hands on.
//
// The own entries (/_healthcheck, /_ready, /_query, /metrics and what Options.Mount adds) are gorilla/mux routes; they and
// the upgrades always win. Everything else is the API, and the route trie of the router finds the action.
//
// Whatever goes wrong with a request whose headers could be read, the answer is a whole envelope with an error of the
// catalogue, in the wire profile of the action that its route leads to. Of the profile raw it is what the service behind the
// route says of such an error, see service.go.
//
// Host names and listeners may belong to one plugin each (Options.Hosts, Server.ServeSite): its routes are all there is then.
//
// core/node imports it.
package httpserver
