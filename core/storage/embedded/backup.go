package embedded

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sluicehq/sluice/core/storage/embedded/segment"
)

// Backup makes dir, which must not exist, a copy of the directory of the engine, while it is used: Open opens it. Every write
// that was acknowledged before Backup was called is in it. Files that never change are hard links where the disk can do that.
//
// The copy of the database says which files of the search index belong to it. They are all there before it is made and none is
// removed meanwhile; those that come later are removed by Open.
func (e *Engine) Backup(ctx context.Context, dir string) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.gate.Leave()
	release := e.files.hold()
	defer release()
	if err := e.db.Checkpoint(dir, pebble.WithFlushedWAL()); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	if err := e.files.link(ctx, e.files.fs.PathJoin(dir, indexDir)); err != nil {
		return fmt.Errorf("copy the search index: %w", err)
	}
	return nil
}

// link makes dir and links or copies all complete files into it. The caller holds the files.
func (f *indexFiles) link(ctx context.Context, dir string) error {
	if err := f.fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	names, err := f.fs.List(f.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !strings.HasSuffix(name, fileSuffix) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := vfs.LinkOrCopy(f.fs, f.fs.PathJoin(f.dir, name), f.fs.PathJoin(dir, name)); err != nil {
			return err
		}
	}
	return segment.SyncDir(f.fs, dir)
}

// Check opens an engine and reads all that its database holds, so that damage to it is found. The search index is not looked
// at: what is wrong with it is put right when it is used.
func Check(ctx context.Context, o Options) (err error) {
	e, err := Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return e.each(ctx, []byte{0}, []byte{0xff}, func(key, value []byte) (bool, error) {
		err := error(nil)
		if len(key) > 5 && key[0] == spaceData {
			switch key[5] {
			case kindDocument:
				_, err = parseRecord(value)
			case kindHead:
				_, _, err = parseHead(value)
			}
		}
		return err == nil, err
	})
}
