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
	pipes map[string][]Pipe
	hooks map[string][]Hook
	// wildcard says whether any name ends in *: only then are names taken apart.
	wildcard bool
}

// NewTable joins the listeners of all owners; pipes run in that order.
func NewTable(all []Listeners) *Table {
	t := &Table{pipes: map[string][]Pipe{}, hooks: map[string][]Hook{}}
	for _, l := range all {
		for event, pipe := range l.Pipes {
			t.pipes[event] = append(t.pipes[event], pipe)
			t.wildcard = t.wildcard || strings.HasSuffix(event, "*")
		}
		for event, hook := range l.Hooks {
			t.hooks[event] = append(t.hooks[event], hook)
			t.wildcard = t.wildcard || strings.HasSuffix(event, "*")
		}
	}
	return t
}

// Pipe runs the pipes of an event one after the other until one fails. A pipe that panics fails with
// plugin.runtime.unexpected_error: a security decision behind a pipe fails closed.
func (t *Table) Pipe(ctx context.Context, event string, p *Payload) error {
	for _, name := range t.names(event) {
		for _, pipe := range t.pipes[name] {
			if err := runPipe(ctx, pipe, event, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// Hears reports whether anybody pipes or hooks the event.
func (t *Table) Hears(event string) bool {
	for _, name := range t.names(event) {
		if len(t.pipes[name]) > 0 || len(t.hooks[name]) > 0 {
			return true
		}
	}
	return false
}

func runPipe(ctx context.Context, pipe Pipe, event string, p *Payload) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = kerror.PluginRuntimeUnexpectedError.Wrap(fmt.Errorf("pipe on %s panicked: %v", event, r), "a pipe on "+event+" failed")
		}
	}()
	return pipe.Pipe(ctx, event, p)
}

func (t *Table) hooksOf(event string) []Hook {
	if !t.wildcard {
		return t.hooks[event]
	}
	var all []Hook
	for _, name := range t.names(event) {
		all = append(all, t.hooks[name]...)
	}
	return all
}

// names gives the event and the wildcards it falls under. Without any wildcard listener that is the event alone, on the
// stack.
func (t *Table) names(event string) []string {
	if !t.wildcard {
		return []string{event}
	}
	return append([]string{event}, wildcards(event)...)
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
