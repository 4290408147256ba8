package embedded

import (
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// manifest says which files the search index of a collection is made of, as it is stored. What the writes after Covered did
// is in the log. A file's dead documents are stored beside it: those that died up to Covered, and perhaps more.
type manifest struct {
	Covered uint64         `json:"covered,omitzero"`
	Files   []manifestFile `json:"files,omitempty"`
	// Rebuilding says that the log holds everything after Covered, however long it is: the index is being made again.
	Rebuilding bool `json:"rebuilding,omitzero"`
}

type manifestFile struct {
	Number uint64 `json:"number"`
	// From is the first position that belongs to the file.
	From uint64 `json:"from"`
}

func readManifest(db *pebble.DB, collection uint32) (m manifest, err error) {
	value, err := read(db, manifestKey(collection))
	if err != nil || value == nil {
		return m, err
	}
	if err := json.Unmarshal(value, &m); err != nil {
		return m, fmt.Errorf("%w: files of the search index: %w", errRecord, err)
	}
	return m, nil
}

// swap is one change of the files of an index: old parts, adjacent, go, and a fresh file, nil when nothing is left, takes their
// place.
type swap struct {
	old   []*part
	fresh *part
}

// in gives parts with the change made. It is false when the old parts are not there any more.
func (w swap) in(parts []*part) ([]*part, bool) {
	if len(w.old) == 0 {
		return parts, true
	}
	i := slices.Index(parts, w.old[0])
	if i < 0 || i+len(w.old) > len(parts) || !slices.Equal(parts[i:i+len(w.old)], w.old) {
		return nil, false
	}
	var fresh []*part
	if w.fresh != nil {
		fresh = []*part{w.fresh}
	}
	return slices.Concat(parts[:i], fresh, parts[i+len(w.old):]), true
}

// mournLocked takes those that died while the fresh file was written from it.
func (w swap) mournLocked() {
	if w.fresh == nil {
		return
	}
	var dead []uint32
	for _, p := range w.old {
		for _, position := range p.died {
			if doc, ok, _ := w.fresh.file.At(position); ok { // its positions were checked when it was opened
				dead = append(dead, doc)
			}
		}
	}
	w.fresh.live = w.fresh.live.Without(dead...)
}

// saved is what a manifest makes durable of one part.
type saved struct {
	part *part
	live *segment.Live
}

// describe makes the manifest with a change made, and gives the sets of living documents that belong to it. The caller holds
// s.committing.
func (s *segments) describe(w swap) (m manifest, sets []saved, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	parts, ok := w.in(s.parts)
	if !ok || s.closed {
		return m, nil, errGone
	}
	w.mournLocked()
	m.Rebuilding = s.refilling != nil
	for _, p := range parts {
		if p.file == nil {
			m.Covered = p.from - 1
			break
		}
		m.Files = append(m.Files, manifestFile{Number: p.number, From: p.from})
		sets = append(sets, saved{p, p.live})
	}
	return m, sets, nil
}

// stageManifest writes a manifest with what changed beside it, and removes the part of the log that it covers.
func (s *segments) stageManifest(batch *pebble.Batch, m manifest, sets []saved, w swap) error {
	value, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_ = batch.Set(manifestKey(s.number), value, nil)
	if len(m.Files) == 0 {
		all := deadPrefix(s.number)
		_ = batch.DeleteRange(all, after(all), nil)
	}
	for _, p := range w.old {
		if p.file != nil {
			_ = batch.Delete(deadKey(s.number, p.number), nil)
		}
	}
	for _, set := range sets {
		if set.part.saved == set.live {
			continue
		}
		dead, err := deadDocuments(set.live, set.part.file.Len())
		if err != nil {
			return err
		}
		_ = batch.Set(deadKey(s.number, set.part.number), dead, nil)
	}
	if m.Covered > s.covered {
		_ = batch.DeleteRange(appendLogKey(nil, s.number, 0), appendLogKey(nil, s.number, m.Covered+1), nil)
	}
	return nil
}

// deadDocuments encodes the documents below n that do not live.
func deadDocuments(live *segment.Live, n uint32) ([]byte, error) {
	dead := roaring.FromDense(live.Dense(n), false)
	dead.Flip(0, uint64(n))
	dead.RunOptimize()
	return dead.ToBytes()
}

// commitSwap makes a change of the files durable, then visible, and lets the old files go. errGone means that there is nothing to
// change any more, or that the collection is gone.
func (e *Engine) commitSwap(c *collection, w swap) error {
	s := c.segments
	s.committing.Lock()
	defer s.committing.Unlock()
	batch := e.db.NewBatch()
	m, sets, err := e.applySwap(batch, c, w)
	if err != nil {
		_ = batch.Close()
		return err
	}
	if err := e.sync(batch); err != nil {
		return err
	}
	s.covered = m.Covered
	for _, set := range sets {
		set.part.saved = set.live
	}
	gone, eased := s.install(w)
	e.budget.hold(-eased)
	e.files.remove(s.number, gone...)
	return nil
}

// applySwap is the part of commitSwap that the collection must not go away beside.
func (e *Engine) applySwap(batch *pebble.Batch, c *collection, w swap) (m manifest, sets []saved, err error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.dropped {
		return m, nil, errGone
	}
	if m, sets, err = c.segments.describe(w); err != nil {
		return m, nil, err
	}
	if err := c.segments.stageManifest(batch, m, sets, w); err != nil {
		return m, nil, err
	}
	return m, sets, e.apply(batch)
}

// install makes a change visible that is durable. It gives the files that are not needed any more, and how many bytes of
// memory wait no longer. The caller holds s.committing.
func (s *segments) install(w swap) (gone []uint64, eased int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed { // dropped since: close has let the old files go
		if w.fresh != nil {
			w.fresh.file.Release()
			gone = append(gone, w.fresh.number)
		}
		return gone, 0
	}
	w.mournLocked()
	s.parts, _ = w.in(s.parts)
	for _, p := range w.old {
		if p.file != nil {
			p.file.Release()
			gone = append(gone, p.number)
		}
		eased += p.bytes
	}
	return gone, eased
}
