package auth

import (
	"context"
	"errors"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Forget removes all that a strategy of the node's own keeps of a user, whether or not the strategy is in the settings. An
// engine without its collection has nothing to remove: services.storage.unknown_index and unknown_collection say no more.
//
// A strategy that is not in the settings is not asked when a user is deleted, and must not let in a later user of that id who
// comes after it. So whoever makes a user has everything under its id removed first, wherever it is, and makes none when that
// fails. It needs no mark of the user beside the credentials, which every login would have to compare.
type Forget func(ctx context.Context, engine storage.Engine, kuid string) error

// removeLeftovers removes what a creation or deletion that was cut off left under the id of a user that does not exist:
// credentials of every strategy, tokens and API keys, and what one left of strategies that are not in the settings. The caller
// has the id in s.changing.
func (s *Service) removeLeftovers(ctx context.Context, req *protocol.Request, kuid string) error {
	for _, strategy := range s.strategies.All() {
		if err := s.deleteCredentials(ctx, req, kuid, strategy); err != nil {
			return err
		}
		still, err := exists(ctx, req, kuid, strategy)
		if err != nil {
			return err
		}
		if still {
			return kerror.SecurityCredentialsDatabaseInconsistency.New(kuid)
		}
	}
	if err := s.forgetUser(ctx, kuid); err != nil {
		return err
	}
	return errors.Join(s.revokeAll(ctx, kuid), s.removeKeys(ctx, kuid))
}

// forgetUser has each Forget done.
func (s *Service) forgetUser(ctx context.Context, kuid string) error {
	for _, forget := range s.options.Forget {
		err := forget(ctx, s.engine, kuid)
		if err != nil && !errors.Is(err, kerror.ServicesStorageUnknownIndex) && !errors.Is(err, kerror.ServicesStorageUnknownCollection) {
			return security.StorageFailed("remove credentials of strategies that may be off", err)
		}
	}
	return nil
}

// freeName removes the leftovers that hold the name of new credentials. A name held by a user, or by one who is being made
// or deleted at this moment, stays taken; the strategy says so.
func (s *Service) freeName(ctx context.Context, req *protocol.Request, strategy Named, credentials jsontext.Value) error {
	holder, ok := strategy.Strategy.(Holder)
	if !ok {
		return nil
	}
	kuid, err := holder.Holder(ctx, req, credentials)
	if err != nil || kuid == "" || !s.changing.tryEnter(kuid) {
		return err
	}
	defer s.changing.leave(kuid)
	if _, err := s.users.ReadUser(ctx, kuid); !errors.Is(err, kerror.SecurityUserNotFound) {
		return err
	}
	return s.deleteCredentials(ctx, req, kuid, strategy)
}

// changing holds the ids of users that are being made or deleted, each by one call at a time: while a user is made, its
// credentials look like leftovers. It holds for one node: in a cluster, two nodes that make users with the same id or the
// same name at the same moment may take each other's credentials for leftovers, and one account ends up without. It is safe
// for concurrent use; its zero value is empty.
type changing struct {
	mu  sync.Mutex
	ids map[string]chan struct{} // closed when the call has ended
}

// enter waits until no other call has the id.
func (c *changing) enter(ctx context.Context, id string) error {
	for {
		other := c.take(id)
		if other == nil {
			return nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tryEnter reports false when another call has the id.
func (c *changing) tryEnter(id string) bool { return c.take(id) == nil }

// take takes the id, or gives what is closed when the call that has it ends.
func (c *changing) take(id string) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other, ok := c.ids[id]; ok {
		return other
	}
	if c.ids == nil {
		c.ids = map[string]chan struct{}{}
	}
	c.ids[id] = make(chan struct{})
	return nil
}

func (c *changing) leave(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.ids[id])
	delete(c.ids, id)
}
