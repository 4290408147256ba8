package pluginhost

// State is where a plugin is in its life.
type State string

// The states.
const (
	// Starting: not let in yet.
	Starting State = "starting"
	Running  State = "running"
	// Restarting: it crashed or did not start, and is about to be started again; its routes answer 503.
	Restarting State = "restarting"
	// Failed: it could not be let in, or ended too often. It is left alone until the node starts again.
	Failed State = "failed"
	// Stopped: the host is closed.
	Stopped State = "stopped"
)

// Status tells how a plugin is.
type Status struct {
	ID       string
	WireName string
	Version  string
	State    State
	// PID is 0 when there is no process.
	PID      int
	Restarts int
	// Degraded is what a running plugin says it cannot do now, "" when it can do all.
	Degraded string
	// Pinned is false for a plugin that runs in development mode only.
	Pinned bool
	// LastError is why it is not running, or why it was not the last time; "" for never.
	LastError string
	// LastLines are the last lines of its stderr, oldest first.
	LastLines []string
}
