package realtime

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/sluicehq/sluice/protocol"
)

// Allowed decides whether a user may subscribe to a collection as things stand now. A subscription whose rights cannot be
// read ends.
type Allowed func(ctx context.Context, kuid, index, collection string) (bool, error)

// Rechecker ends the subscriptions of users who may no longer have them, and tells their connections
// ([protocol.SubscriptionsEnded]). It works in the background, one pass at a time: what changes during a pass is looked at in
// the next one. It is safe for concurrent use.
//
// Life: NewRechecker, and Close before that of the service.
type Rechecker struct {
	service *Service
	allowed Allowed
	log     *slog.Logger
	changed chan struct{}
	stop    context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	pending affected
}

// pause lies between two passes, so that many changes make few of them.
const pause = 100 * time.Millisecond

// maxAffected is how many users are looked at one by one; of more, everybody is.
const maxAffected = 1000

// affected are the users whose rights may have changed; the zero value is nobody.
type affected struct {
	everybody bool
	users     map[string]struct{}
}

func (a *affected) has(kuid string) bool {
	_, ok := a.users[kuid]
	return a.everybody || ok
}

// NewRechecker begins to wait for changes.
func NewRechecker(s *Service, allowed Allowed, log *slog.Logger) *Rechecker {
	ctx, stop := context.WithCancel(context.Background())
	r := &Rechecker{service: s, allowed: allowed, log: log, changed: make(chan struct{}, 1), stop: stop}
	r.running.Go(func() { r.run(ctx) })
	return r
}

// Close ends what runs and waits for it.
func (r *Rechecker) Close() {
	r.stop()
	r.running.Wait()
}

// Changed says that the rights of a user may have changed, of everybody with "". It never waits.
func (r *Rechecker) Changed(kuid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case kuid == "" || len(r.pending.users) >= maxAffected:
		r.pending = affected{everybody: true}
	case r.pending.users == nil:
		r.pending.users = map[string]struct{}{kuid: {}}
	default:
		r.pending.users[kuid] = struct{}{}
	}
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

func (r *Rechecker) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
		}
		r.mu.Lock()
		who := r.pending
		r.pending = affected{}
		r.mu.Unlock()
		r.pass(ctx, who)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// holding is a connection in a room, in the name of a user.
type holding struct {
	kuid, connection string
	room             *room
}

// pass asks for one user after another, for each collection once.
func (r *Rechecker) pass(ctx context.Context, who affected) {
	ended := map[string][]string{} // rooms by connection
	var may bool
	var failure error
	all := r.service.holdings(who.has)
	for i, h := range all {
		if i == 0 || h.kuid != all[i-1].kuid || h.room.at != all[i-1].room.at {
			var err error
			may, err = r.allowed(ctx, h.kuid, h.room.at.index, h.room.at.collection)
			if ctx.Err() != nil {
				break
			}
			if may = may && err == nil; err != nil {
				failure = err
			}
		}
		if !may && r.service.leave(ctx, h.connection, h.room.id, nil) {
			ended[h.connection] = append(ended[h.connection], h.room.id)
		}
	}
	for connection, rooms := range ended {
		r.service.Notify(ctx, connection, protocol.SubscriptionsEnded(r.service.o.NodeID, rooms))
	}
	if failure != nil {
		r.log.ErrorContext(ctx, "subscriptions ended because rights could not be read", "error", failure)
	}
	if len(ended) > 0 {
		r.log.InfoContext(ctx, "subscriptions ended because rights changed", "connections", len(ended))
	}
}

// holdings are the subscriptions of the users that of admits, by user and collection. It goes from room to room and stops none
// of the others meanwhile; who enters one that it has left is looked at by confirm.
func (s *Service) holdings(of func(kuid string) bool) []holding {
	var all []holding
	for _, r := range s.allRooms() {
		all = r.appendHoldings(all, of)
	}
	slices.SortFunc(all, func(a, b holding) int {
		return cmp.Or(
			cmp.Compare(a.kuid, b.kuid),
			cmp.Compare(a.room.at.index, b.room.at.index),
			cmp.Compare(a.room.at.collection, b.room.at.collection),
		)
	})
	return all
}

func (r *room) appendHoldings(dst []holding, of func(kuid string) bool) []holding {
	r.mu.Lock()
	defer r.mu.Unlock()
	for connection, m := range r.members {
		if of(m.kuid) {
			dst = append(dst, holding{m.kuid, connection, r})
		}
	}
	return dst
}

// LeaveAll ends all subscriptions that were made in the name of a user, but those of connections that are spared. Their
// connections are not told.
func (s *Service) LeaveAll(ctx context.Context, kuid string, spared func(connection string) bool) {
	for _, h := range s.holdings(func(other string) bool { return other == kuid }) {
		if !spared(h.connection) {
			s.leave(ctx, h.connection, h.room.id, nil)
		}
	}
}

// confirm ends a subscription that was allowed when it was asked for, and is not any more: neither the end of a token nor a
// change of rights has found it.
func (s *Service) confirm(ctx context.Context, req *protocol.Request, r *room) error {
	if s.o.Confirm == nil {
		return nil
	}
	err := s.o.Confirm(ctx, req, r.at.index, r.at.collection)
	if err != nil {
		s.leave(ctx, req.Connection.ID, r.id, nil)
	}
	return err
}
