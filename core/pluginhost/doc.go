// Package pluginhost runs the plugins of a node: it finds them, starts each as a process of its own, lets in what their
// manifests may claim, watches over them and starts them again when they crash or do not start.
//
// A plugin is a folder <plugins folder>/<id> with an executable <id> in it. Its children share the work: catalog finds
// and trusts files, process runs them, bridge turns a plugin into actions and listeners, hostapi is what a plugin may ask
// of the node. core/node imports it.
//
// What a plugin stores for itself lies in an internal index that is named after it (storage.PluginIndex). Only calls that it
// makes as itself get there: hostapi puts the name into protocol.Internal.Storage, and controllers/target reads it.
//
// A plugin that cannot be let in is reported with what to do and left out; the node starts without it. A plugin that
// crashes keeps its routes, which answer 503 until it is back. Nothing of it outlives Close, and on Linux not even a node
// that is killed.
package pluginhost
