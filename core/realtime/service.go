package realtime

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/koncorde"
	"github.com/sluicehq/sluice/protocol"
)

// Config is what a Service is made of.
type Config struct {
	// Outbox finds the way to an open connection by its id, nil when there is none.
	Outbox func(connection string) Outbox
	// Confirm is asked once a connection has entered a room, whether its token is still in force and its user may still
	// subscribe to the collection: what ended in between has found no subscription to end. Its error is the answer. nil
	// confirms everything.
	Confirm func(ctx context.Context, req *protocol.Request, index, collection string) error
	// Pace holds back who is about to notify while clients have more waiting for them than can be written soon; it ends with
	// ctx. nil holds back nobody.
	Pace   func(ctx context.Context)
	Bus    *events.Bus
	Events func() *events.Table
	NodeID string
	Parser koncorde.Parser
	// MaxRooms bounds the rooms that somebody is in, 0 for any number; MaxConditions the conditions of a filter;
	// MaxSubscriptions the rooms that one connection may be in, 0 for any number. MaxFilterBytes bounds the memory of the
	// filters of all rooms, of which one connection may be in rooms for a quarter.
	MaxRooms         int
	MaxConditions    int
	MaxSubscriptions int
	MaxFilterBytes   int64
	History          HistoryLimits
	Logger           *slog.Logger
	Metrics          prometheus.Registerer
}

// Service holds the subscriptions of a node. It is safe for concurrent use.
//
// Locks are taken in this order: Service.mu, room.mu. Neither is held while a pipe or hook runs.
//
// Life: New, and Close once nobody subscribes any more.
type Service struct {
	o       Config
	metrics *metrics
	// historyBytes is what all histories hold together.
	historyBytes atomic.Int64

	mu     sync.RWMutex
	boards map[place]*board
	rooms  map[string]*room
	// subscribers are the connections that are in a room, by id.
	subscribers map[string]*subscriber
	// filterBytes is about what the filters of all rooms need.
	filterBytes int64
	// lingering counts the rooms that nobody is in.
	lingering int
	// remembering are the rooms with a history; sweeper goes through them, nil while there are none.
	remembering map[*room]struct{}
	sweeper     *time.Timer
	closed      bool

	// sweeps counts those that are to come or that run.
	sweeps sync.WaitGroup
}

// subscriber is a connection that is in a room.
type subscriber struct {
	// rooms by id; bytes is what their filters need.
	rooms map[string]*room
	bytes int64
}

// place is a collection; it need not exist.
type place struct{ index, collection string }

// board is what a collection is watched for.
type board struct {
	matcher *koncorde.Matcher
	rooms   int
}

// New makes a service without subscriptions.
func New(c Config) (*Service, error) {
	s := &Service{
		o: c, boards: map[place]*board{}, rooms: map[string]*room{}, subscribers: map[string]*subscriber{},
		remembering: map[*room]struct{}{},
	}
	var err error
	s.metrics, err = newMetrics(c.Metrics, s)
	return s, err
}

// Close lets nobody in any more and ends what runs in the background; who is in a room still hears, and may leave.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	s.stopSweepingLocked()
	s.mu.Unlock()
	s.sweeps.Wait()
}

// Watched reports whether anybody may want to hear of documents of a collection. It costs one look-up.
func (s *Service) Watched(index, collection string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.boards[place{index, collection}] != nil
}

// room gives a room by its id, nil when it is not there.
func (s *Service) room(id string) *room {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rooms[id]
}

// allRooms gives the rooms there are; others come and go meanwhile.
func (s *Service) allRooms() []*room {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Collect(maps.Values(s.rooms))
}

// matching gives the rooms that a document falls into. The lock is not held while it looks: others come and go meanwhile.
func (s *Service) matching(at place, doc *koncorde.Document) []*room {
	s.mu.RLock()
	b := s.boards[at]
	s.mu.RUnlock()
	if b == nil {
		return nil
	}
	ids, complete := b.matcher.AppendMatch(nil, doc)
	if !complete {
		s.metrics.incomplete.Inc()
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	rooms := make([]*room, 0, len(ids))
	for _, id := range ids {
		if r := s.rooms[id]; r != nil {
			rooms = append(rooms, r)
		}
	}
	return rooms
}

// now is the time of messages, in milliseconds since 1970.
func now() int64 { return time.Now().UnixMilli() }
