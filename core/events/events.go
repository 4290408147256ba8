// Package events carries what happens in the node to those who listen: pipes, which are awaited and may change or stop what
// happens, and hooks, which are told afterwards.
//
// A Table holds who listens to what; it never changes, a new one is made when a plugin comes or goes. A Bus runs the
// hooks of a table in the background.
//
// Every package of core above this one and every controller may import it.
package events

import (
	"context"
	"fmt"
	"strings"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Payload is what an event is about. Pipes may change it through the pointer they get; hooks must not.
type Payload struct {
	// Request is the request that the event belongs to, nil for events of the node itself.
	Request *protocol.Request
	// Result and Err are what the action gave so far: set in events after an action. A pipe on an error event that sets
	// Err to nil and a Result recovers the request.
	Result any
	Err    error
	// Data is what the event is about beside a request: a value that encodes to JSON.
	Data any
}

// Pipe is awaited; an error stops what was about to happen and is answered to the client.
type Pipe interface {
	Pipe(ctx context.Context, event string, p *Payload) error
}

// Hook is told afterwards. ctx ends when the node stops.
type Hook interface {
	Hook(ctx context.Context, event string, p *Payload)
}

// PipeFunc makes a function a Pipe.
type PipeFunc func(ctx context.Context, event string, p *Payload) error

// Pipe calls f.
func (f PipeFunc) Pipe(ctx context.Context, event string, p *Payload) error { return f(ctx, event, p) }

// HookFunc makes a function a Hook.
type HookFunc func(ctx context.Context, event string, p *Payload)

// Hook calls f.
func (f HookFunc) Hook(ctx context.Context, event string, p *Payload) { f(ctx, event, p) }

// Listeners is what one owner listens to. The names are events or the wildcards `<controller>:before*`, `:after*`,
// `:error*` and `<scope>:*`.
type Listeners struct {
	// Owner is the plugin's id, "" for the node.
	Owner string
	Pipes map[string]Pipe
	Hooks map[string]Hook
}

// Table answers who listens to an event. It never changes after NewTable.
type Table struct {
	listeners map[string]*listener
	// wildcard says whether any name ends in *: only then are names taken apart.
	wildcard bool
}

type listener struct {
	pipes []Pipe
	hooks []Hook
}

// NewTable joins the listeners of all owners; pipes run in that order.
func NewTable(all []Listeners) *Table {
	t := &Table{listeners: map[string]*listener{}}
	for _, l := range all {
		for event, pipe := range l.Pipes {
			at := t.at(event)
			at.pipes = append(at.pipes, pipe)
		}
		for event, hook := range l.Hooks {
			at := t.at(event)
			at.hooks = append(at.hooks, hook)
		}
	}
	return t
}

func (t *Table) at(event string) *listener {
	t.wildcard = t.wildcard || strings.HasSuffix(event, "*")
	if t.listeners[event] == nil {
		t.listeners[event] = &listener{}
	}
	return t.listeners[event]
}

// Heard reports whether anybody listens to an event, for those to whom its payload is work.
func (t *Table) Heard(event string) bool {
	l := t.hear(event)
	return l != nil && len(l.pipes)+len(l.hooks) > 0
}

// hear gives who listens to an event, under its own name and under the wildcards it falls under; nil when nobody does,
// which costs one look-up.
func (t *Table) hear(event string) *listener {
	own := t.listeners[event]
	if !t.wildcard {
		return own
	}
	joined := &listener{}
	for _, name := range append([]string{event}, wildcards(event)...) {
		if l := t.listeners[name]; l != nil {
			joined.pipes = append(joined.pipes, l.pipes...)
			joined.hooks = append(joined.hooks, l.hooks...)
		}
	}
	return joined
}

func runPipe(ctx context.Context, pipe Pipe, event string, p *Payload) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = kerror.PluginRuntimeUnexpectedError.Wrap(fmt.Errorf("pipe on %s panicked: %v", event, r), "a pipe on "+event+" failed")
		}
	}()
	return pipe.Pipe(ctx, event, p)
}

// wildcards gives `c:before*` and `c:*` for `c:beforeCreate`.
func wildcards(event string) []string {
	i := strings.LastIndexByte(event, ':')
	if i < 0 {
		return nil
	}
	scope, rest := event[:i+1], event[i+1:]
	names := []string{scope + "*"}
	for _, moment := range []string{"before", "after", "error"} {
		if strings.HasPrefix(rest, moment) {
			names = append(names, scope+moment+"*")
		}
	}
	return names
}
