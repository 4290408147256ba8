package pluginhost

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/pluginhost/hostapi"
	"github.com/sluicehq/sluice/core/pluginhost/process"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/storage"
)

// Options are what a host is made of. Registry, Executor, Strategies, Logger and Metrics must be set; the bounds
// have the defaults of the settings in section plugins where they are 0.
type Options struct {
	// Version of the node is told to plugins.
	Version string
	// Dir is the plugins folder, "" for none.
	Dir string
	// LockFile is the file with the trusted checksums.
	LockFile string
	// DataDir is where the private copies of the executables go, into a folder of their own that is emptied at every start.
	DataDir string
	// Dev runs plugins that are not pinned, and says so.
	Dev bool
	// Registry gets the plugins' actions. The node's own controllers must be in it already: their names are taken.
	Registry *router.Registry
	// Executor runs what plugins call.
	Executor Executor
	// Events fires what plugins trigger.
	Events Events
	// Collections makes what plugins have of their own.
	Collections Collections
	// Strategies gets the plugins' ways to log in. The node's own must be in it already: their names are taken.
	Strategies Strategies
	// Config and Secrets are by plugin id.
	Config  map[string]map[string]any
	Secrets map[string]map[string]config.Secret
	// Mounts, by plugin id, replace those of the manifests.
	Mounts map[string]string
	// Storage are the public indexes that plugins may work on as themselves, by plugin id; "*" is every one.
	Storage map[string][]string

	CallTimeout        time.Duration
	SlowCallWarning    time.Duration
	MaxConcurrentCalls int
	// MaxWaitingCalls less than 0 means none.
	MaxWaitingCalls int
	MaxMessageBytes int
	HookQueueSize   int
	StartTimeout    time.Duration
	DrainTimeout    time.Duration
	// Restart is process.DefaultPolicy when it is the zero value.
	Restart process.Policy
	// MaxHops bounds how many calls inside the node may lead to one another.
	MaxHops int

	Logger  *slog.Logger
	Metrics prometheus.Registerer
	// Changed is told of every plugin that runs, goes down or fails, with why; nil for nobody. It must not wait.
	Changed func(s Status, cause error)

	// InProcess are plugins, by id, that run in this process: for tests. Each function dials one.
	InProcess map[string]func(context.Context) (grpc.ClientConnInterface, error)
}

// Executor runs requests: the funnel.
type Executor = hostapi.Executor

// Events fires events: the bus of the node.
type Events = hostapi.Events

// Collections makes collections: the storage engine.
type Collections interface {
	Ensure(ctx context.Context, c storage.Collection, spec storage.Spec) error
}

// Strategies registers ways to log in: the node's registry.
type Strategies interface {
	Add(s auth.Named) error
	Remove(name, owner string) error
}

func (o Options) withDefaults() Options {
	duration := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	number := func(n *int, value int) {
		if *n == 0 {
			*n = value
		}
	}
	duration(&o.CallTimeout, 5*time.Second)
	duration(&o.SlowCallWarning, 500*time.Millisecond)
	number(&o.MaxConcurrentCalls, 200)
	number(&o.MaxWaitingCalls, 50)
	number(&o.MaxMessageBytes, 16<<20)
	number(&o.HookQueueSize, 10000)
	duration(&o.StartTimeout, 10*time.Second)
	duration(&o.DrainTimeout, 30*time.Second)
	number(&o.MaxHops, 8)
	if o.Changed == nil {
		o.Changed = func(Status, error) {}
	}
	if o.Restart == (process.Policy{}) {
		o.Restart = process.DefaultPolicy()
	}
	return o
}
