package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"github.com/sluicehq/sluice/core/storage"
)

// maxNamed is how many differences are told of each collection.
const maxNamed = 5

// Difference is the error of a migration whose target is not what the source is.
type Difference struct {
	// Found are sentences.
	Found []string
}

func (d *Difference) Error() string {
	return "the copy differs from the source:\n  " + strings.Join(d.Found, "\n  ") +
		"\nNobody may write to either while it is copied. Stop whatever does, and run the command again: collections that differ are copied anew"
}

// verifyAll compares everything in both engines.
func (m *migration) verifyAll(ctx context.Context) (Report, error) {
	all := m.progress.Documents
	m.progress = Progress{Phase: Verifying, AllCollections: len(m.collections), AllDocuments: all}
	var report Report
	var different Difference
	if err := m.verifyLists(ctx, &different); err != nil {
		return report, err
	}
	for _, c := range m.collections {
		m.progress.Collection = c
		m.tell()
		v, found, err := m.verify(ctx, c)
		if err != nil {
			return report, fmt.Errorf("verify %s: %w", name(c), err)
		}
		if len(found) > 0 {
			different.Found = append(different.Found, found...)
			if err := write(ctx, m.To, positionID(c), position{Differs: true}); err != nil {
				return report, err
			}
		}
		m.progress.Collections++
		report.Collections = append(report.Collections, v)
		report.Documents += v.Documents
	}
	m.progress.Collection = storage.Collection{}
	m.tell()
	report.Indexes = len(m.index[storage.Public]) + len(m.index[storage.Internal])
	if len(different.Found) > 0 {
		return report, &different
	}
	return report, nil
}

// verifyLists looks whether the target has other indexes or collections than the source.
func (m *migration) verifyLists(ctx context.Context, different *Difference) error {
	for _, s := range scopes {
		indexes, err := m.To.Indexes(ctx, s)
		if err != nil {
			return fmt.Errorf("list the indexes of %s: %w", m.ToPlace, err)
		}
		for _, index := range indexes {
			if !slices.Contains(m.index[s], index) && (s != Mark.Scope || index != Mark.Index) {
				different.Found = append(different.Found, fmt.Sprintf("the %s index %s is not in the source; remove it from the target", s, index))
			}
		}
		collections, err := m.To.List(ctx, s)
		if err != nil {
			return fmt.Errorf("list the collections of %s: %w", m.ToPlace, err)
		}
		for _, c := range collections {
			if c != Mark && !slices.Contains(m.collections, c) {
				different.Found = append(different.Found, name(c)+" is not in the source; remove it from the target")
			}
		}
	}
	return nil
}

// verify compares a collection, and tells in what it differs.
func (m *migration) verify(ctx context.Context, c storage.Collection) (Verified, []string, error) {
	found, err := m.verifySpec(ctx, c)
	if err != nil {
		return Verified{}, nil, err
	}
	d := newDigests()
	if err := m.readBoth(ctx, c, d); err != nil {
		return Verified{}, nil, err
	}
	v := Verified{Collection: c, Documents: d.source.documents, Checksum: [32]byte(d.source.sum.Sum(nil))}
	if d.differs == 0 {
		return v, found, nil
	}
	ids := strings.Join(d.ids, ", ")
	if d.differs > len(d.ids) {
		ids += ", …"
	}
	return v, append(found, fmt.Sprintf("%s has %d documents, checksum %x, its copy %d, checksum %x; not the same: %s",
		name(c), d.source.documents, v.Checksum[:8], d.target.documents, d.target.sum.Sum(nil)[:8], ids)), nil
}

// verifySpec compares what is said about a collection.
func (m *migration) verifySpec(ctx context.Context, c storage.Collection) (found []string, err error) {
	from, err := m.From.Describe(ctx, c)
	if err != nil {
		return nil, err
	}
	to, err := m.To.Describe(ctx, c)
	if err != nil {
		return nil, err
	}
	slices.Sort(from.Keywords)
	slices.Sort(to.Keywords)
	for _, part := range []struct {
		name string
		same bool
	}{
		{"mapping", same(from.Mapping, to.Mapping)},
		{"settings", same(from.Settings, to.Settings)},
		{"keywords", slices.Equal(from.Keywords, to.Keywords)},
	} {
		if !part.same {
			found = append(found, fmt.Sprintf("the %s of %s: not the same", part.name, name(c)))
		}
	}
	return found, nil
}

