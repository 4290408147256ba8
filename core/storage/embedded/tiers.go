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
	// smallFileBytes is what a file must be below as well to be written again with every few memories.
	smallFileBytes = 1 << 20
	// maxFileBytes is how large a file may become that is made of others. It bounds what a merge needs, in memory and for a while
	// on disk, and how often a document is written again.
	maxFileBytes = 1 << 30
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
	err = e.mergeParts(ctx, c, old, views)
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
		sizes[i] = sizeOf(p)
	}
	from, to := chooseMerge(sizes, maxFileBytes)
	if slices.ContainsFunc(s.parts[from:to], func(p *part) bool { return p.moving }) {
		return nil, nil // they become one with a memory; who does that asks for a merge afterwards
	}
	return moveLocked(s.parts[from:to])
}

// fileSize is how many documents of a file live, and how large it is with all of them.
type fileSize struct {
	living, all int
	bytes       int64
}

func sizeOf(p *part) fileSize {
	return fileSize{living: p.live.Count(), all: int(p.file.Len()), bytes: p.file.Bytes()}
}

// rest is about how large the file is without the dead.
func (f fileSize) rest() int64 { return int64(float64(f.bytes) * float64(f.living) / float64(f.all)) }

// tier orders files by size: those of one tier differ by less than a factor of tierFiles, but for the small ones.
func (f fileSize) tier() int {
	return bits.Len(uint(max(f.living, smallFile-1))) / bits.Len(tierFiles-1)
}

// chooseMerge gives the files that should become one, from from and before to; none when these are equal. A file whose documents are
// mostly dead is rewritten alone. Else, from the largest tier down, files up to the last of the tier or a larger one
// belong together, smaller ones in between too, and once there are enough the first of them that are not too large together are
// merged: so there are at most tierFiles-1 files of each tier but the largest ones, and a document is written again only a few
// times.
func chooseMerge(files []fileSize, maxBytes int64) (from, to int) {
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
		for ; start+tierFiles <= end; start++ {
			if together(files[start:start+tierFiles]) <= maxBytes {
				return start, start + tierFiles
			}
		}
		start = end
	}
	return 0, 0
}

func together(files []fileSize) (bytes int64) {
	for _, f := range files {
		bytes += f.rest()
	}
	return bytes
}
