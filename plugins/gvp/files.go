package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/sluicehq/sluice/plugins/sdk"
)

// files reads the files that the plugin depends on again when they change, and tells the node while one of them is missing
// or bad. It has no locks: start, then run in one goroutine.
type files struct {
	host    *sdk.Host
	every   time.Duration
	watched []*file
	told    string // what the node was told last
}

// file is one that is watched.
type file struct {
	path string
	// load takes the content; nil when the file cannot be read.
	load func([]byte) error
	// trouble is said to operators and clients while load has failed.
	trouble string

	seen   fs.FileInfo // nil before the first reading, and when there was none
	failed bool
}

// check looks at all files once.
func (f *files) check(ctx context.Context) {
	var troubles []string
	for _, w := range f.watched {
		if err := w.check(); err != nil {
			f.host.Logger().ErrorContext(ctx, w.trouble, "file", w.path, "error", err.Error())
		}
		if w.failed {
			troubles = append(troubles, w.trouble)
		}
	}
	now := strings.Join(troubles, "; ")
	if now == f.told {
		return
	}
	tell := func() error { return f.host.Degraded(ctx, now) }
	if now == "" {
		tell = func() error { return f.host.Healthy(ctx) }
	}
	if err := tell(); err != nil {
		f.host.Logger().WarnContext(ctx, "the node was not told of the plugin's health", "error", err.Error())
		return // again next time
	}
	f.told = now
}

// run checks the files again and again until ctx ends.
func (f *files) run(ctx context.Context) {
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			f.check(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// check reads the file when it has changed. The error is new: it is told once for each change.
func (w *file) check() error {
	info, err := os.Stat(w.path)
	if err != nil {
		known := w.failed && w.seen == nil
		w.seen, w.failed = nil, true
		return errors.Join(unless(known, err), w.load(nil))
	}
	if w.seen != nil && os.SameFile(w.seen, info) && w.seen.Size() == info.Size() && w.seen.ModTime().Equal(info.ModTime()) {
		return nil
	}
	w.seen = info
	content, err := os.ReadFile(w.path)
	if err == nil {
		err = w.load(content)
	} else {
		_ = w.load(nil) // takes nothing
	}
	w.failed = err != nil
	return err
}

func unless(ok bool, err error) error {
	if ok {
		return nil
	}
	return err
}
