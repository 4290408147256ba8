package segment

import "github.com/sluicehq/sluice/core/storage/mapping"

// A segment file has pages of 64 KiB, the last one shorter, then a checksum for each page, then the footer. In the pages are
// the sections; numbers stand at multiples of 8 bytes, in the byte order of little-endian machines, and are used where they
// are: the file is mapped to memory. The last section is the directory, JSON, which says what the others are.
//
//	positions     of the documents, 8 bytes each
//	ids           a list
//	parents       of the nested documents of each path
//	fields        one after the other: all that belongs to a field stands together, so that it is checked at once
//
// The directory is checked when the file is opened, a field and the parents of a path when they are first asked for, an id or a
// position page by page: to start with a large index, little of it is read, and no byte is used unchecked.
type directory struct {
	Positions section
	IDs       listEntry
	Spaces    []spaceEntry
	Fields    []fieldEntry
}

// section is a part of the file.
type section struct{ Offset, Size uint64 }

// listEntry is a list of byte strings; see list.
type listEntry struct {
	N      uint32
	Chunks section
}

type spaceEntry struct {
	Path, ParentPath string
	Len              uint32
	Parents          section
}

type fieldEntry struct {
	Path, Space string
	Type        mapping.Type
	// All is everything that belongs to the field.
	All         section
	Present     section
	Terms       *listEntry   `json:",omitzero"`
	Ords        *columnEntry `json:",omitzero"`
	Numbers     *columnEntry `json:",omitzero"` // Ints or Floats
	Latitudes   *columnEntry `json:",omitzero"`
	Longitudes  *columnEntry `json:",omitzero"` // without offsets: they are those of the latitudes
	Cells       *columnEntry `json:",omitzero"` // the order of the points by their cells
	Dims        int          `json:",omitzero"`
	Vectors     section      `json:",omitzero"` // of the documents that are present
	Boxes       section      `json:",omitzero"` // of the shapes of these documents
	Ends        section      `json:",omitzero"` // of each shape in Shapes
	Shapes      section      `json:",omitzero"`
	Lengths     section      `json:",omitzero"`
	TotalLength uint64       `json:",omitzero"`
	Worded      uint32       `json:",omitzero"`
}

// columnEntry is a Column; what it has not is empty.
type columnEntry struct {
	Offsets section `json:",omitzero"`
	Values  section `json:",omitzero"`
	Sorted  section `json:",omitzero"`
	Ranks   section `json:",omitzero"`
}
