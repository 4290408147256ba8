package aggregation

import (
	"time"

	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/core/storage/query/dates"
)

// format writes numbers of booleans and dates as texts. The zero format writes none.
type format struct {
	boolean bool
	date    *dates.Format
	zone    *time.Location // of dates; nil is UTC
}

func formatOf(f *mapping.Field) format {
	return format{boolean: f.Type == mapping.Boolean, date: f.DateFormat()}
}

func (f format) some() bool { return f.boolean || f.date != nil }

// text gives the text of a number. Fractions of a millisecond are cut off.
func (f format) text(x float64) string {
	if f.boolean {
		return boolText(x != 0)
	}
	return f.dateText(toWhole(x))
}

// textOf is text for a whole number.
func (f format) textOf(n int64) string {
	if f.boolean {
		return boolText(n != 0)
	}
	return f.dateText(n)
}

func (f format) dateText(n int64) string {
	at := time.UnixMilli(n).UTC()
	if f.zone != nil {
		at = at.In(f.zone)
	}
	return f.date.Format(at)
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
