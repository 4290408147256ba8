package dates

import "time"

// Rounding puts instants into intervals, as the histograms of Elasticsearch do. It is a value that is not changed.
type Rounding struct {
	// Unit is one of y, q, M, w, d, h, m and s: a unit of the calendar, q a quarter of a year; 0 for intervals that are Fixed long,
	// in whole milliseconds.
	Unit  byte
	Fixed time.Duration
	// Zone is where days begin; nil is UTC.
	Zone *time.Location
	// Offset moves all intervals.
	Offset time.Duration
}

// Floor is when the interval that t is in begins. Instants are in milliseconds since 1970.
func (r Rounding) Floor(t int64) int64 {
	offset := r.Offset.Milliseconds()
	if r.Unit == 0 {
		return r.floorFixed(t-offset) + offset
	}
	return r.floorUnit(t-offset) + offset
}

// Next is when the interval after the one that begins at t begins.
func (r Rounding) Next(t int64) int64 {
	offset := r.Offset.Milliseconds()
	if r.Unit == 0 {
		return r.nextFixed(t-offset) + offset
	}
	unit, n := r.Unit, 1
	if unit == 'q' {
		unit, n = 'M', 3
	}
	next, _ := add(r.in(t-offset), n, unit)
	return next.UnixMilli() + offset
}

// zone is Zone, or UTC.
func (r Rounding) zone() *time.Location {
	if r.Zone == nil {
		return time.UTC
	}
	return r.Zone
}

func (r Rounding) in(t int64) time.Time { return time.UnixMilli(t).In(r.zone()) }

func (r Rounding) floorUnit(t int64) int64 {
	local := r.in(t)
	if r.Unit != 'q' {
		start, _ := floor(local, r.Unit)
		return start.UnixMilli()
	}
	month := local.Month() - (local.Month()-1)%3
	return atLocal(time.Date(local.Year(), month, 1, 0, 0, 0, 0, time.UTC), local.Location()).UnixMilli()
}

// floorFixed rounds what the clocks of the zone show.
func (r Rounding) floorFixed(t int64) int64 {
	length := r.Fixed.Milliseconds()
	if r.zone() == time.UTC {
		return floorTo(t, length)
	}
	local := r.in(t)
	_, offset := local.Zone()
	shown := floorTo(t+int64(offset)*1000, length)
	changed, _ := local.ZoneBounds()
	start := shown - int64(offset)*1000
	if changed.IsZero() || start >= changed.UnixMilli() {
		return start
	}
	// The interval begins before the clocks were changed.
	before := changed.UnixMilli() - 1
	_, earlier := r.in(before).Zone()
	if at := shown - int64(earlier)*1000; at > before { // they never showed its begin
		return changed.UnixMilli()
	}
	return r.floorFixed(before)
}

// nextFixed looks behind the end of the interval, and a little further when the clocks were set back meanwhile.
func (r Rounding) nextFixed(t int64) int64 {
	for later := int64(0); ; later = 2*later + 1 {
		if next := r.floorFixed(t + r.Fixed.Milliseconds() + later); next > t {
			return next
		}
	}
}

// floorTo is the greatest multiple of length that is not greater than t.
func floorTo(t, length int64) int64 {
	rest := t % length
	if rest < 0 {
		rest += length
	}
	return t - rest
}
