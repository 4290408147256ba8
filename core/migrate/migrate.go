package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Target is an engine that documents can be copied to.
type Target interface {
	storage.Engine
	storage.Loader
}

// Options say what is copied where.
type Options struct {
	From storage.Engine
	To   Target
	// FromPlace and ToPlace name the engines, for people and for the mark: a migration goes on only between the same two.
	FromPlace, ToPlace string
	// Progress is told how far it is, after every step and from one goroutine at a time; nil for nobody.
	Progress func(Progress)
}

// Phase is a part of a migration.
type Phase string

// The phases, in their order.
const (
	Copying   Phase = "copy"
	Verifying Phase = "verify"
)

// Progress is how far a phase is.
type Progress struct {
	Phase Phase
	// Collection is the one at work, the zero value at the end of the phase.
	Collection storage.Collection
	// Collections are done of AllCollections, and Documents of AllDocuments, which counts what is searchable: an estimate.
	Collections, AllCollections int
	Documents, AllDocuments     int
}

// Report is what a migration that ended well did.
type Report struct {
	Indexes     int
	Collections []Verified
	Documents   int
}

// Verified is a collection that is the same in both engines.
type Verified struct {
	storage.Collection
	Documents int
	// Checksum is the SHA-256 of all documents.
	Checksum [32]byte
}

// scopes are all that there are.
var scopes = []storage.Scope{storage.Public, storage.Internal}

// migration is one run.
type migration struct {
	Options
	index       map[storage.Scope][]string
	collections []storage.Collection
	// positions are those that the mark had when this run began, by collection.
	positions map[storage.Collection]position
	progress  Progress
}

// Run copies what has not been copied, and compares everything. When ctx ends, and after any other error, it can be run again with
// the same engines and goes on where it was. A Difference is what it found not to be the same in the end.
func Run(ctx context.Context, o Options) (Report, error) {
	m := &migration{Options: o, positions: map[storage.Collection]position{}, index: map[storage.Scope][]string{}}
	if m.Progress == nil {
		m.Progress = func(Progress) {}
	}
	for _, step := range []func(context.Context) error{m.look, m.begin, m.count, m.copyAll} {
		if err := step(ctx); err != nil {
			return Report{}, err
		}
	}
	report, err := m.verifyAll(ctx)
	if err != nil {
		return Report{}, err
	}
	if err := m.To.DropIndex(ctx, Mark.Scope, Mark.Index); err != nil {
		return Report{}, fmt.Errorf("remove the mark of the migration: %w", err)
	}
	return report, nil
}

// look finds out what there is to copy.
func (m *migration) look(ctx context.Context) error {
	if err := Unfinished(ctx, m.From); err != nil {
		return err
	}
	for _, s := range scopes {
		indexes, err := m.From.Indexes(ctx, s)
		if err != nil {
			return fmt.Errorf("list the indexes of %s: %w", m.FromPlace, err)
		}
		m.index[s] = indexes
		collections, err := m.From.List(ctx, s)
		if err != nil {
			return fmt.Errorf("list the collections of %s: %w", m.FromPlace, err)
		}
		m.collections = append(m.collections, collections...)
	}
	if len(m.index[storage.Public])+len(m.index[storage.Internal]) == 0 {
		return fmt.Errorf("there is nothing in %s: name another source with --from", m.FromPlace)
	}
	return nil
}

// begin makes the mark in an empty target, or reads the one there is.
func (m *migration) begin(ctx context.Context) error {
	there, err := readAbout(ctx, m.To)
	if err != nil {
		return err
	}
	mine := about{Format: markFormat, From: m.FromPlace, To: m.ToPlace}
	switch {
	case there == nil:
		return m.beginEmpty(ctx, mine)
	case *there != mine:
		return fmt.Errorf("the target is an unfinished copy of %s to %s: go on with these two, or empty the target", there.From, there.To)
	}
	for _, c := range m.collections {
		var p position
		ok, err := read(ctx, m.To, positionID(c), &p)
		if err != nil {
			return err
		}
		if ok {
			m.positions[c] = p
		}
	}
	return nil
}

