package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// retryBrake is the pause after a failed flush or compaction. Pebble tries again at once, which on a full disk would keep
// a core busy.
const retryBrake = 100 * time.Millisecond

// pebbleLog brings Pebble's own messages to slog.
type pebbleLog struct {
	log *slog.Logger
	// open is set once Open has returned: from then on a fatal error ends the process; before, Open returns it.
	open *atomic.Bool
}

func (l pebbleLog) Infof(format string, args ...any)  { l.say(slog.LevelDebug, format, args) }
func (l pebbleLog) Errorf(format string, args ...any) { l.say(slog.LevelWarn, format, args) }

// Fatalf is called when the list of files could not be written. Pebble relies on not coming back, and a panic could be
// caught by whoever runs the request, with Pebble's locks held for ever.
func (l pebbleLog) Fatalf(format string, args ...any) {
	l.say(slog.LevelError, format, args)
	if l.open.Load() {
		l.log.Error("the document store cannot go on, ending the process; nothing acknowledged is lost")
		os.Exit(1)
	}
}

func (l pebbleLog) say(level slog.Level, format string, args []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "pebble", "text", fmt.Sprintf(format, args...))
	}
}

// listener keeps h up to date. Pebble calls it with its locks held, so it does nothing that reads or writes.
func listener(h *health, log *slog.Logger) *pebble.EventListener {
	b := &background{health: h, log: log}
	return &pebble.EventListener{
		BackgroundError: b.failed,
		FlushEnd:        func(i pebble.FlushInfo) { b.ended(i.Err) },
		CompactionEnd:   func(i pebble.CompactionInfo) { b.ended(i.Err) },
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			if h.damaged.Swap(&cause{i.Details}) == nil {
				log.Error("stored data is damaged, restore a backup", "file", i.Path, "error", i.Details)
			}
		},
		LowDiskSpace: func(i pebble.LowDiskSpaceInfo) {
			log.Warn("the storage disk is almost full", "availableBytes", i.AvailBytes, "totalBytes", i.TotalBytes)
		},
		WriteStallBegin: func(i pebble.WriteStallBeginInfo) { log.Debug("storage slows writers down", "reason", i.Reason) },
	}
}

// background follows flushes and compactions. Pebble tells the end of each with an error that may mean nothing (it was
// cancelled, its output was empty), and then reports the same error as failed if it does; it also reports failures that
// keep nothing from being written, such as of statistics.
type background struct {
	health *health
	log    *slog.Logger
	last   atomic.Pointer[cause]
}

func (b *background) ended(err error) {
	if err != nil {
		b.last.Store(&cause{err})
		return
	}
	if b.health.behind.Swap(nil) != nil {
		b.log.Info("the storage disk takes data again")
	}
}

func (b *background) failed(err error) {
	if last := b.last.Load(); last == nil || !errors.Is(err, last.err) {
		b.log.Warn("storage had a problem in the background", "error", err)
		return
	}
	if b.health.behind.Swap(&cause{err}) == nil {
		b.log.Error("storage could not write in the background, writes are refused until it can", "error", err)
	}
	time.Sleep(retryBrake)
}

func warnOfSlowDisk(log *slog.Logger) func(vfs.DiskSlowInfo) {
	return func(i vfs.DiskSlowInfo) {
		log.Warn("the storage disk is slow", "file", i.Path, "operation", i.OpType.String(), "duration", i.Duration)
	}
}

var _ pebble.Logger = pebbleLog{}
