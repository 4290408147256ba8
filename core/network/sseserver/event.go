package sseserver

// event is one event of a stream.
type event struct {
	// name is "" for a message, id "" when the client cannot go on from here. Neither holds a line break.
	name, id string
	// data is JSON.
	data []byte
}

// append writes the event after dst. A line break in data would end its line; in JSON it can stand only where a space can.
func (e event) append(dst []byte) []byte {
	if e.name != "" {
		dst = append(append(append(dst, "event: "...), e.name...), '\n')
	}
	if e.id != "" {
		dst = append(append(append(dst, "id: "...), e.id...), '\n')
	}
	dst = append(dst, "data: "...)
	from := len(dst)
	dst = append(dst, e.data...)
	for i, c := range dst[from:] {
		if c == '\n' || c == '\r' {
			dst[from+i] = ' '
		}
	}
	return append(dst, "\n\n"...)
}
