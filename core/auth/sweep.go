package auth

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/storage"
)

// sweepUntil removes refreshed and expired tokens now and then, until ctx ends.
func (s *Service) sweepUntil(ctx context.Context) {
	ticker, often := time.NewTicker(sweepEvery), time.NewTicker(retiredKept)
	defer ticker.Stop()
	defer often.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-often.C:
			if err := s.removeRetired(ctx, maxRetired); err != nil && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "refreshed tokens could not be removed", "error", err)
			}
		case <-ticker.C:
			if n, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "expired tokens could not be removed", "removed", n, "error", err)
			}
		}
	}
}

// Sweep removes the tokens that have expired and says how many. Refreshed ones stay a minute longer, as long as their
// refresh may be under way.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	removed := 0
	now := s.now().UnixMilli()
	var failed error
	err := s.engine.Scan(ctx, tokensCollection, "", func(doc storage.Document) bool {
		var r record
		if err := json.Unmarshal(doc.Source, &r); err != nil || r.removable() < 0 || r.removable() > now {
			return ctx.Err() == nil
		}
		id, err := parseTokenID(doc.ID)
		if err != nil {
			return true
		}
		if failed = s.remove(ctx, doc.ID, id); failed != nil {
			return false
		}
		removed++
		return ctx.Err() == nil
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return removed, fmt.Errorf("sweep tokens: %w", err)
	}
	return removed, nil
}

func parseTokenID(text string) (tokenID, error) {
	var id tokenID
	if len(text) != hex.EncodedLen(len(id)) {
		return id, fmt.Errorf("%q is no token id", text)
	}
	_, err := hex.Decode(id[:], []byte(text))
	return id, err
}
