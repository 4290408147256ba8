package local

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// searchable are the fields that a search may speak of. The hash of a password is not even indexed.
var searchable = []string{"username", "kuid"}

// Search finds credentials by username and kuid, and shows nothing else of them: 403 for any other field, 400 for a clause that
// could look elsewhere. Credentials that were stored before there were searches are found by username from their next change on.
func (s *Strategy) Search(ctx context.Context, _ *protocol.Request, search auth.CredentialSearch) (auth.CredentialsFound, error) {
	var body protocol.Args
	if search.Query != nil {
		body.Set("query", search.Query)
	}
	if search.Sort != nil {
		body.Set("sort", search.Sort)
	}
	if err := harmless(body.JSON()); err != nil {
		return auth.CredentialsFound{}, err
	}
	body.Set("_source", jsontext.Value(`["kuid"]`))
	found, err := s.engine.Search(ctx, storage.Search{
		Targets: []storage.Collection{usersCollection}, Body: body.JSON(), From: search.From, Size: search.Size,
	})
	if errors.Is(err, kerror.ServicesStorageUnknownIndex) || errors.Is(err, kerror.ServicesStorageUnknownCollection) {
		return auth.CredentialsFound{}, security.StorageFailed("search credentials", err)
	}
	if err != nil {
		return auth.CredentialsFound{}, err
	}
	answer := auth.CredentialsFound{Total: found.Total}
	for _, hit := range found.Hits {
		r, err := parse(storage.Document{ID: hit.ID, Source: hit.Source})
		if err != nil {
			return auth.CredentialsFound{}, err
		}
		answer.Hits = append(answer.Hits, info{hit.ID, r.KUID})
	}
	return answer, nil
}

// harmless refuses searches over anything but searchable fields.
func harmless(body jsontext.Value) error {
	search, err := query.ParseSearch(body)
	if err != nil {
		return err
	}
	query.Walk(search.Query, func(q query.Query) bool {
		switch q.(type) {
		case *query.MatchAll, *query.MatchNone, *query.Bool, *query.Term, *query.Terms, *query.Match, *query.Prefix,
			*query.Wildcard, *query.Range, *query.Exists, *query.IDs:
		default:
			err = kerror.Bare(kerror.BadRequestError, "A search of credentials cannot have clauses of this kind.")
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	fields := query.Fields(search.Query)
	for _, key := range search.Sort {
		fields = append(fields, key.Field)
	}
	for _, field := range fields {
		if !slices.Contains(searchable, field) {
			return kerror.Bare(kerror.ForbiddenError, "Credentials cannot be searched by "+strconv.Quote(field)+".")
		}
	}
	return nil
}
