package dates_test

import (
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/storage/query/dates"
)

func rounding(t testing.TB, unit byte, fixed, offset time.Duration, zone string) dates.Rounding {
	t.Helper()
	z, err := dates.Zone(zone)
	if err != nil {
		t.Fatal(err)
	}
	return dates.Rounding{Unit: unit, Fixed: fixed, Offset: offset, Zone: z}
}

// TestRounding has the nights in which clocks are changed; the answers are Elasticsearch's.
func TestRounding(t *testing.T) {
	for _, tt := range []struct {
		name            string
		rounding        dates.Rounding
		at, floor, next string
	}{
		{"quarter", rounding(t, 'q', 0, 0, "UTC"), "2021-05-14T10:00:00Z", "2021-04-01T00:00:00Z", "2021-07-01T00:00:00Z"},
		{"week", rounding(t, 'w', 0, 0, "UTC"), "2021-05-16T10:00:00Z", "2021-05-10T00:00:00Z", "2021-05-17T00:00:00Z"},
		{"short day", rounding(t, 'd', 0, 0, "Europe/Paris"), "2021-03-28T21:00:00Z", "2021-03-27T23:00:00Z", "2021-03-28T22:00:00Z"},
		{"long day", rounding(t, 'd', 0, 0, "Europe/Paris"), "2021-10-31T22:00:00Z", "2021-10-30T22:00:00Z", "2021-10-31T23:00:00Z"},
		{"offset", rounding(t, 'd', 0, 6*time.Hour, "UTC"), "2021-05-14T05:00:00Z", "2021-05-13T06:00:00Z", "2021-05-14T06:00:00Z"},
		{"half hours", rounding(t, 'h', 0, 0, "Asia/Kolkata"), "2021-05-14T05:10:00Z", "2021-05-14T04:30:00Z", "2021-05-14T05:30:00Z"},
		{"fixed", rounding(t, 0, 90*time.Minute, 0, "UTC"), "1969-12-31T23:00:00Z", "1969-12-31T22:30:00Z", "1970-01-01T00:00:00Z"},
		{"fixed over summer time", rounding(t, 0, 30*24*time.Hour, 0, "Europe/Paris"), "2020-03-20T00:00:00Z", "2020-03-08T23:00:00Z", "2020-04-07T22:00:00Z"},
		{"fixed over winter time", rounding(t, 0, 30*24*time.Hour, 0, "Europe/Paris"), "2020-10-25T12:00:00Z", "2020-10-04T22:00:00Z", "2020-11-03T23:00:00Z"},
		{"over winter and summer time", rounding(t, 0, 100*24*time.Hour, 0, "Europe/Paris"), "2024-10-04T00:00:00Z", "2024-10-03T22:00:00Z", "2025-01-11T23:00:00Z"},
		{"the hour that comes twice", rounding(t, 0, time.Hour, 0, "Europe/Paris"), "2021-10-31T00:30:00Z", "2021-10-31T00:00:00Z", "2021-10-31T01:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		floor := tt.rounding.Floor(at.UnixMilli())
		next := tt.rounding.Next(floor)
		if got := [2]string{text(floor), text(next)}; got != [2]string{tt.floor, tt.next} {
			t.Errorf("%s: %v, want %s and %s", tt.name, got, tt.floor, tt.next)
		}
	}
}

func text(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

// FuzzRounding says that intervals do not overlap, and that one begins after another.
func FuzzRounding(f *testing.F) {
	f.Add(int64(1616893200000), byte('d'), int64(3600000), int64(0), uint8(0))
	f.Add(int64(-1), byte(0), int64(7*86400000), int64(-5000), uint8(1))
	f.Add(int64(1635642000000), byte(0), int64(1), int64(1), uint8(2))
	zones := []string{"Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC", "-03:30"}
	f.Fuzz(func(t *testing.T, at int64, unit byte, fixed, offset int64, zone uint8) {
		at %= 1 << 42
		r := rounding(t, 0, time.Duration(1+max(0, fixed%(1<<36)))*time.Millisecond, time.Duration(offset%(1<<32))*time.Millisecond, zones[int(zone)%len(zones)])
		if units := "yqMwdhms"; unit > 0 {
			r.Unit, r.Fixed = units[int(unit)%len(units)], 0
		}
		floor := r.Floor(at)
		next := r.Next(floor)
		if floor > at || next <= floor {
			t.Fatalf("%+v: %d is in the interval from %d to %d", r, at, floor, next)
		}
	})
}
