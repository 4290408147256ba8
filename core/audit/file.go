package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// FileOptions say where a File is and how it rotates.
type FileOptions struct {
	Path string
	// MaxBytes is the size that a file does not grow beyond, unless one write is larger or it cannot be rotated.
	MaxBytes int64
	// MaxAge is how long old files are kept, 0 for ever; MaxFiles is how many.
	MaxAge   time.Duration
	MaxFiles int
	// Compress has old files compressed.
	Compress bool
	// Sync has every write wait for the disk.
	Sync   bool
	Logger *slog.Logger
}

// file is the file that lines are appended to. It has one owner at a time, over all processes; only its old files are looked after in the
// background.
//
// Why no library rotates it: those that we looked at open a new file without O_APPEND, so that the system cannot hold it to
// its promise (chattr +a); lose every line while a full file cannot be renamed; leave half a line behind when the disk is
// full; and fail in silence when old files cannot be compressed or removed.
type file struct {
	o    FileOptions
	old  *old
	f    *os.File
	size int64
	// last is the hash of the last line.
	last string
	// rotateAfter keeps a file that cannot be rotated from being tried at every write.
	rotateAfter time.Time
}

// openFile opens the file, makes it when it is not there, and reads where the chain is.
func openFile(o FileOptions) (*file, error) {
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the audit log: %w", err)
	}
	f := &file{o: o, old: newOld(o)}
	if err := f.open(); err != nil {
		f.old.close()
		return nil, err
	}
	f.old.tidy()
	return f, nil
}

func (f *file) open() error {
	opened, err := os.OpenFile(f.o.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the audit log: %w", err)
	}
	f.f = opened
	if err := f.lock(); err != nil {
		f.f = nil
		return errors.Join(err, opened.Close())
	}
	if err := f.prepare(); err != nil {
		f.f = nil
		return errors.Join(fmt.Errorf("open the audit log: %w", err), opened.Close())
	}
	return nil
}

// lock keeps other nodes from the file, until it is closed: each would go on from its own last line, and the chain break.
func (f *file) lock() error {
	err := syscall.Flock(int(f.f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return fmt.Errorf("another node writes the audit log %s: give each node a file of its own", f.o.Path)
	case err != nil:
		return fmt.Errorf("lock the audit log %s: %w", f.o.Path, err)
	default:
		return nil
	}
}

// prepare looks at what is in the file. Half a line, which a crash leaves behind, is ended; it stays, as a line of the chain.
func (f *file) prepare() error {
	info, err := f.f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", f.o.Path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := f.f.Chmod(0o600); err != nil {
			return err
		}
	}
	f.size = info.Size()
	if f.size == 0 {
		if f.last == begin { // nothing was written since the start
			f.last, err = f.old.lastHash()
		}
		return err
	}
	line, whole, err := lastLine(f.f)
	if err == nil && !whole {
		_, err = f.f.WriteString("\n")
		f.size++
	}
	f.last = hashOf(line)
	return err
}

// append writes events after the last line. On an error nothing of them is in the file, as far as that can be helped, and the
// next call opens it again.
func (f *file) append(events []Event) error {
	if f.f == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	last, err := appendLines(&b, f.last, events)
	if err != nil {
		return err
	}
	if err := f.makeRoom(int64(b.Len())); err != nil {
		return err
	}
	n, err := f.f.Write(b.Bytes())
	if err == nil && f.o.Sync {
		err = f.f.Sync()
	}
	if err != nil {
		// Truncate takes back a part, so that the whole can be written later. Where it fails, open ends the half line.
		err = errors.Join(fmt.Errorf("write the audit log: %w", err), f.f.Truncate(f.size), f.f.Close())
		f.f = nil
		return err
	}
	f.size += int64(n)
	f.last = last
	return nil
}

// rotateAgain is how long a file that could not be rotated goes on growing.
const rotateAgain = time.Minute

// makeRoom rotates the file when it is full. One that cannot be renamed grows: no line is worth less than its size.
func (f *file) makeRoom(more int64) error {
	now := time.Now()
	if f.size == 0 || f.size+more <= f.o.MaxBytes || now.Before(f.rotateAfter) {
		return nil
	}
	if err := errors.Join(f.f.Sync(), f.old.add(f.o.Path, now)); err != nil {
		f.rotateAfter = now.Add(rotateAgain)
		f.o.Logger.Error("the audit log cannot be rotated, it goes on growing; look at the rights on its folder and at the disk",
			"path", f.o.Path, "error", err, "again in", rotateAgain)
		return nil
	}
	err := f.f.Close()
	f.f = nil
	f.old.tidy()
	return errors.Join(err, f.open())
}

// look notices that the file in use was removed or renamed by somebody else, who could otherwise have all later lines written
// to where nobody finds them. The next write makes it anew.
func (f *file) look() {
	if f.f == nil {
		return
	}
	used, err := f.f.Stat()
	if err != nil {
		return // the next write says what is wrong
	}
	if there, err := os.Stat(f.o.Path); err == nil && os.SameFile(used, there) {
		return
	}
	f.o.Logger.Error("somebody took the audit log away, it is made anew; the node rotates it itself (section audit of the settings)", "path", f.o.Path)
	_ = f.f.Close() // what was in it is out of reach
	f.f = nil
}

func (f *file) close() error {
	var err error
	if f.f != nil {
		err = errors.Join(f.f.Sync(), f.f.Close())
	}
	f.old.close()
	return err
}

// tailBytes is how far from the end the last line is looked for; lines are shorter.
const tailBytes = 4 << 20

// lastLine gives the last line of an open file, without its end, and whether it has one.
func lastLine(f *os.File) (line []byte, whole bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	from := max(0, info.Size()-tailBytes)
	tail := make([]byte, info.Size()-from)
	if _, err := f.ReadAt(tail, from); err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	line, whole = bytes.CutSuffix(tail, []byte{'\n'})
	return line[bytes.LastIndexByte(line, '\n')+1:], whole, nil
}
