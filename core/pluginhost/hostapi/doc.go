// Package hostapi is what a plugin may ask of the node: to run actions that its manifest lists, and to write into the log.
//
// Every process of a plugin gets a Server with a socket and a token of its own. Calls belongs to the plugin: it remembers
// which requests the plugin works on, so that it can act for their users, and for nobody else's.
//
// core/pluginhost imports it. A call goes through the same funnel as a client's.
package hostapi
