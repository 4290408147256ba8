package validation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Collection is where specifications are stored: {index, collection, validation} under the id `index#collection`.
var Collection = storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "validations"}

// layout is the mapping of Kuzzle, in which "validations" is misspelt: the specification itself is not indexed.
var layout = jsontext.Value(`{"dynamic":"false","properties":{
	"index":{"type":"keyword"},"collection":{"type":"keyword"},"validations":{"type":"object","dynamic":"false"},
	"_kuzzle_info":` + mapping.KuzzleInfoMapping + `}}`)

// Engine is where a Validator stores.
type Engine interface {
	storage.Documents
	storage.Collections
	storage.Finder
}

// Options are what a Validator is made of.
type Options struct {
	Engine Engine
	// Logger is told which stored specifications cannot be read; nil is slog.Default.
	Logger *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Validator holds the specifications of all collections. Its methods are safe for concurrent use; it has no goroutine and
// needs no Close. A change is in force for every call that begins after Put, Delete or DeleteIndexes returned.
type Validator struct {
	engine Engine
	now    func() time.Time
	// specs is replaced as a whole, by whoever holds writing.
	specs   atomic.Pointer[map[address]entry]
	writing chan struct{}
}

// address is that of a public collection.
type address struct{ index, collection string }

func (a address) id() string { return a.index + "#" + a.collection }

// entry is a specification, or why it cannot be read.
type entry struct {
	spec *Specification
	err  error
}

// Open makes the collection of specifications and reads them all. One that cannot be read is logged, and refuses the writes
// to its collection until it is replaced or deleted.
func Open(ctx context.Context, o Options) (*Validator, error) {
	v := &Validator{engine: o.Engine, now: o.Now, writing: make(chan struct{}, 1)}
	if v.now == nil {
		v.now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if err := v.engine.Ensure(ctx, Collection, storage.Spec{Mapping: layout}); err != nil {
		return nil, fmt.Errorf("make collection %s: %w", Collection.Name, err)
	}
	specs := map[address]entry{}
	err := v.engine.Scan(ctx, Collection, "", func(doc storage.Document) bool {
		at, e := v.read(doc)
		if e.err != nil {
			o.Logger.ErrorContext(ctx, "cannot read a specification: its collection takes no documents", "id", doc.ID, "error", e.err)
		}
		specs[at] = e
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("read the specifications: %w", err)
	}
	v.specs.Store(&specs)
	return v, nil
}

// stored is the document of a specification.
type stored struct {
	Index      string         `json:"index"`
	Collection string         `json:"collection"`
	Validation jsontext.Value `json:"validation"`
	Info       info           `json:"_kuzzle_info"`
}

// info says who wrote it and when; times are milliseconds since 1970. A specification is always written whole, so both pairs
// are the same.
type info struct {
	Author    *string `json:"author"`
	CreatedAt int64   `json:"createdAt"`
	UpdatedAt int64   `json:"updatedAt"`
	Updater   *string `json:"updater"`
}

// read makes an entry of a stored document. Its address is the id, whatever else is damaged.
func (v *Validator) read(doc storage.Document) (address, entry) {
	index, collection, _ := strings.Cut(doc.ID, "#")
	at := address{index, collection}
	damaged := func(property string, cause error) (address, entry) {
		return at, entry{err: kerror.ValidationAssertIncorrectValidationFormat.Wrap(cause, collection, property)}
	}
	var s struct {
		Validation jsontext.Value `json:"validation"`
	}
	if err := json.Unmarshal(doc.Source, &s); err != nil {
		return damaged("validation", err)
	}
	spec, problems := Parse(s.Validation, v.now)
	if len(problems) > 0 {
		return damaged("validation", errors.New(problems[0]))
	}
	return at, entry{spec: spec}
}

// Of gives the specification of a public collection, nil when it has none: that takes one look-up and no memory.
// validation.assert.incorrect_validation_format when the stored one is damaged.
func (v *Validator) Of(index, collection string) (*Specification, error) {
	e := (*v.specs.Load())[address{index, collection}]
	return e.spec, e.err
}

// Validate holds a document without an id to the specification of a collection. Without one, every document fits. The error
// is that of Of.
func (v *Validator) Validate(_ context.Context, index, collection string, document jsontext.Value) (Outcome, error) {
	spec, err := v.Of(index, collection)
	if err != nil || spec == nil {
		return Outcome{}, err
	}
	return spec.Validate("", document), nil
}

// Get gives the specification of a collection as it was written; validation.assert.not_found when it has none.
func (v *Validator) Get(index, collection string) (jsontext.Value, error) {
	spec, err := v.Of(index, collection)
	switch {
	case err != nil:
		return nil, err
	case spec == nil:
		return nil, kerror.ValidationAssertNotFound.New(index, collection)
	}
	return spec.raw, nil
}

// Put checks a specification, stores it in place of any before and puts it in force; whether the collection exists does not
// matter. by is the kuid of the author, "" for nobody. validation.assert.invalid_specifications says what is wrong with it.
func (v *Validator) Put(ctx context.Context, index, collection string, raw jsontext.Value, by string) error {
	switch { // names hold no #, so that ids are not mistaken
	case !storage.ValidName(index):
		return kerror.ServicesStorageInvalidIndexName.New(index)
	case !storage.ValidName(collection):
		return kerror.ServicesStorageInvalidCollectionName.New(collection)
	}
	spec, problems := Parse(raw.Clone(), v.now)
	if len(problems) > 0 {
		return kerror.ValidationAssertInvalidSpecifications.New(strings.Join(problems, "\n"))
	}
	at, now := address{index, collection}, v.now().UnixMilli()
	s := stored{Index: index, Collection: collection, Validation: raw, Info: info{CreatedAt: now, UpdatedAt: now}}
	if by != "" {
		s.Info.Author, s.Info.Updater = &by, &by
	}
	source, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return v.change(ctx, func(specs map[address]entry) error {
		if _, _, err := v.engine.Put(ctx, Collection, at.id(), source, storage.WriteOptions{Refresh: storage.RefreshWaitFor}); err != nil {
			return err
		}
		specs[at] = entry{spec: spec}
		return nil
	})
}

// Delete removes the specification of a collection, if there is one.
func (v *Validator) Delete(ctx context.Context, index, collection string) error {
	return v.deleteAll(ctx, func(at address) bool { return at == address{index, collection} })
}

// DeleteIndexes removes the specifications of all collections of these indexes.
func (v *Validator) DeleteIndexes(ctx context.Context, indexes []string) error {
	return v.deleteAll(ctx, func(at address) bool { return slices.Contains(indexes, at.index) })
}

func (v *Validator) deleteAll(ctx context.Context, which func(address) bool) error {
	return v.change(ctx, func(specs map[address]entry) error {
		for at := range specs {
			if !which(at) {
				continue
			}
			err := v.engine.Delete(ctx, Collection, at.id(), storage.WriteOptions{Refresh: storage.RefreshWaitFor})
			if err != nil && !errors.Is(err, kerror.ServicesStorageNotFound) {
				return fmt.Errorf("delete the specification %s: %w", at.id(), err)
			}
			delete(specs, at)
		}
		return nil
	})
}

// change lets one writer at a time change a copy of the specifications, and puts in force what it did, even when it failed
// halfway.
func (v *Validator) change(ctx context.Context, write func(map[address]entry) error) error {
	select {
	case v.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-v.writing }()
	specs := maps.Clone(*v.specs.Load())
	defer v.specs.Store(&specs)
	return write(specs)
}
