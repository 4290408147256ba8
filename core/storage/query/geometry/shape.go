package geometry

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/peterstace/simplefeatures/rtree"
)

// Position is a place in degrees.
type Position struct{ Lon, Lat float64 }

// Box is what lies between two latitudes and two longitudes. It does not cross the date line.
type Box struct{ South, North, West, East float64 }

// Shape is what lies in any of its parts. It has one part at least. It belongs to one goroutine until it is prepared; then any
// number of goroutines may use it.
type Shape struct {
	parts []*part
	box   Box
}

type kind uint8

const (
	point kind = iota
	line
	polygon
)

// part is one point, line or polygon.
type part struct {
	kind kind
	// rings are those of a polygon, the outer one first; of a line there is one that is not closed, of a point one with one position.
	rings [][]Position
	box   Box
	// edges are those of all rings, as the tree numbers them. Both are nil until they are needed, the tree also when they are few.
	edges []edge
	tree  *rtree.RTree
}

// edge is a straight line. That of a point ends where it begins.
type edge struct{ from, to Position }

// manyEdges is for how many edges a tree is worth its making.
const manyEdges = 32

func newShape(parts []*part) *Shape {
	s := &Shape{parts: parts, box: nowhere}
	for _, p := range parts {
		s.box = s.box.with(p.box)
	}
	return s
}

func newPart(k kind, rings ...[]Position) *part {
	p := &part{kind: k, rings: rings, box: nowhere}
	for _, at := range rings[0] {
		p.box = p.box.with(Box{at.Lat, at.Lat, at.Lon, at.Lon})
	}
	return p
}

// Box gives the smallest box that the shape lies in.
func (s *Shape) Box() Box { return s.box }

// Rectangle reports whether the shape is its box.
func (s *Shape) Rectangle() bool {
	if len(s.parts) != 1 || s.parts[0].kind != polygon || len(s.parts[0].rings) != 1 || len(s.parts[0].rings[0]) != 5 {
		return false
	}
	ring := s.parts[0].rings[0]
	for i, at := range ring[:4] {
		corner := (at.Lon == s.box.West || at.Lon == s.box.East) && (at.Lat == s.box.South || at.Lat == s.box.North)
		if next := ring[i+1]; !corner || at.Lon != next.Lon && at.Lat != next.Lat {
			return false
		}
	}
	return true
}

// HasLine reports whether one of the parts is a line.
func (s *Shape) HasLine() bool {
	return slices.ContainsFunc(s.parts, func(p *part) bool { return p.kind == line })
}

// Points gives the parts when all of them are points.
func (s *Shape) Points() ([]Position, bool) {
	var list []Position
	for _, p := range s.parts {
		if p.kind != point {
			return nil, false
		}
		list = append(list, p.rings[0][0])
	}
	return list, true
}

// Prepare makes the shape ready to be compared with others.
func (s *Shape) Prepare() {
	for _, p := range s.parts {
		p.index()
	}
}

// index makes what finds the edges of a part.
func (p *part) index() {
	if p.edges != nil {
		return
	}
	for _, ring := range p.rings {
		if len(ring) == 1 {
			p.edges = append(p.edges, edge{ring[0], ring[0]})
		}
		for i := range ring[1:] {
			p.edges = append(p.edges, edge{ring[i], ring[i+1]})
		}
	}
	if len(p.edges) < manyEdges {
		return
	}
	items := make([]rtree.BulkItem, len(p.edges))
	for i, e := range p.edges {
		items[i] = rtree.BulkItem{Box: e.box().tree(), RecordID: i}
	}
	p.tree = rtree.BulkLoad(items)
}

// search calls visit for the edges whose boxes touch b, until it returns false.
func (p *part) search(b Box, visit func(edge) bool) {
	p.index()
	if p.tree == nil {
		for _, e := range p.edges {
			if e.box().touches(b) && !visit(e) {
				return
			}
		}
		return
	}
	_ = p.tree.RangeSearch(b.tree(), func(i int) error { // it gives errEnough back
		if !visit(p.edges[i]) {
			return errEnough
		}
		return nil
	})
}

// errEnough ends a search in a tree. rtree.Stop would end that in one node of it only.
var errEnough = errors.New("enough")

// nowhere is the box of no place at all.
var nowhere = Box{South: math.Inf(1), North: math.Inf(-1), West: math.Inf(1), East: math.Inf(-1)}

func (b Box) with(o Box) Box {
	return Box{min(b.South, o.South), max(b.North, o.North), min(b.West, o.West), max(b.East, o.East)}
}

func (b Box) wider(by float64) Box { return Box{b.South - by, b.North + by, b.West - by, b.East + by} }

func (b Box) touches(o Box) bool {
	return b.South <= o.North && o.South <= b.North && b.West <= o.East && o.West <= b.East
}

// Touches reports whether two boxes have a place in common.
func (b Box) Touches(o Box) bool { return b.wider(near).touches(o) }

// Within reports whether the box has no place outside of another one.
func (b Box) Within(o Box) bool {
	o = o.wider(near)
	return b.South >= o.South && b.North <= o.North && b.West >= o.West && b.East <= o.East
}

func (b Box) tree() rtree.Box {
	return rtree.Box{MinX: b.West, MinY: b.South, MaxX: b.East, MaxY: b.North}
}

func (e edge) box() Box {
	return Box{min(e.from.Lat, e.to.Lat), max(e.from.Lat, e.to.Lat), min(e.from.Lon, e.to.Lon), max(e.from.Lon, e.to.Lon)}
}

// errEncoded is the error of bytes that no shape was written as.
var errEncoded = errors.New("not an encoded shape")

// Append adds the parts of the shape to dst. Shapes one after the other are one with the parts of all.
func (s *Shape) Append(dst []byte) []byte {
	for _, p := range s.parts {
		dst = append(dst, byte(p.kind))
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(p.rings))) //nolint:gosec // at most MaxPositions
		for _, ring := range p.rings {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(len(ring))) //nolint:gosec // at most MaxPositions
			for _, at := range ring {
				dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(at.Lon))
				dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(at.Lat))
			}
		}
	}
	return dst
}

// Decode reads what Append wrote.
func Decode(b []byte) (*Shape, error) {
	var parts []*part
	for len(b) > 0 {
		p, rest, err := decodePart(b)
		if err != nil {
			return nil, err
		}
		parts, b = append(parts, p), rest
	}
	return newShape(parts), nil
}

func decodePart(b []byte) (*part, []byte, error) {
	k := kind(b[0])
	count, b, err := decodeCount(b[1:], 4)
	if err != nil || k > polygon || count == 0 {
		return nil, nil, errEncoded
	}
	rings := make([][]Position, count)
	for i := range rings {
		var n int
		if n, b, err = decodeCount(b, 16); err != nil || n == 0 {
			return nil, nil, errEncoded
		}
		rings[i] = make([]Position, n)
		for j := range rings[i] {
			rings[i][j] = Position{
				math.Float64frombits(binary.LittleEndian.Uint64(b)), math.Float64frombits(binary.LittleEndian.Uint64(b[8:])),
			}
			b = b[16:]
		}
	}
	return newPart(k, rings...), b, nil
}

// decodeCount reads how many things follow, of a size of at least so many bytes each.
func decodeCount(b []byte, size int) (int, []byte, error) {
	if len(b) < 4 {
		return 0, nil, errEncoded
	}
	n := binary.LittleEndian.Uint32(b)
	if uint64(n)*uint64(size) > uint64(len(b)-4) { //nolint:gosec // lengths
		return 0, nil, errEncoded
	}
	return int(n), b[4:], nil
}
