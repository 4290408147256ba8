package segment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// dump reads everything of a file.
func dump(f *File) (string, error) {
	var b strings.Builder
	for doc := range f.Len() {
		id, err := f.ID(doc)
		if err != nil {
			return "", err
		}
		position, err := f.Position(doc)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(&b, id, position)
	}
	for _, path := range slices.Sorted(maps.Keys(f.spaces)) {
		s, err := f.Space(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(&b, path, *s)
	}
	for _, path := range slices.Sorted(maps.Keys(f.fields)) {
		field, err := f.Field(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %s %s %x\n", path, field.Type, field.Present, field.Lengths)
		fmt.Fprintln(&b, field.TotalLength, field.Worded, field.Ints, field.Floats, field.Ords)
		if p := field.Points; p != nil {
			inside, edge := p.Near(Box{-10, 50, 170, -100})
			fmt.Fprintln(&b, p.Offsets, p.Lat, p.Lon, inside, edge)
		}
		if field.Terms == nil {
			continue
		}
		for ord := range field.Terms.Between(nil, nil, nil) {
			fmt.Fprintf(&b, "%q %d %v", field.Terms.Term(ord), field.Terms.DocFreq(ord), field.Terms.Documents(ord))
			for o := field.Terms.Occurrences(ord); o.Next(); {
				fmt.Fprint(&b, o.Doc(), o.Positions(nil))
			}
		}
	}
	return b.String(), nil
}

// written gives the bytes of a file with n documents.
func written(t testing.TB, n int) []byte {
	t.Helper()
	fs, dir := diskOrMemory(t, 1)
	s := NewMemory()
	fill(t, parse(t, everyType), s, rand.New(rand.NewPCG(11, 12)), 1, n)
	if err := Write(fs, dir+"/s", View{Segment: s, Live: Full(s.Len())}); err != nil {
		t.Fatal(err)
	}
	return bytesOf(t, fs, dir+"/s")
}

func bytesOf(t testing.TB, fs vfs.FS, path string) []byte {
	t.Helper()
	file, err := fs.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	b, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// openBytes opens a file with these bytes.
func openBytes(t testing.TB, b []byte) (*File, error) {
	t.Helper()
	fs := vfs.NewMem()
	file, err := fs.Create("s", vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = file.Write(slices.Clone(b)) // a file system may change what it is given
	}
	if err = errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return Open(fs, "s")
}

// served opens bytes and reads all of the file: what it gives must be what was written, or an error.
func served(t testing.TB, b []byte, want string) error {
	t.Helper()
	f, err := openBytes(t, b)
	if err == nil {
		defer f.Release()
		var got string
		if got, err = dump(f); err == nil && got != want {
			t.Errorf("a damaged file gives other answers")
		}
	}
	return err
}

func TestDamageIsFoundAndNeverServed(t *testing.T) {
	good := written(t, 1500) // several pages, fields that lie in more than one
	f, err := openBytes(t, good)
	if err != nil {
		t.Fatal(err)
	}
	want, err := dump(f)
	if err != nil {
		t.Fatal(err)
	}
	f.Release()
	r := rand.New(rand.NewPCG(21, 22))
	places := []int{0, 8, len(good) - 1, len(good) - 8, len(good) - 9, len(good) - 17, len(good) - footerSize, len(good) - footerSize - 1}
	for page := 0; page < len(good); page += pageSize {
		places = append(places, page, min(page+pageSize, len(good))-1, page+r.IntN(min(pageSize, len(good)-page)))
	}
	for _, at := range places {
		bad := slices.Clone(good)
		bad[at] ^= 1 << r.IntN(8)
		if err := served(t, bad, want); !errors.Is(err, ErrDamaged) && !strings.Contains(fmt.Sprint(err), "version") {
			t.Errorf("byte %d of %d has changed: %v", at, len(good), err)
		}
	}
	for _, n := range []int{0, 1, footerSize - 1, footerSize, pageSize, len(good) / 2, len(good) - 8, len(good) - 1} {
		if err := served(t, good[:n], want); !errors.Is(err, ErrDamaged) {
			t.Errorf("only %d bytes of %d: %v", n, len(good), err)
		}
	}
	if err := served(t, append(slices.Clone(good), 0), want); !errors.Is(err, ErrDamaged) {
		t.Errorf("one byte more: %v", err)
	}
}

func TestDamageOfOneFieldLeavesTheOthers(t *testing.T) {
	good := written(t, 4000)
	f, err := openBytes(t, good)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	t.Logf("%d bytes", len(good))
	bad := f.fields["unique"].entry.All
	at := bad.Offset + bad.Size/2
	if bad.Size < 2*pageSize {
		t.Fatalf("the field has %d bytes only", bad.Size)
	}
	good[at] ^= 4
	g, err := openBytes(t, good)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	defer g.Release()
	for range 2 {
		if _, err := g.Field("unique"); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "unique") {
			t.Errorf("the damaged field: %v", err)
		}
	}
	for path, l := range g.fields {
		if l.entry.All.Offset+l.entry.All.Size <= at/pageSize*pageSize || l.entry.All.Offset >= (at/pageSize+1)*pageSize {
			if _, err := g.Field(path); err != nil {
				t.Errorf("the field %q: %v", path, err)
			}
		}
	}
	if err := Merge(t.Context(), vfs.NewMem(), "merged", []View{{Segment: g, Live: g.Live()}}); !errors.Is(err, ErrDamaged) {
		t.Errorf("Merge: %v", err)
	}
}

// What cannot be read behind a mapping is a fault of memory, which would end the program.
func TestPageThatCannotBeRead(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("how a fault shows depends on the system")
	}
	path := t.TempDir() + "/s"
	if err := os.WriteFile(path, written(t, 1500), 0o600); err != nil {
		t.Fatal(err)
	}
	f := opening(t, vfs.Default, path)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Field("k"); !errors.Is(err, ErrDamaged) {
		t.Errorf("Field: %v", err)
	}
}

func TestOpenWhatIsNotThere(t *testing.T) {
	if _, err := Open(vfs.Default, t.TempDir()+"/s"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	good := written(f, 12)
	opened, err := openBytes(f, good)
	if err != nil {
		f.Fatal(err)
	}
	want, err := dump(opened)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(0, []byte{1})
	f.Add(len(good)-8, []byte("\x53\x53\x65\x67"))
	f.Add(len(good)-footerSize, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add(len(good), []byte("more"))
	f.Fuzz(func(t *testing.T, at int, change []byte) {
		at = max(0, min(at, len(good)))
		bad := append(slices.Clone(good[:at]), change...)
		if at+len(change) < len(good) {
			bad = append(bad, good[at+len(change):]...)
		}
		_ = served(t, bad, want)
	})
}

func TestNothingIsLeftOfAFileThatCannotBeWritten(t *testing.T) {
	s := NewMemory()
	fill(t, parse(t, everyType), s, rand.New(rand.NewPCG(11, 12)), 1, 300)
	view := View{Segment: s, Live: Full(s.Len()), Lock: s.RLocker()}
	for n := int32(0); ; n++ {
		mem := vfs.NewMem()
		if err := mem.MkdirAll("d", 0o700); err != nil {
			t.Fatal(err)
		}
		index := errorfs.OnIndex(n)
		fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
			// A file that is given up is removed; that it can be is not what is tested.
			if op.Kind.ReadOrWrite() != errorfs.OpIsWrite || op.Kind == errorfs.OpRemove {
				return nil
			}
			return index.MaybeError(op)
		}))
		err := Write(fs, "d/s", view)
		left, _ := mem.List("d")
		if err == nil {
			if n < 5 || !slices.Equal(left, []string{"s"}) {
				t.Errorf("after %d operations there is %q", n, left)
			}
			break
		}
		if !errors.Is(err, errorfs.ErrInjected) || len(left) > 0 {
			t.Errorf("operation %d fails: %v, and leaves %q", n, err, left)
		}
	}
}

