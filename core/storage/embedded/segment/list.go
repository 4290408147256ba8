package segment

import "encoding/binary"

// list writes byte strings with their numbers, in chunks that a reader finds by their places:
//
//	where each of them ends (4 bytes each, after a 0), their bytes, and, aligned, a number for each when there are any
type list struct {
	w      *writer
	n      uint32
	chunks []uint64
	ends   []uint32
	bytes  []byte
	refs   []uint64
	// numbered says that there is a number for each.
	numbered bool
}

// chunkLen is how many strings a chunk has; the last one has less.
const chunkLen = 1024

func (l *list) add(s []byte, ref uint64) {
	if len(l.ends) == 0 {
		l.ends = append(l.ends, 0)
	}
	l.bytes = append(l.bytes, s...)
	l.ends = append(l.ends, uint32(len(l.bytes))) //nolint:gosec // 1024 strings of 32766 bytes at most
	l.refs = append(l.refs, ref)
	if l.n++; l.n%chunkLen == 0 {
		l.flush()
	}
}

func (l *list) flush() {
	if len(l.refs) == 0 {
		return
	}
	l.chunks = append(l.chunks, l.w.align())
	_, _ = l.w.Write(raw(l.ends)) // the error stays in w
	_, _ = l.w.Write(l.bytes)
	if l.numbered {
		l.w.align()
		_, _ = l.w.Write(raw(l.refs))
	}
	l.ends, l.bytes, l.refs = l.ends[:0], l.bytes[:0], l.refs[:0]
}

func (l *list) end() listEntry {
	l.flush()
	b := begin[uint64](l.w)
	for _, chunk := range l.chunks {
		b.put(chunk)
	}
	return listEntry{N: l.n, Chunks: b.end()}
}

// listReader reads what list wrote.
type listReader struct {
	data   []byte
	chunks []uint64
	n      uint32
}

func (f *File) list(e *listEntry) (listReader, error) {
	l := listReader{data: f.data, n: e.N}
	var err error
	if l.chunks, err = view[uint64](f.data, e.Chunks); err != nil {
		return l, err
	}
	if uint64(len(l.chunks)) != (uint64(e.N)+chunkLen-1)/chunkLen {
		return l, damaged("a list has too many or too few chunks")
	}
	return l, nil
}

// len is how many strings the chunk of string i has.
func (l *listReader) len(i uint32) uint64 {
	return uint64(min(chunkLen, l.n-i/chunkLen*chunkLen))
}

// ends is where it is said where string i ends.
func (l *listReader) ends(i uint32) section {
	return section{l.chunks[i/chunkLen] + uint64(i%chunkLen)*4, 8}
}

func (l *listReader) where(i uint32) section {
	ends := l.data[l.ends(i).Offset:]
	from, to := binary.NativeEndian.Uint32(ends), binary.NativeEndian.Uint32(ends[4:])
	return section{l.chunks[i/chunkLen] + (l.len(i)+1)*4 + uint64(from), uint64(to - from)}
}

func (l *listReader) at(i uint32) []byte {
	s := l.where(i)
	return l.data[s.Offset : s.Offset+s.Size : s.Offset+s.Size]
}

// number gives the number of string i.
func (l *listReader) number(i uint32) uint64 {
	chunk := l.chunks[i/chunkLen]
	n := l.len(i)
	begin := chunk + (n+1)*4
	begin += uint64(binary.NativeEndian.Uint32(l.data[chunk+n*4:]))
	begin = (begin + 7) &^ 7
	return binary.NativeEndian.Uint64(l.data[begin+uint64(i%chunkLen)*8:])
}