func (m *migration) beginEmpty(ctx context.Context, mine about) error {
	for _, s := range scopes {
		indexes, err := m.To.Indexes(ctx, s)
		if err != nil {
			return fmt.Errorf("list the indexes of %s: %w", m.ToPlace, err)
		}
		indexes = slices.DeleteFunc(indexes, func(name string) bool { return s == Mark.Scope && name == Mark.Index })
		if len(indexes) > 0 {
			return fmt.Errorf("%s is not empty, it has the %s index %q: name another target with --to, or empty this one", m.ToPlace, s, indexes[0])
		}
	}
	if err := m.To.Ensure(ctx, Mark, storage.Spec{}); err != nil {
		return fmt.Errorf("begin in %s: %w", m.ToPlace, err)
	}
	return write(ctx, m.To, migrationID, mine)
}

// count counts the documents, for the progress.
func (m *migration) count(ctx context.Context) error {
	m.progress = Progress{Phase: Copying, AllCollections: len(m.collections)}
	for _, c := range m.collections {
		n, err := m.From.Count(ctx, []storage.Collection{c}, nil)
		if err != nil {
			return fmt.Errorf("count the documents of %s: %w", name(c), err)
		}
		m.progress.AllDocuments += n
		if p := m.positions[c]; !p.Differs {
			m.progress.Documents += p.Documents
		}
	}
	return nil
}

func (m *migration) tell() { m.Progress(m.progress) }

// copyAll copies the collections that are not whole, and then the indexes that have none.
func (m *migration) copyAll(ctx context.Context) error {
	for _, c := range m.collections {
		m.progress.Collection = c
		m.tell()
		if !m.positions[c].Whole {
			if err := m.copyCollection(ctx, c); err != nil {
				return fmt.Errorf("copy %s: %w", name(c), err)
			}
		}
		m.progress.Collections++
	}
	m.progress.Collection = storage.Collection{}
	m.tell()
	for _, s := range scopes {
		there, err := m.To.Indexes(ctx, s)
		if err != nil {
			return fmt.Errorf("list the indexes of %s: %w", m.ToPlace, err)
		}
		for _, index := range m.index[s] {
			if slices.Contains(there, index) {
				continue
			}
			if err := m.To.CreateIndex(ctx, s, index); err != nil {
				return fmt.Errorf("make the %s index %s: %w", s, index, err)
			}
		}
	}
	return nil
}

// copyCollection makes the collection in the target and copies its documents from where an earlier run was.
func (m *migration) copyCollection(ctx context.Context, c storage.Collection) error {
	p := m.positions[c]
	if p.Differs {
		if err := m.To.Drop(ctx, c); err != nil && !errors.Is(err, kerror.ServicesStorageUnknownCollection) && !errors.Is(err, kerror.ServicesStorageUnknownIndex) {
			return err
		}
		p = position{}
	}
	spec, err := m.From.Describe(ctx, c)
	if err != nil {
		return err
	}
	if err := m.To.Ensure(ctx, c, spec); err != nil {
		return fmt.Errorf("its mapping or its settings are not for %s: %w", m.ToPlace, err)
	}
	noted := time.Now()
	err = scan(ctx, m.From, c, p.After, func(part []storage.Document) error {
		if err := m.To.Load(ctx, c, part); err != nil {
			return err
		}
		p.After = part[len(part)-1].ID
		p.Documents += len(part)
		m.progress.Documents += len(part)
		m.tell()
		if time.Since(noted) < noteEvery {
			return nil
		}
		noted = time.Now()
		return write(ctx, m.To, positionID(c), p)
	})
	if err != nil {
		return err
	}
	p.Whole = true
	return write(ctx, m.To, positionID(c), p)
}

// noteEvery is how often the mark is brought up to date within a collection.
const noteEvery = time.Second

// name tells people which collection is meant.
func name(c storage.Collection) string {
	return fmt.Sprintf("the %s collection %s/%s", c.Scope, c.Index, c.Name)
}
