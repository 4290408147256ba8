package main

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Who is told of an erasure: first gvp, until it has acknowledged, then whoever listens to the event.
const (
	forgetController = "gvp-uniapi/admin"
	forgetAction     = "forget"
	erasedEvent      = "identity:erased"
)

// erasure is a row of what was erased. It stays for ever; until it is delivered it holds, sealed, what the others must be told.
type erasure struct {
	At          string `json:"at"`
	Actor       string `json:"actor"`
	Action      string `json:"action"`
	Subject     string `json:"subject"` // HMAC of the auraId
	PhoneHMAC   string `json:"phoneHmac,omitempty"`
	Correlator  string `json:"correlator"`
	Delivered   bool   `json:"delivered"`
	DeliveredAt string `json:"deliveredAt,omitempty"`
	Sealed      string `json:"sealed,omitempty"`
}

// erased is the sealed part of an erasure.
type erased struct {
	AuraID       string `json:"auraId"`
	AuraIDGlobal string `json:"auraIdGlobal"`
	PhoneHMAC    string `json:"phoneHmac"`
	Key          string `json:"key"`
	Incarnation  string `json:"incarnation"`
}

// forgotten is the body of gvp's action. PhoneHMAC is "" for a user without a telephone number.
type forgotten struct {
	AuraID    string `json:"auraId"`
	PhoneHMAC string `json:"phoneHmac"`
}

// erasedIdentity is what the event carries.
type erasedIdentity struct {
	AuraID       string `json:"auraId"`
	AuraIDGlobal string `json:"auraIdGlobal"`
	PhoneHMAC    string `json:"phoneHmac"`
}

const erasurePurpose = "aura-erasure"

// pending lists erasures that are not delivered.
type pending struct {
	IDs []string `json:"ids"`
}

// outbox erases users and tells the others, without loss. The order is what makes it so:
//
//  1. The row is written, then its id among those pending.
//  2. The records are removed. A client that gets an error repeats the request; what was begun goes on without it.
//  3. In the background, also after a restart: the records are removed if they are still there, gvp acknowledges, the event
//     is fired, the row is marked as delivered and loses its sealed part, the id is taken from those pending.
//
// So gvp may hear of the same erasure twice.
type outbox struct {
	host     *sdk.Host
	keys     *keys
	registry registry
	settings erasureSettings
	rows     documents[erasure]
	pending  documents[pending]
	wake     chan struct{}
}

func newOutbox(host *sdk.Host, k *keys, g registry, s erasureSettings) *outbox {
	return &outbox{
		host, k, g, s,
		documents[erasure]{host.Store(erasuresCollection)},
		documents[pending]{host.Store(pendingCollection)},
		make(chan struct{}, 1),
	}
}

// erase removes a record and returns when it is gone; the others are told afterwards.
func (o *outbox) erase(ctx context.Context, c *call, key string, r *record) error {
	e := erased{r.AuraID, r.AuraIDGlobal, r.PhoneHMAC, key, r.incarnation()}
	content, err := json.Marshal(e)
	if err != nil {
		return err
	}
	row := &erasure{
		At: now(), Actor: c.actor(), Action: c.Action, Subject: o.keys.hmac("auraId", r.AuraID), PhoneHMAC: r.PhoneHMAC,
		Correlator: c.correlator, Sealed: o.keys.ring.Seal(erasurePurpose, content),
	}
	rowID := uuid.NewString()
	if _, err := o.rows.create(ctx, rowID, row); err != nil {
		return err
	}
	if err := o.pending.edit(ctx, bucket(rowID), func(p *pending) (*pending, bool) {
		if p == nil {
			p = &pending{}
		}
		return &pending{append(p.IDs, rowID)}, true
	}); err != nil {
		return err
	}
	defer o.nudge()
	return o.registry.erase(ctx, e)
}

func (o *outbox) nudge() {
	select {
	case o.wake <- struct{}{}:
	default: // it is awake, and looks at all that is pending
	}
}

// buckets divide what is pending over several documents, because each changes with every erasure.
const buckets = "0123456789abcdef"

func bucket(rowID string) string { return rowID[:1] }

