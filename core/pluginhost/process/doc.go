// Package process runs the executable of a plugin: it spawns it, reads the handshake, watches it, collects what it prints,
// and ends it with all its children. It also decides when a crashed plugin is started again.
//
// It knows no actions and no events; core/pluginhost and its children import it.
//
// What go-plugin does not do by itself is done here, in a runner of our own. The process leads a group of its own, which is
// killed as a whole before the dead leader is reaped, so that no other group can have got its number. On Linux the kernel
// kills it when the thread that spawned it ends, so that thread does nothing else until the process is gone. Its stdin is
// empty, its environment is a short list, and its stdout belongs to go-plugin for exactly one line.
package process
