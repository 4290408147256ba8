package segment

import "github.com/RoaringBitmap/roaring/v2"

// keywordOccurrences goes through the documents of a keyword, each of which has it once and nowhere in particular.
type keywordOccurrences struct {
	docs    roaring.IntPeekable
	started bool
	doc     uint32
}

// Next implements Occurrences.
func (o *keywordOccurrences) Next() bool {
	if !o.docs.HasNext() {
		return false
	}
	o.doc, o.started = o.docs.Next(), true
	return true
}

// Seek implements Occurrences.
func (o *keywordOccurrences) Seek(doc uint32) bool {
	if o.started && o.doc >= doc {
		return true
	}
	o.docs.AdvanceIfNeeded(doc)
	return o.Next()
}

// Doc implements Occurrences.
func (o *keywordOccurrences) Doc() uint32 { return o.doc }

// Freq implements Occurrences.
func (o *keywordOccurrences) Freq() uint32 { return 1 }

// Positions implements Occurrences.
func (o *keywordOccurrences) Positions(dst []uint32) []uint32 { return dst }
