package segment

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"unsafe"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// temporary ends the name of a file that is being written.
const temporary = ".tmp"

// writer writes a file from its beginning to its end, and sums up its pages. After an error it does nothing but give it.
type writer struct {
	ctx  context.Context
	file vfs.File
	page []byte
	off  uint64
	sums []uint32
	err  error
}

// create writes a file by calling fill, all of it or nothing: it appears under its name when it is complete and synced. Nothing
// of it is left when fill panics, as it may when a page of what it reads is gone.
func create(ctx context.Context, fs vfs.FS, path string, fill func(*writer) error) error {
	file, err := fs.Create(path+temporary, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("create a segment: %w", err)
	}
	published := false
	defer func() {
		if !published {
			_ = fs.Remove(path + temporary)
		}
	}()
	w := &writer{ctx: ctx, file: file, page: make([]byte, 0, pageSize)}
	if err = w.complete(fill); err == nil {
		err = publish(fs, path)
	}
	if err != nil {
		return fmt.Errorf("write the segment %s: %w", path, err)
	}
	published = true
	return nil
}

// complete fills the file, and syncs and closes it.
func (w *writer) complete(fill func(*writer) error) (err error) {
	defer func() { err = errors.Join(err, w.file.Close()) }()
	if err := fill(w); err != nil {
		return err
	}
	if w.err != nil {
		return w.err
	}
	return w.file.Sync()
}

// publish gives a complete file its name.
func publish(fs vfs.FS, path string) error {
	if err := fs.Rename(path+temporary, path); err != nil {
		return err
	}
	err := SyncDir(fs, fs.PathDir(path))
	if err != nil {
		_ = fs.Remove(path)
	}
	return err
}

// SyncDir makes the names in a folder durable.
func SyncDir(fs vfs.FS, name string) error {
	dir, err := fs.OpenDir(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Write implements io.Writer.
func (w *writer) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0 && w.err == nil; {
		n := copy(w.page[len(w.page):pageSize], rest)
		w.page = w.page[:len(w.page)+n]
		w.off += uint64(n) //nolint:gosec // a length
		rest = rest[n:]
		if len(w.page) == pageSize {
			w.flush()
		}
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(b), nil
}

// flush ends a page.
func (w *writer) flush() {
	if len(w.page) == 0 || w.err != nil {
		return
	}
	if w.err = w.ctx.Err(); w.err != nil {
		return
	}
	w.sums = append(w.sums, crc32.Checksum(w.page, castagnoli))
	_, w.err = w.file.Write(w.page)
	w.page = w.page[:0]
}

// align goes on to where numbers of up to 8 bytes may stand.
func (w *writer) align() uint64 {
	var zero [8]byte
	_, _ = w.Write(zero[:-w.off&7]) // the error stays in w
	return w.off
}

// finish writes what Open begins with: the directory, the sums of all pages up to its end, and the footer.
func (w *writer) finish(directory []byte) error {
	f := footer{directory: section{w.align(), uint64(len(directory))}}
	_, _ = w.Write(directory) // the error stays in w
	w.align()
	w.flush()
	if w.err != nil {
		return w.err
	}
	f.sums = section{w.off, uint64(len(w.sums)) * 4}
	sums := raw(w.sums)
	f.sumsCheck = crc32.Checksum(sums, castagnoli)
	if _, err := w.file.Write(sums); err != nil {
		return err
	}
	_, err := w.file.Write(f.append(nil))
	return err
}

// block gathers numbers for a writer.
type block[T any] struct {
	w      *writer
	begin  uint64
	n      int
	values []T
}

// blockLen is how many numbers are gathered.
const blockLen = 4096

// begin begins a section of numbers.
func begin[T any](w *writer) *block[T] {
	return &block[T]{w: w, begin: w.align(), values: make([]T, 0, blockLen)}
}

func (b *block[T]) put(v T) {
	b.values = append(b.values, v)
	b.n++
	if len(b.values) == blockLen {
		b.flush()
	}
}

// pad puts what makes it n numbers.
func (b *block[T]) pad(n uint32, v T) {
	for b.n < int(n) {
		b.put(v)
	}
}

func (b *block[T]) flush() {
	_, _ = b.w.Write(raw(b.values)) // the error stays in w
	b.values = b.values[:0]
}

func (b *block[T]) end() section {
	b.flush()
	return section{b.begin, b.w.off - b.begin}
}

// raw gives the bytes of numbers.
func raw[T any](values []T) []byte {
	if len(values) == 0 {
		return nil
	}
	var v T
	return unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), len(values)*int(unsafe.Sizeof(v))) //nolint:gosec // the same memory
}
