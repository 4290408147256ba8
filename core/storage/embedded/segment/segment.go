// Package segment holds the search index of a collection in parts, the segments: what a search can ask of one, the one in
// memory that writes go to, the files that full ones become, and the merge of several files into one.
//
// Only core/storage/embedded and its children may import it. It knows mappings and analysers, not queries: the rules of
// matching, scoring and aggregating stand in core/storage/embedded/search and aggregation.
//
// # Documents and nested documents
//
// A segment numbers its documents from 0 in the order of their positions: the numbers of the writes that made them, unique
// and growing within a collection. The nested documents of one path have numbers of their own: each nested path is a Space
// beside the Root. A field belongs to the space of its mapping's Field.Nested, and every document number, bitmap and column
// of it counts in that space.
package segment

import (
	"errors"
	"iter"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/vellum"

	"github.com/sluicehq/sluice/core/storage/mapping"
)

// Root is the path of the space of the documents themselves.
const Root = ""

// ErrDamaged is wrapped by the errors about files that are not as they were written. The index can be made again from the
// documents.
var ErrDamaged = errors.New("the segment is damaged")

// Segment is a part of the index of one collection. What its methods return belongs to it, must not be changed, and is valid
// as long as the caller holds the segment (a Memory: as long as it is locked for reading; a File: until it is released). So
// are sets made of its sets, which may share memory with them.
//
// Methods of a File that give an error read parts of it for the first time and fail, wrapping ErrDamaged, when these are not as
// they were written; they never fail for a Memory. What they returned cannot fail any more.
type Segment interface {
	// Len is how many documents there are, dead ones included.
	Len() uint32
	// ID is the _id of a document.
	ID(doc uint32) (string, error)
	// Position is the number of the write that made a document; Positions are those of all.
	Position(doc uint32) (uint64, error)
	Positions() ([]uint64, error)
	// At finds the document that a write made.
	At(position uint64) (doc uint32, ok bool, err error)
	// Space finds the nested documents of a path, nil when there are none. Root is always there.
	Space(path string) (*Space, error)
	// Field finds what is indexed under the path of a field, nil when no document has a value.
	Field(path string) (*Field, error)
}

// View is a segment as one search sees it.
type View struct {
	Segment Segment
	// Live has the documents that are neither dead nor still being written. Every document that a search gives, counts or
	// aggregates must be in it; a Memory may hold documents that came after it.
	Live *Live
	// Lock is held while Segment is read, and never twice at once; nil when nobody writes to the segment.
	Lock sync.Locker
}

// Space is where the documents of one path are numbered.
type Space struct {
	Len uint32
	// Parents has the document that each nested document stands in, ascending: a number in the space of the path ParentPath,
	// which is that of the nearest nested object around it. nil for Root.
	Parents    []uint32
	ParentPath string
}

// Field is what a segment knows of one field. Which parts are there depends on the type and on index and doc_values:
//
//	keyword, ip, flattened, ranges, completion      Terms (index), Ords (doc_values)
//	text          Terms with occurrences (index), Lengths; Ords (fielddata)
//	long, integer, short, byte, unsigned_long, date, boolean      Ints
//	double, float, half_float, scaled_float                       Floats
//	geo_point     Points
//	dense_vector  Vectors
//	geo_shape     Shapes
//
// A number that is not indexed has its column anyway when it has doc_values, and the other way round: a range over the column is what
// index promises. What a search may use is said by the mapping.
type Field struct {
	Type mapping.Type
	// Space is the path whose documents the numbers count.
	Space string
	// Present has every document with a value.
	Present *roaring.Bitmap

	Terms   Terms
	Ords    *Column[uint32] // ordinals of Terms, of each document in the order of the terms, each once
	Ints    *Column[int64]  // of each document ascending; booleans are 0 and 1, dates milliseconds since 1970
	Floats  *Column[float64]
	Points  *Points
	Vectors *Vectors
	Shapes  *Shapes

	// Lengths are, of a text with norms, the number of words of each document, coded as Lucene's SmallFloat.intToByte4 does;
	// nil without norms. TotalLength is the exact sum of all words, and Worded the number of documents with at least one: an
	// empty text is present and has none. Of a keyword or ip TotalLength is how many different terms the documents hold in all.
	// Both count dead documents.
	Lengths     []byte
	TotalLength uint64
	Worded      uint32
}

// Column holds the values of a field by document.
type Column[T any] struct {
	// Offsets is nil when no document has more than one value: then Values has one place for each document, whose content
	// means nothing where Present has not the document. Otherwise the values of document d are
	// Values[Offsets[d]:Offsets[d+1]].
	Offsets []uint32
	Values  []T
	// Sorted lists the documents with a value by their value, then by their number, and a document with several values once for
	// each. Ranks has for each entry of Sorted the value. Both are nil in memory, and in a column of ordinals.
	Sorted []uint32
	Ranks  []T
}

// Points holds places on earth by document. Offsets are those of Column.
type Points struct {
	Offsets  []uint32
	Lat, Lon []float64
	// Near gives documents that have a point in the area, and others that may have one: those of the cells of a grid at its
	// edge. They are the caller's.
	Near func(a Area) (inside, edge *roaring.Bitmap)

	grid *grid // of a File
}

// Terms is the dictionary of a field. Ordinals count from 0; of a File they are in the order of the terms' bytes, of a Memory
// in the order in which the terms came.
type Terms interface {
	Len() int
	Find(term []byte) (ord uint32, ok bool)
	Term(ord uint32) []byte
	// Sorted says that ordinals are in the order of the terms.
	Sorted() bool
	// Between gives the terms from from (nil: the first) up to and without to (nil: past the last) that a accepts (nil:
	// every one), in the order of the terms.
	Between(from, to []byte, a vellum.Automaton) iter.Seq[uint32]
	// DocFreq is how many documents hold the term, dead ones included.
	DocFreq(ord uint32) int
	// Documents has those documents.
	Documents(ord uint32) *roaring.Bitmap
	// Occurrences reads where in its documents a term of a text stands. Of a keyword each document has one, without a place.
	Occurrences(ord uint32) Occurrences
}

// Occurrences goes through the documents that hold a term of a text, in the order of their numbers.
type Occurrences interface {
	// Next goes to the next document, false at the end.
	Next() bool
	// Seek goes to the first document that is not before doc, which may be the one it stands on; false when there is none.
	Seek(doc uint32) bool
	Doc() uint32
	Freq() uint32
	// Positions appends the places of the term in the document to dst, ascending.
	Positions(dst []uint32) []uint32
}
