package segment

import (
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"maps"
	"os"
	"runtime/debug"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/edsrzf/mmap-go"
	"github.com/go-json-experiment/json"
)

// File is a segment that does not change any more. It may be used by any number of goroutines, each of which holds it: Open
// gives it to one, who can Acquire it for others.
//
// The file is mapped to memory. Damage is found by checksums before anything is used; what happens to a file after that, such
// as a disk that fails to give again what it gave before, ends the program.
type File struct {
	path   string
	data   []byte
	mapped mmap.MMap // nil when the file was read instead
	holds  atomic.Int64

	sums    []uint32
	pages   uint64          // where the pages end
	checked []atomic.Uint32 // a bit for each page

	positions []uint64
	placed    section // of the positions
	ids       listReader
	spaces    map[string]*lazy[spaceEntry, Space]
	fields    map[string]*lazy[fieldEntry, Field]
}

// lazy is a part of a file that is made when it is first asked for.
type lazy[E, T any] struct {
	entry E
	once  sync.Once
	value *T
	err   error
}

func (l *lazy[E, T]) get(read func(*E) (*T, error)) (*T, error) {
	l.once.Do(func() { l.value, l.err = read(&l.entry) })
	return l.value, l.err
}

// Open opens the file that Write or Merge wrote. Fails with an error that wraps ErrDamaged when it is not as it was written.
// The caller holds the file until Release.
func Open(fs vfs.FS, path string) (*File, error) {
	f := &File{path: path}
	f.holds.Store(1)
	if err := f.load(fs); err != nil {
		return nil, fmt.Errorf("open the segment %s: %w", path, err)
	}
	if err := f.read(); err != nil {
		f.Release()
		return nil, fmt.Errorf("open the segment %s: %w", path, err)
	}
	return f, nil
}

// load maps the file to memory. What is no file of the operating system is read.
func (f *File) load(fs vfs.FS) error {
	file, err := fs.Open(f.path, vfs.RandomReadsOption)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < footerSize {
		return damaged("it is too short")
	}
	if fs == vfs.Default || file.Fd() != vfs.InvalidFd {
		return f.mmap(int(info.Size()))
	}
	f.data = make([]byte, info.Size())
	_, err = io.ReadFull(file, f.data)
	return err
}

func (f *File) mmap(size int) error {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	f.mapped, err = mmap.MapRegion(file, size, mmap.RDONLY, 0, 0)
	f.data = f.mapped
	if errors.Is(err, syscall.ENOMEM) {
		return fmt.Errorf("map it to memory: the system allows no more files (on Linux raise vm.max_map_count): %w", err)
	}
	return err
}

// read reads what is always needed.
func (f *File) read() error {
	end := len(f.data) - footerSize
	foot, err := readFooter(f.data[end:], uint64(len(f.data)))
	if err != nil {
		return err
	}
	f.pages = foot.sums.Offset
	if f.sums, err = view[uint32](f.data[:end], foot.sums); err != nil {
		return err
	}
	if crc32.Checksum(f.data[foot.sums.Offset:end], castagnoli) != foot.sumsCheck {
		return damaged("its checksums have changed")
	}
	f.checked = make([]atomic.Uint32, (len(f.sums)+31)/32)
	if err := f.check(foot.directory); err != nil {
		return err
	}
	var d directory
	if err := json.Unmarshal(f.data[foot.directory.Offset:][:foot.directory.Size], &d); err != nil {
		return damaged(err.Error())
	}
	return f.index(&d)
}

func (f *File) index(d *directory) error {
	if err := f.check(d.IDs.Chunks); err != nil {
		return err
	}
	f.placed = d.Positions
	var err error
	if f.positions, err = view[uint64](f.data, d.Positions); err != nil {
		return err
	}
	if f.ids, err = f.list(&d.IDs); err != nil {
		return err
	}
	if len(f.positions) != int(d.IDs.N) {
		return damaged("it has not an id for each document")
	}
	f.spaces = make(map[string]*lazy[spaceEntry, Space], len(d.Spaces))
	for _, s := range d.Spaces {
		f.spaces[s.Path] = &lazy[spaceEntry, Space]{entry: s}
	}
	if root := f.spaces[Root]; root == nil || root.entry.Len != d.IDs.N {
		return damaged("it has no documents of its own")
	}
	f.fields = make(map[string]*lazy[fieldEntry, Field], len(d.Fields))
	for _, e := range d.Fields {
		if f.spaces[e.Space] == nil {
			return damaged("it has a field outside of all documents")
		}
		f.fields[e.Path] = &lazy[fieldEntry, Field]{entry: e}
	}
	return nil
}

// check compares sections with the checksums of their pages, unless that was done before.
func (f *File) check(sections ...section) error {
	for _, s := range sections {
		if s.Offset > f.pages || s.Size > f.pages-s.Offset {
			return damaged("a part of it lies beyond its end")
		}
		for page := s.Offset / pageSize; page*pageSize < s.Offset+s.Size; page++ {
			bit := uint32(1) << (page % 32)
			if f.checked[page/32].Load()&bit != 0 {
				continue
			}
			if err := f.checkPage(page); err != nil {
				return err
			}
			f.checked[page/32].Or(bit)
		}
	}
	return nil
}

