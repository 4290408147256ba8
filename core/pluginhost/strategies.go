package pluginhost

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/events"
)

// strategyAdded is told to hooks when a plugin that brings a strategy runs for the first time.
const strategyAdded = "core:auth:strategyAdded"

// addedStrategy is the data of that event.
type addedStrategy struct {
	Name     string           `json:"name"`
	Plugin   string           `json:"pluginName"`
	Strategy describeStrategy `json:"strategy"`
}

type describeStrategy struct {
	Fields []string `json:"fields"`
}

func (p *plugin) strategies() []auth.Named { return p.bridge.Strategies(p.manifest) }

// addStrategies registers the ways to log in that the plugin brings, all or none. They stay while the plugin is down, and
// then refuse.
func (p *plugin) addStrategies() error {
	all := p.strategies()
	for i, s := range all {
		if err := p.host.options.Strategies.Add(s); err != nil {
			return errors.Join(fmt.Errorf("its strategy is refused: %w", err), p.removeStrategies(all[:i]))
		}
	}
	return nil
}

func (p *plugin) removeStrategies(added []auth.Named) error {
	var problems []error
	for _, s := range added {
		problems = append(problems, p.host.options.Strategies.Remove(s.Name, s.Owner))
	}
	return errors.Join(problems...)
}

// announceStrategies tells hooks, once, of the strategies of a plugin that runs.
func (p *plugin) announceStrategies(ctx context.Context) {
	if p.announced || p.Status().State != Running {
		return
	}
	p.announced = true
	for _, s := range p.strategies() {
		payload := events.Payload{Data: addedStrategy{s.Name, p.id, describeStrategy{s.Fields()}}}
		if err := p.host.options.Events.Fire(ctx, strategyAdded, &payload); err != nil {
			p.logger.Warn("event failed", "event", strategyAdded, "error", err)
		}
	}
}
