// Package pluginv1 is the protocol between a node and its plugins: plugin.proto, the code generated from it, and the words
// of the handshake that precedes it.
//
// The plugin host and the SDK import it; an SDK for another language is written from plugin.proto and this file. It holds
// no logic: protocol/pluginv1/codec turns its messages into the types of protocol.
package pluginv1

//go:generate go tool -modfile=../../.ci/tools/go.mod buf generate

// The node starts a plugin with the variable CookieName set to CookieValue, and with PLUGIN_UNIX_SOCKET_DIR naming the
// folder for its socket. The plugin answers with one line on stdout:
//
//	1|1|unix|<path of its socket>|grpc|
//
// Before that line stdout must stay silent. The cookie is no secret: without it somebody started the plugin by hand.
const (
	CookieName  = "SLUICE_PLUGIN"
	CookieValue = "6b1f0c52-sluice-plugin"
	// HandshakeVersion is the second field of the line.
	HandshakeVersion = 1
)

// APIVersion is the version that a manifest names.
const APIVersion = 1

// TokenKey is the gRPC metadata key under which a plugin sends its token to Host.
const TokenKey = "sluice-plugin-token" //nolint:gosec // a name, no secret