func TestMergeStopsWithItsContext(t *testing.T) {
	fs, dir := diskOrMemory(t, 1)
	s := NewMemory()
	fill(t, parse(t, everyType), s, rand.New(rand.NewPCG(11, 12)), 1, 300)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := Merge(ctx, fs, dir+"/s", []View{{Segment: s, Live: Full(s.Len())}})
	if left, _ := fs.List(dir); !errors.Is(err, context.Canceled) || len(left) > 0 {
		t.Errorf("Merge: %v, leaves %q", err, left)
	}
}

func TestMergeWantsTheOrderOfPositions(t *testing.T) {
	fs, dir := diskOrMemory(t, 1)
	m := parse(t, everyType)
	early, late := NewMemory(), NewMemory()
	add(t, early, m, `{"k":"a"}`, "a", 1)
	add(t, late, m, `{"k":"b"}`, "b", 2)
	err := Merge(t.Context(), fs, dir+"/s", []View{{Segment: late, Live: Full(1)}, {Segment: early, Live: Full(1)}})
	if left, _ := fs.List(dir); err == nil || len(left) > 0 {
		t.Errorf("Merge: %v, leaves %q", err, left)
	}
}

func TestFileOfNothing(t *testing.T) {
	fs, dir := diskOrMemory(t, 0)
	s := NewMemory()
	add(t, s, parse(t, everyType), `{"k":"a","n":[{"l":1}]}`, "a", 1)
	if err := Write(fs, dir+"/s", View{Segment: s, Live: new(Live)}); err != nil {
		t.Fatal(err)
	}
	f := opening(t, fs, dir+"/s")
	space, err := f.Space("n")
	if _, ok, failed := f.At(1); ok || failed != nil || f.Len() != 0 || space != nil || err != nil || field(t, f, "k") != nil {
		t.Errorf("%d documents, nested %v (%v)", f.Len(), space, err)
	}
}

func TestReleaseAfterTheLastHold(t *testing.T) {
	fs, dir := diskOrMemory(t, 0)
	s := NewMemory()
	add(t, s, parse(t, everyType), `{"k":"a"}`, "a", 1)
	if err := Write(fs, dir+"/s", View{Segment: s, Live: Full(1)}); err != nil {
		t.Fatal(err)
	}
	f, err := Open(fs, dir+"/s")
	if err != nil {
		t.Fatal(err)
	}
	f.Acquire()
	f.Release()
	if id, err := f.ID(0); err != nil || id != "a" {
		t.Errorf("a file that is held gives %q (%v)", id, err)
	}
	f.Release()
	if f.mapped != nil {
		t.Error("a file that nobody holds is mapped")
	}
}
