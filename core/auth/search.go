package auth

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Searcher is a strategy that finds users by the public part of their credentials.
type Searcher interface {
	// Search must refuse queries and sorts over anything that Describer does not show.
	Search(ctx context.Context, req *protocol.Request, s CredentialSearch) (CredentialsFound, error)
}

// CredentialSearch is a search among the credentials of one strategy.
type CredentialSearch struct {
	// Query and Sort are those of a search body, nil for none.
	Query, Sort jsontext.Value
	From, Size  int
}

// CredentialsFound is what a Searcher found.
type CredentialsFound struct {
	// Hits are the public parts of credentials, with the user in kuid.
	Hits []any `json:"hits"`
	// Total is how many match.
	Total int `json:"total"`
}

// SearchCredentials finds users by the credentials that a strategy has of them: security.credentials.unknown_strategy when
// there is none of that name, plugin.strategy.missing_optional_method when it cannot search.
func (s *Service) SearchCredentials(ctx context.Context, req *protocol.Request, name string, search CredentialSearch) (CredentialsFound, error) {
	strategy, err := s.strategies.Get(name)
	if err != nil {
		return CredentialsFound{}, err
	}
	searcher, ok := strategy.Strategy.(Searcher)
	if !ok {
		return CredentialsFound{}, kerror.PluginStrategyMissingOptionalMethod.New("search", name)
	}
	return searcher.Search(ctx, req, search)
}
