package segment

import "github.com/sluicehq/sluice/core/storage/mapping"

// fieldReader makes a Field of a part of a file that was checked.
type fieldReader struct {
	file  *File
	entry *fieldEntry
	field *Field
	n     uint32 // documents in the space
}

func (r *fieldReader) read() error {
	e, f := r.entry, r.field
	present, err := view[byte](r.file.data, e.Present)
	if err != nil {
		return err
	}
	if _, err := f.Present.FromBuffer(present); err != nil {
		return damaged(err.Error())
	}
	if e.Terms != nil {
		if err := r.terms(); err != nil {
			return err
		}
	}
	if f.Ords, err = readColumn[uint32](r, e.Ords); err != nil {
		return err
	}
	if f.Lengths, err = view[byte](r.file.data, e.Lengths); err != nil {
		return err
	}
	if f.Lengths != nil && len(f.Lengths) != int(r.n) {
		return damaged("not every document has a length")
	}
	switch {
	case e.Type == mapping.GeoPoint:
		return r.points()
	case e.Type == mapping.GeoShape:
		return r.shapes()
	case e.Type == mapping.DenseVector:
		return r.vectors()
	case e.Type.Floating():
		f.Floats, err = readColumn[float64](r, e.Numbers)
	default:
		f.Ints, err = readColumn[int64](r, e.Numbers)
	}
	return err
}

func (r *fieldReader) terms() error {
	list, err := r.file.list(r.entry.Terms)
	r.field.Terms = &fileTerms{list: list, text: r.entry.Type == mapping.Text, n: r.n}
	return err
}

func readColumn[T any](r *fieldReader, e *columnEntry) (*Column[T], error) {
	if e == nil {
		return nil, nil
	}
	var c Column[T]
	var err [4]error
	c.Offsets, err[0] = view[uint32](r.file.data, e.Offsets)
	c.Values, err[1] = view[T](r.file.data, e.Values)
	c.Sorted, err[2] = view[uint32](r.file.data, e.Sorted)
	c.Ranks, err[3] = view[T](r.file.data, e.Ranks)
	for _, err := range err {
		if err != nil {
			return nil, err
		}
	}
	if c.Offsets != nil && len(c.Offsets) != int(r.n)+1 || c.Offsets == nil && e.Values.Size > 0 && len(c.Values) != int(r.n) ||
		len(c.Sorted) != len(c.Ranks) {
		return nil, damaged("a column is too short or too long")
	}
	return &c, nil
}

func (r *fieldReader) points() error {
	lat, err := readColumn[float64](r, r.entry.Latitudes)
	if err != nil {
		return err
	}
	lon, err := view[float64](r.file.data, r.entry.Longitudes.Values)
	if err != nil {
		return err
	}
	cells, err := readColumn[uint64](r, r.entry.Cells)
	if err != nil {
		return err
	}
	if lat == nil || cells == nil || len(lat.Values) != len(lon) {
		return damaged("not every place has two coordinates")
	}
	grid := &grid{cells: cells.Ranks, docs: cells.Sorted, n: r.n}
	r.field.Points = &Points{Offsets: lat.Offsets, Lat: lat.Values, Lon: lon, Near: grid.near, grid: grid}
	return nil
}
