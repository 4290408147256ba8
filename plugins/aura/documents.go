package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// documents are those of one collection, of one Go type.
type documents[T any] struct{ store sdk.Store }

// get reads a document; nil when there is none.
func (d documents[T]) get(ctx context.Context, id string) (value *T, version int64, err error) {
	doc, err := d.store.Get(ctx, id)
	if errors.Is(err, kerror.ServicesStorageNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	value = new(T)
	return value, doc.Version, json.Unmarshal(doc.Source, value)
}

// create reports whether the document is new; one that exists stays as it is.
func (d documents[T]) create(ctx context.Context, id string, value *T) (bool, error) {
	_, err := d.store.Create(ctx, id, value)
	if errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists) {
		return false, nil
	}
	return err == nil, err
}

// replace reports whether the document still had that version.
func (d documents[T]) replace(ctx context.Context, id string, value *T, version int64) (bool, error) {
	return unchanged(second(d.store.Replace(ctx, id, value, sdk.IfVersion(version))))
}

// remove reports whether the document still had that version.
func (d documents[T]) remove(ctx context.Context, id string, version int64) (bool, error) {
	return unchanged(d.store.Delete(ctx, id, sdk.IfVersion(version)))
}

func second[A any](_ A, err error) error { return err }

func unchanged(err error) (bool, error) {
	if errors.Is(err, kerror.ServicesStorageTooManyChanges) || errors.Is(err, kerror.ServicesStorageNotFound) {
		return false, nil
	}
	return err == nil, err
}

// maxRaces is how often a change that lost a race is tried again: each time somebody else got on.
const maxRaces = 50

var errRaces = fail(unavailable, "too many changes at the same time")

// edit changes a document to what change makes of it: nil there is no document, and change false leaves it. It is called
// again when somebody else was faster.
func (d documents[T]) edit(ctx context.Context, id string, change func(*T) (next *T, changed bool)) error {
	for race := range maxRaces {
		value, version, err := d.get(ctx, id)
		if err != nil {
			return err
		}
		existed := value != nil
		next, changed := change(value)
		if !changed || next == nil && !existed {
			return nil
		}
		var done bool
		switch {
		case !existed:
			done, err = d.create(ctx, id, next)
		case next == nil:
			done, err = d.remove(ctx, id, version)
		default:
			done, err = d.replace(ctx, id, next, version)
		}
		if done || err != nil {
			return err
		}
		if err := pause(ctx, race); err != nil {
			return err
		}
	}
	return errRaces
}

// pause waits a moment that differs from one who lost to the other.
func pause(ctx context.Context, race int) error {
	wait := time.NewTimer(rand.N(time.Millisecond * time.Duration(race+1))) //nolint:gosec // jitter is no secret
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