// run delivers what is pending, until ctx ends: at once, after each erasure, and again and again while some of it fails.
func (o *outbox) run(ctx context.Context) {
	wait, degraded := o.settings.FirstRetry.Duration, false
	for {
		err := o.round(ctx)
		if ctx.Err() != nil {
			return
		}
		next := o.settings.LongestRetry.Duration // nodes that died may have left something
		if err != nil {
			next, wait = wait, min(2*wait, o.settings.LongestRetry.Duration)
			o.host.Logger().WarnContext(ctx, "erasures are not delivered yet", "error", err.Error(), "retryIn", next)
			degraded = o.host.Degraded(ctx, "Erasures of users wait until gvp has acknowledged them.") == nil || degraded
		} else {
			wait = o.settings.FirstRetry.Duration
			if degraded {
				degraded = o.host.Healthy(ctx) != nil
			}
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-o.wake:
		case <-timer.C:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// round delivers all that is pending. It ends early when gvp cannot be reached, but not for one row that fails alone: the
// order differs from round to round.
func (o *outbox) round(ctx context.Context) error {
	ids, err := o.load(ctx)
	if err != nil {
		return err
	}
	var failures []error
	for _, rowID := range ids {
		err := o.deliver(ctx, rowID)
		if err == nil {
			continue
		}
		failures = append(failures[:min(len(failures), 3)], err)
		var failed *kerror.Error
		if ctx.Err() != nil || errors.As(err, &failed) && (failed.Status >= http.StatusInternalServerError || failed.Status == http.StatusNotFound) {
			break
		}
	}
	return errors.Join(failures...)
}

// load gives the ids of all rows that are pending, in random order.
func (o *outbox) load(ctx context.Context) ([]string, error) {
	names := make([]string, len(buckets))
	for i := range names {
		names[i] = buckets[i : i+1]
	}
	result, err := o.pending.store.Call(ctx, "mGet", map[string][]string{"ids": names}, nil)
	var partial *kerror.Error
	if err != nil && (!errors.As(err, &partial) || len(result.Value) == 0) {
		return nil, err
	}
	var found struct {
		Successes []struct {
			Source pending `json:"_source"`
		} `json:"successes"`
	}
	if err := result.Decode(&found); err != nil {
		return nil, err
	}
	var ids []string
	for _, s := range found.Successes {
		ids = append(ids, s.Source.IDs...)
	}
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] }) //nolint:gosec // an order is no secret
	return ids, nil
}

// deliver brings one row to its end.
func (o *outbox) deliver(ctx context.Context, rowID string) error {
	row, version, err := o.rows.get(ctx, rowID)
	if err != nil {
		return err
	}
	if row != nil && !row.Delivered {
		if err := o.tell(ctx, row); err != nil {
			return err
		}
		row.Delivered, row.DeliveredAt, row.Sealed = true, now(), ""
		if _, err := o.rows.replace(ctx, rowID, row, version); err != nil { // another node was as fast
			return err
		}
	}
	return o.pending.edit(ctx, bucket(rowID), func(p *pending) (*pending, bool) {
		if p == nil || !slices.Contains(p.IDs, rowID) {
			return p, false
		}
		rest := slices.DeleteFunc(slices.Clone(p.IDs), func(id string) bool { return id == rowID })
		if len(rest) == 0 {
			return nil, true
		}
		return &pending{rest}, true
	})
}

// tell makes the others forget.
func (o *outbox) tell(ctx context.Context, row *erasure) error {
	content, err := o.keys.ring.Open(erasurePurpose, row.Sealed)
	if err != nil {
		return errors.New("an erasure cannot be read: its key is missing in keyRing")
	}
	var e erased
	if err := json.Unmarshal(content, &e); err != nil {
		return err
	}
	if err := o.registry.erase(ctx, e); err != nil {
		return err
	}
	if o.settings.TellGVP {
		told := forgotten{e.AuraID, e.PhoneHMAC}
		if _, err := o.host.Call(ctx, sdk.Call{Controller: forgetController, Action: forgetAction, Body: told}); err != nil {
			return err
		}
	}
	event := erasedIdentity{e.AuraID, e.AuraIDGlobal, e.PhoneHMAC}
	if _, err := o.host.Trigger(ctx, erasedEvent, event); err != nil {
		if ctx.Err() != nil {
			return err
		}
		o.host.Logger().LogAttrs(ctx, slog.LevelWarn, "the event of an erasure was stopped", slog.String("error", err.Error()))
	}
	return nil
}
