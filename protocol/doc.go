// Package protocol holds the words on the wire: requests, responses, errors, notifications and the wire profiles in which
// they are written. It decodes and encodes; it decides nothing.
//
// Everybody may import it. It imports the standard library, go-json-experiment/json and its own child kerror only, because
// plugin authors inherit what it pulls in.
package protocol