// same compares two values without regard to white space and the order of members.
func same(a, b jsontext.Value) bool {
	a, b = a.Clone(), b.Clone()
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	return a.Canonicalize() == nil && b.Canonicalize() == nil && string(a) == string(b)
}

// fingerprint is what is compared of a document.
type fingerprint struct {
	id  string
	sum [sha256.Size]byte
}

func fingerprintOf(d storage.Document) fingerprint {
	source := d.Source.Clone()
	_ = source.Compact() // an engine gives valid sources; another one would differ from its copy
	h := sha256.New()
	h.Write(binary.AppendUvarint(binary.AppendVarint(nil, d.Version), uint64(len(d.ID))))
	h.Write([]byte(d.ID))
	h.Write(source)
	return fingerprint{d.ID, [sha256.Size]byte(h.Sum(nil))}
}

// readBoth reads a collection in both engines at the same time.
func (m *migration) readBoth(ctx context.Context, c storage.Collection, d *digests) error {
	group, ctx := errgroup.WithContext(ctx)
	sides := [2]chan []fingerprint{make(chan []fingerprint, 1), make(chan []fingerprint, 1)}
	for i, e := range []storage.Engine{m.From, m.To} {
		group.Go(func() error {
			defer close(sides[i])
			return scan(ctx, e, c, "", func(part []storage.Document) error {
				prints := make([]fingerprint, len(part))
				for j, doc := range part {
					prints[j] = fingerprintOf(doc)
				}
				select {
				case sides[i] <- prints:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		})
	}
	group.Go(func() error {
		before := m.progress.Documents
		d.compare(&side{parts: sides[0]}, &side{parts: sides[1]}, func() {
			m.progress.Documents = before + d.source.documents
			m.tell()
		})
		return ctx.Err()
	})
	return group.Wait()
}

// side is one of two streams of prints in the order of ids.
type side struct {
	parts <-chan []fingerprint
	part  []fingerprint
	// fresh says that a part has just begun.
	fresh bool
}

// next gives the next fingerprint without taking it, nil at the end.
func (s *side) next() *fingerprint {
	s.fresh = false
	for len(s.part) == 0 {
		part, ok := <-s.parts
		if !ok {
			return nil
		}
		s.part, s.fresh = part, true
	}
	return &s.part[0]
}

// digest is what was read of one side.
type digest struct {
	documents int
	sum       hash.Hash
}

func (d *digest) take(s *side) {
	d.sum.Write(s.part[0].sum[:])
	d.documents++
	s.part = s.part[1:]
}

// digests are those of both sides.
type digests struct {
	source, target digest
	// differs counts the documents that are not the same; ids are the first of them.
	differs int
	ids     []string
}

func newDigests() *digests {
	return &digests{source: digest{sum: sha256.New()}, target: digest{sum: sha256.New()}}
}

// compare reads both sides to their ends, and calls tell now and then.
func (d *digests) compare(source, target *side, tell func()) {
	for {
		a, b := source.next(), target.next()
		if source.fresh {
			tell()
		}
		switch {
		case a == nil && b == nil:
			tell()
			return
		case b == nil || a != nil && a.id < b.id:
			d.differ(a.id)
			d.source.take(source)
		case a == nil || b.id < a.id:
			d.differ(b.id)
			d.target.take(target)
		default:
			if a.sum != b.sum {
				d.differ(a.id)
			}
			d.source.take(source)
			d.target.take(target)
		}
	}
}

func (d *digests) differ(id string) {
	if d.differs++; len(d.ids) < maxNamed {
		d.ids = append(d.ids, id)
	}
}
