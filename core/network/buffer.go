package network

import "sync"

// Buffer is a byte slice on loan from a pool.
type Buffer struct{ B []byte }

// maxPooledBytes keeps one huge answer from staying in memory for ever.
const maxPooledBytes = 64 << 10

var buffers = sync.Pool{New: func() any { return &Buffer{B: make([]byte, 0, 1024)} }}

// GetBuffer lends an empty buffer.
func GetBuffer() *Buffer { return buffers.Get().(*Buffer) }

// Release gives the buffer back; nobody may use its bytes afterwards. A nil buffer is ignored.
func (b *Buffer) Release() {
	if b == nil || cap(b.B) > maxPooledBytes {
		return
	}
	b.B = b.B[:0]
	buffers.Put(b)
}