func (f *File) checkPage(page uint64) (err error) {
	// What the disk cannot read is a fault of the memory that the file is mapped to.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = damaged(fmt.Sprintf("page %d cannot be read: %v", page, fault))
		}
	}()
	if crc32.Checksum(f.data[page*pageSize:min((page+1)*pageSize, f.pages)], castagnoli) != f.sums[page] {
		return damaged(fmt.Sprintf("page %d has changed", page))
	}
	return nil
}

// view gives the numbers of a section where they are.
func view[T any](data []byte, s section) ([]T, error) {
	var v T
	size := uint64(unsafe.Sizeof(v))
	if s.Offset > uint64(len(data)) || s.Size > uint64(len(data))-s.Offset || s.Offset%8 != 0 || s.Size%size != 0 {
		return nil, damaged("a part of it is not where it should be")
	}
	if s.Size == 0 {
		return nil, nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&data[s.Offset])), s.Size/size), nil //nolint:gosec // lies in data, aligned
}

// Acquire holds the file once more, for somebody else. The caller holds it himself.
func (f *File) Acquire() { f.holds.Add(1) }

// Release ends a hold. With the last one the memory of everything the file gave out is gone.
func (f *File) Release() {
	if f.holds.Add(-1) == 0 && f.mapped != nil {
		_ = f.mapped.Unmap() // there is nothing to be done about memory that stays mapped
	}
}

// Bytes is how long the file is.
func (f *File) Bytes() int64 { return int64(len(f.data)) }

// Live gives the set of all documents.
func (f *File) Live() *Live { return Full(f.Len()) }

// Len implements Segment.
func (f *File) Len() uint32 { return f.ids.n }

// ID implements Segment.
func (f *File) ID(doc uint32) (string, error) {
	err := f.check(f.ids.ends(doc))
	if err == nil {
		err = f.check(f.ids.where(doc))
	}
	if err != nil {
		return "", fmt.Errorf("the id of a document of %s: %w", f.path, err)
	}
	return string(f.ids.at(doc)), nil
}

// Position implements Segment.
func (f *File) Position(doc uint32) (uint64, error) {
	if err := f.check(section{f.placed.Offset + uint64(doc)*8, 8}); err != nil {
		return 0, fmt.Errorf("the position of a document of %s: %w", f.path, err)
	}
	return f.positions[doc], nil
}

// Positions implements Segment.
func (f *File) Positions() ([]uint64, error) {
	if err := f.check(f.placed); err != nil {
		return nil, fmt.Errorf("the positions of the documents of %s: %w", f.path, err)
	}
	return f.positions, nil
}

// At implements Segment.
func (f *File) At(position uint64) (doc uint32, ok bool, err error) {
	i, ok := sort.Find(len(f.positions), func(i int) int {
		at, failed := f.Position(uint32(i)) //nolint:gosec // the number of a document
		err = cmp.Or(err, failed)
		return cmp.Compare(position, at)
	})
	return uint32(i), ok, err //nolint:gosec // the number of a document
}

// Space implements Segment.
func (f *File) Space(path string) (*Space, error) {
	if s := f.spaces[path]; s != nil {
		return s.get(f.readSpace)
	}
	return nil, nil
}

func (f *File) readSpace(e *spaceEntry) (*Space, error) {
	s := &Space{Len: e.Len, ParentPath: e.ParentPath}
	err := f.check(e.Parents)
	if err == nil && e.Path != Root {
		if s.Parents, err = view[uint32](f.data, e.Parents); err == nil && len(s.Parents) != int(e.Len) {
			err = damaged("not every nested document has a parent")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the nested documents %q of %s: %w", e.Path, f.path, err)
	}
	return s, nil
}

// Field implements Segment.
func (f *File) Field(path string) (*Field, error) {
	if l := f.fields[path]; l != nil {
		return l.get(f.readField)
	}
	return nil, nil
}

func (f *File) readField(e *fieldEntry) (*Field, error) {
	field := &Field{
		Type: e.Type, Space: e.Space, Present: roaring.New(), TotalLength: e.TotalLength, Worded: e.Worded,
	}
	err := f.check(e.All)
	if err == nil {
		r := fieldReader{file: f, entry: e, field: field, n: f.spaces[e.Space].entry.Len}
		err = r.read()
	}
	if err != nil {
		return nil, fmt.Errorf("the field %q of %s: %w", e.Path, f.path, err)
	}
	return field, nil
}

// paths implements part.
func (f *File) paths() (spaces, fields iter.Seq[string]) {
	return maps.Keys(f.spaces), maps.Keys(f.fields)
}

var _ Segment = (*File)(nil)
