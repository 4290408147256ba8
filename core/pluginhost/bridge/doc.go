// Package bridge makes a plugin look like any other part of the node: its actions are handlers in the router, its pipes and
// hooks are listeners, its strategies are ways to log in. It decides what a manifest may claim, keeps the bounds and deadlines of calls, and turns what goes
// wrong on the way into errors of the API.
//
// It starts no process; core/pluginhost connects it to one. Nobody else imports it.
//
// A call goes to a plugin at most once. When the plugin dies under it, the client is told so: the call may have had its
// effect. A pipe that gives no answer, for whatever reason, stops the request it belongs to.
package bridge
