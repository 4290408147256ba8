package embedded

import (
	"context"
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
	well := func(err error) {
		if err == nil && h.behind.Swap(nil) != nil {
			log.Info("the storage disk takes data again")
		}
	}
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if h.behind.Swap(&cause{err}) == nil {
				log.Error("storage could not write in the background, writes are refused until it can", "error", err)
			}
			time.Sleep(retryBrake)
		},
		FlushEnd:      func(i pebble.FlushInfo) { well(i.Err) },
		CompactionEnd: func(i pebble.CompactionInfo) { well(i.Err) },
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

func warnOfSlowDisk(log *slog.Logger) func(vfs.DiskSlowInfo) {
	return func(i vfs.DiskSlowInfo) {
		log.Warn("the storage disk is slow", "file", i.Path, "operation", i.OpType.String(), "duration", i.Duration)
	}
}

var _ pebble.Logger = pebbleLog{}
