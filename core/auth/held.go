package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// heldFor bounds how long the strategies of a user are remembered: a strategy may change credentials by itself.
const heldFor = time.Minute

// heldStrategies are the strategies a user has credentials for, as they were found among all.
type heldStrategies struct {
	names []string
	among *[]Named
	until time.Time
}

// StrategiesOf names the strategies that the user has credentials for, never nil. Those of a plugin that is down are left out,
// and the answer is not remembered. Else it comes from memory when nothing has changed; the slice must not be changed.
func (s *Service) StrategiesOf(ctx context.Context, req *protocol.Request, kuid string) ([]string, error) {
	all := s.strategies.current.Load()
	if held, ok := s.held.Get(kuid); ok && held.among == all && s.now().Before(held.until) {
		return held.names, nil
	}
	s.mu.Lock()
	generation := s.credentials
	s.mu.Unlock()
	held := heldStrategies{names: []string{}, among: all, until: s.now().Add(heldFor)}
	complete := true
	for _, strategy := range *all {
		exists, err := strategy.Exists(ctx, req, kuid)
		if errors.Is(err, kerror.PluginRuntimeUnavailable) {
			complete = false
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look for credentials of strategy %q: %w", strategy.Name, err)
		}
		if exists {
			held.names = append(held.names, strategy.Name)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if complete && s.credentials == generation {
		s.held.Add(kuid, held)
	}
	return held.names, nil
}

// credentialsChanged drops what is remembered of a user's strategies. Call it after the change.
func (s *Service) credentialsChanged(kuid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.credentials++
	s.held.Remove(kuid)
}
