package embedded

import (
	"context"
	"math/bits"
	"slices"
	"time"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

const (
	// tierFiles is how many files of about the same size become one.
	tierFiles = 4
	// smallFile is below how many documents all files are of one tier: to have one costs more than to write it again, and a node
	// may have thousands of collections.
	smallFile = 1 << 10
	// maxMergePause bounds the pause after a merge.
	maxMergePause = time.Second
)

// mergePause leaves a merge about half of the time of one core.
func mergePause(took time.Duration) time.Duration { return min(took, maxMergePause) }

// noPause is for work that somebody may wait for.
func noPause(time.Duration) time.Duration { return 0 }

// tidy makes the files of a collection fewer, or makes its index again when it is lost; more says that there is more to do.
func (e *Engine) tidy(ctx context.Context, c *collection) (more bool, err error) {
	if c.segments.isLost() {
		return e.rebuild(ctx, c)
	}
	old, views := c.segments.nextMerge()
	if old == nil {
		return false, nil
	}
	living := 0
	for _, v := range views {
		living += v.Live.Count()
	}
	err = e.replaceParts(c, old, living, func(path string) error {
		return guarded(func() error { return segment.Merge(ctx, e.files.fs, path, views) })
	})
	if ctx.Err() != nil {
		return false, nil
	}
	if damaged(err) {
		e.lose(c, err)
		return true, nil
	}
	if err != nil {
		e.log.Warn("files of the search index could not be merged, it is tried again", "error", err)
	}
	return err == nil, err
}

// nextMerge chooses files that should become one, and begins to move them.
func (s *segments) nextMerge() (old []*part, views []segment.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost != nil || s.closed {
		return nil, nil
	}
	n := slices.IndexFunc(s.parts, func(p *part) bool { return p.file == nil })
	sizes := make([]fileSize, n)
	for i, p := range s.parts[:n] {
		sizes[i] = fileSize{living: p.live.Count(), all: int(p.file.Len())}
	}
	from, to := chooseMerge(sizes)
	for _, p := range s.parts[from:to] {
		p.moving = true
		old, views = append(old, p), append(views, p.view())
	}
	return old, views
}

// fileSize is how many documents of a file live.
type fileSize struct{ living, all int }

// tier orders files by size: those of one tier differ by less than a factor of tierFiles, but for the small ones.
func (f fileSize) tier() int { return bits.Len(uint(max(f.living, smallFile-1))) / bits.Len(tierFiles-1) }

// chooseMerge gives the files that should become one, from from and before to; none when these are equal. A file whose documents are
// mostly dead is rewritten alone. Else, from the largest tier down, files up to the last of the tier or a larger one
// belong together, smaller ones in between too, and once there are enough the first of them are merged: so there are at most
// tierFiles-1 files of each tier, and a document is written again only a few times.
func chooseMerge(files []fileSize) (from, to int) {
	for i, f := range files {
		if 2*f.living < f.all {
			return i, i + 1
		}
	}
	highest := 0
	for _, f := range files {
		highest = max(highest, f.tier())
	}
	start := 0
	for tier := highest; tier >= 0; tier-- {
		end := start
		for i := start; i < len(files); i++ {
			if files[i].tier() >= tier {
				end = i + 1
			}
		}
		if end-start >= tierFiles {
			return start, start + tierFiles
		}
		start = end
	}
	return 0, 0
}
