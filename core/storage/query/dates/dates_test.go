package dates_test

import (
	"errors"
	"testing"
	"time"

	"github.com/sluicehq/sluice/core/storage/query/dates"
)

const layout = "2006-01-02T15:04:05.999999999Z"

func compile(t testing.TB, spec string) *dates.Format {
	t.Helper()
	f, err := dates.Compile(spec)
	if err != nil {
		t.Fatalf("%s: %v", spec, err)
	}
	return f
}

func TestParse(t *testing.T) {
	tests := []struct{ format, in, want string }{
		{dates.Default, "2024", "2024-01-01T00:00:00Z"},
		{dates.Default, "2024-05", "2024-05-01T00:00:00Z"},
		{dates.Default, "2024-05-06", "2024-05-06T00:00:00Z"},
		{dates.Default, "2024-05-06T", "2024-05-06T00:00:00Z"},
		{dates.Default, "2024-05-06T07", "2024-05-06T07:00:00Z"},
		{dates.Default, "2024-05-06T07:08", "2024-05-06T07:08:00Z"},
		{dates.Default, "2024-05-06T07:08:09", "2024-05-06T07:08:09Z"},
		{dates.Default, "2024-05-06T07:08:09.5Z", "2024-05-06T07:08:09.5Z"},
		{dates.Default, "2024-05-06T07:08:09,123456789+02:00", "2024-05-06T05:08:09.123456789Z"},
		{dates.Default, "2024-05-06T07:08:09+0230", "2024-05-06T04:38:09Z"},
		{dates.Default, "2024-05-06T07:08:09-03", "2024-05-06T10:08:09Z"},
		{dates.Default, "2024-05-06T07:08Europe/Paris", "2024-05-06T05:08:00Z"},
		{dates.Default, "-0044-03-15", "-0044-03-15T00:00:00Z"},
		{dates.Default, "1700000000000", "2023-11-14T22:13:20Z"},
		{dates.Default, "-1", "1969-12-31T23:59:59.999Z"},
		{"yyyy-MM-dd", "+12345-01-01", "12345-01-01T00:00:00Z"},
		{"date_optional_time", "2024-5-6T7:8:9.1", "2024-05-06T07:08:09.1Z"},
		{"iso8601", "2024-05-06T07:08:09.1Z", "2024-05-06T07:08:09.1Z"},
		{"epoch_millis", "1700000000000.25", "2023-11-14T22:13:20.00025Z"},
		{"epoch_second", "1700000000", "2023-11-14T22:13:20Z"},
		{"epoch_second", "-1.5", "1969-12-31T23:59:58.5Z"},
		{"date", "2024-05-06", "2024-05-06T00:00:00Z"},
		{"date", "2024-5-6", "2024-05-06T00:00:00Z"},
		{"strict_date_time", "2024-05-06T07:08:09.123Z", "2024-05-06T07:08:09.123Z"},
		{"date_time_no_millis", "2024-05-06T07:08:09+01:00", "2024-05-06T06:08:09Z"},
		{"strict_date_time", "2024-05-06T07:08:09+0200", "2024-05-06T05:08:09Z"},
		{"date_time_no_millis", "2024-05-06T7:8", "2024-05-06T07:08:00Z"},
		{"date", "2024-05", "2024-05-01T00:00:00Z"},
		{"strict_year_month_day", "2024", "2024-01-01T00:00:00Z"},
		{"ordinal_date", "2024-5", "2024-01-05T00:00:00Z"},
		{"basic_date", "20240506", "2024-05-06T00:00:00Z"},
		{"basic_date_time", "20240506T070809.123Z", "2024-05-06T07:08:09.123Z"},
		{"basic_date_time_no_millis", "20240506T070809+0100", "2024-05-06T06:08:09Z"},
		{"basic_ordinal_date", "2024060", "2024-02-29T00:00:00Z"},
		{"basic_week_date", "2024W011", "2024-01-01T00:00:00Z"},
		{"week_date", "2020-W53-7", "2021-01-03T00:00:00Z"},
		{"weekyear_week", "2024-W2", "2024-01-08T00:00:00Z"},
		{"ordinal_date", "2023-365", "2023-12-31T00:00:00Z"},
		{"year_month", "2024-05", "2024-05-01T00:00:00Z"},
		{"hour_minute_second", "07:08:09", "1970-01-01T07:08:09Z"},
		{"yyyy-MM-dd HH:mm:ss", "2024-05-06 07:08:09", "2024-05-06T07:08:09Z"},
		{"yyyy-MM-dd HH:mm:ss||yyyy-MM-dd||epoch_millis", "2024-05-06", "2024-05-06T00:00:00Z"},
		{"dd/MM/yyyy", "06/05/2024", "2024-05-06T00:00:00Z"},
		{"d/M/uu", "6/5/24", "2024-05-06T00:00:00Z"},
		{"yyyyMMddHHmmssSSS", "20240506070809123", "2024-05-06T07:08:09.123Z"},
		{"EEE, d MMM yyyy hh:mm a", "Mon, 6 May 2024 12:08 AM", "2024-05-06T00:08:00Z"},
		{"EEEE d MMMM yyyy h:mm a", "Monday 6 May 2024 3:08 PM", "2024-05-06T15:08:00Z"},
		{"yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2024-05-06T07:08:09.123+02:00", "2024-05-06T05:08:09.123Z"},
		{"yyyy-MM-dd HH:mm:ss Z", "2024-05-06 07:08:09 -0100", "2024-05-06T08:08:09Z"},
		{"yyyy-MM-dd HH:mm VV", "2024-07-06 07:08 America/New_York", "2024-07-06T11:08:00Z"},
		{"yyyy-MM-dd['at'HH]", "2024-05-06at07", "2024-05-06T07:00:00Z"},
		{"yyyy-MM-dd['at'HH]", "2024-05-06", "2024-05-06T00:00:00Z"},
		{"yyyy''MM", "2024'05", "2024-05-01T00:00:00Z"},
		{"kk:mm", "24:01", "1970-01-01T00:01:00Z"},
	}
	for _, tt := range tests {
		got, err := compile(t, tt.format).Parse(tt.in, nil)
		if err != nil || got.Format(layout) != tt.want {
			t.Errorf("%s of %s: got %s, %v; want %s", tt.in, tt.format, got.Format(layout), err, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ format, in string }{
		{dates.Default, ""},
		{dates.Default, "now"},
		{dates.Default, "2024-13"},
		{dates.Default, "2024-02-30"},
		{dates.Default, "2023-02-29"},
		{dates.Default, "2024-5-6"},
		{dates.Default, "2024-05-06 07:08"},
		{dates.Default, "2024-05-06T24:00"},
		{dates.Default, "2024-05-06T07:60"},
		{dates.Default, "2024-05-06T07:08:09.1234567890"},
		{dates.Default, "2024-05-06T07:08:09.Z"},
		{dates.Default, "2024-05-06T07:08+19:00"},
		{dates.Default, "2024-05-06T07:08Mars/X"},
		{dates.Default, "2024-05-06x"},
		{dates.Default, "+2024-05-06"},
		{dates.Default, "12e3"},
		{dates.Default, "99999999999999999999"},
		{dates.Default, "9223372036854775807"},
		{dates.Default, "true"},
		{"epoch_millis", "1."},
		{"epoch_millis", "1.1234567"},
		{"epoch_millis", "--1"},
		{"epoch_millis", "-+1"},
		{"epoch_second", "1.x"},
		{"epoch_second", "9999999999999999"},
		{"strict_date", "2024-5-6"},
		{dates.Default, "+12345-01-01"},
		{"strict_date_time", "2024-05-06T07:08:09.1"},
		{"basic_date", "2024050"},
		{"week_date", "2021-W53-1"},
		{"ordinal_date", "2023-366"},
		{"week_date", "2024-W01-8"},
		{"yyyy-MM-dd", "2024-05-06T00:00"},
		{"EEE yyyy-MM-dd", "Tue 2024-05-06"},
		{"hh:mm a", "13:00 AM"},
		{"yyyy XX", "2024 +01:00"},
	}
	for _, tt := range tests {
		if got, err := compile(t, tt.format).Parse(tt.in, nil); !errors.Is(err, dates.ErrNotDate) {
			t.Errorf("%s of %s: got %s, %v", tt.in, tt.format, got, err)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, spec := range []string{
		"", "||", "date||", "strict_epoch_millis", "date_and_time", "yyyy-MM-dd[", "yyyy]", "'yyyy", "yyyyyyyyyy", "f", "j", "{", "yyyy#", "MMMMM", "b",
		"strict_iso8601", string(make([]byte, 2000)),
	} {
		if f, err := dates.Compile(spec); err == nil {
			t.Errorf("%q is accepted: %v", spec, f)
		}
	}
}

func TestFormat(t *testing.T) {
	at := time.Date(2024, 5, 6, 17, 8, 9, 123_000_000, time.UTC)
	for spec, want := range map[string]string{
		dates.Default:             "2024-05-06T17:08:09.123Z",
		"date":                    "2024-05-06",
		"epoch_millis":            "1715015289123",
		"epoch_second":            "1715015289.123",
		"yyyy-MM-dd HH:mm:ss":     "2024-05-06 17:08:09",
		"EEE d MMMM yy h:mm a":    "Mon 6 May 24 5:08 PM",
		"basic_week_date":         "2024W191",
		"ordinal_date":            "2024-127",
		"HH:mm:ss.SSSSSS XXX":     "17:08:09.123000 Z",
		"yyyy-MM-dd HH Z || date": "2024-05-06 17 +0000",
		"strict_year":             "2024",
	} {
		if got := compile(t, spec).Format(at); got != want {
			t.Errorf("%s: got %s, want %s", spec, got, want)
		}
	}
}

// TestRoundTrip writes instants with the formats that lose nothing, and reads them again.
func TestRoundTrip(t *testing.T) {
	for _, spec := range []string{
		dates.Default, "epoch_millis", "strict_date_time", "basic_date_time", "week_date_time", "ordinal_date_time", "basic_week_date_time",
		"uuuu-MM-dd HH:mm:ss.SSS", "yyyyDDDHHmmssSSS", "EEEE d MMMM yyyy hh:mm:ss.SSS a", "yyyy-MM-dd kk:mm:ss.SSSXXX",
	} {
		f := compile(t, spec)
		for i := range int64(2000) {
			want := time.UnixMilli(i * 7_654_321_987).UTC()
			if got, err := f.Parse(f.Format(want), nil); err != nil || !got.Equal(want) {
				t.Fatalf("%s: %s became %s, %v", spec, want, got, err)
			}
		}
	}
}

func TestMath(t *testing.T) {
	now := time.Date(2024, 5, 15, 14, 31, 32, 123_456_789, time.UTC) // a Wednesday
	tests := []struct{ in, zone, down, up string }{
		{"now", "", "2024-05-15T14:31:32.123Z", "2024-05-15T14:31:32.123Z"},
		{"now-1d", "", "2024-05-14T14:31:32.123Z", "2024-05-14T14:31:32.123Z"},
		{"now/d", "", "2024-05-15T00:00:00Z", "2024-05-15T23:59:59.999Z"},
		{"now-1d/d", "", "2024-05-14T00:00:00Z", "2024-05-14T23:59:59.999Z"},
		{"now+1h", "", "2024-05-15T15:31:32.123Z", "2024-05-15T15:31:32.123Z"},
		{"now+h", "", "2024-05-15T15:31:32.123Z", "2024-05-15T15:31:32.123Z"},
		{"now+30m", "", "2024-05-15T15:01:32.123Z", "2024-05-15T15:01:32.123Z"},
		{"now-32s/m", "", "2024-05-15T14:31:00Z", "2024-05-15T14:31:59.999Z"},
		{"now/H", "", "2024-05-15T14:00:00Z", "2024-05-15T14:59:59.999Z"},
		{"now/s", "", "2024-05-15T14:31:32Z", "2024-05-15T14:31:32.999Z"},
		{"now/w", "", "2024-05-13T00:00:00Z", "2024-05-19T23:59:59.999Z"},
		{"now/M", "", "2024-05-01T00:00:00Z", "2024-05-31T23:59:59.999Z"},
		{"now/y", "", "2024-01-01T00:00:00Z", "2024-12-31T23:59:59.999Z"},
		{"now+1w", "", "2024-05-22T14:31:32.123Z", "2024-05-22T14:31:32.123Z"},
		{"now/d+2h", "", "2024-05-15T02:00:00Z", "2024-05-16T01:59:59.999Z"},
		{"2024-01-31||+1M", "", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
		{"2024-02-29||-1y/M", "", "2023-02-01T00:00:00Z", "2023-02-28T23:59:59.999Z"},
		{"2024-01-01||+1M/d", "", "2024-02-01T00:00:00Z", "2024-02-01T23:59:59.999Z"},
		{"2024-01-01||", "", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"},
		{"2024-05-06", "", "2024-05-06T00:00:00Z", "2024-05-06T23:59:59.999Z"},
		{"2024", "", "2024-01-01T00:00:00Z", "2024-01-01T23:59:59.999Z"},
		{"2024-05-06T07", "", "2024-05-06T07:00:00Z", "2024-05-06T07:59:59.999Z"},
		{"2024-05-06T07:08:09", "", "2024-05-06T07:08:09Z", "2024-05-06T07:08:09.999Z"},
		{"2024-05-06T07:08:09.5", "", "2024-05-06T07:08:09.5Z", "2024-05-06T07:08:09.5Z"},
		{"1700000000000", "", "2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z"},
		{"now/d", "+01:00", "2024-05-14T23:00:00Z", "2024-05-15T22:59:59.999Z"},
		{"2024-05-06", "Europe/Paris", "2024-05-05T22:00:00Z", "2024-05-06T21:59:59.999Z"},
		{"2024-05-06T00:00Z", "Europe/Paris", "2024-05-06T00:00:00Z", "2024-05-06T00:00:59.999Z"},
		{"2024-03-31||/d", "Europe/Paris", "2024-03-30T23:00:00Z", "2024-03-31T21:59:59.999Z"},    // a day of 23 hours
		{"2024-03-30T02:30||+1d", "Europe/Paris", "2024-03-31T01:30:00Z", "2024-03-31T01:30:00Z"}, // 02:30 is skipped
		{"2024-10-27T02:30", "Europe/Paris", "2024-10-27T00:30:00Z", "2024-10-27T00:30:59.999Z"},  // 02:30 comes twice
		{"2024-10-27T01:30:00Z||/h", "Europe/Paris", "2024-10-27T01:00:00Z", "2024-10-27T01:59:59.999Z"},
		{"1700000000000", "+01:00", "2023-11-14T21:13:20Z", "2023-11-14T21:13:20Z"},
		{"now/d", "UTC-5", "2024-05-15T05:00:00Z", "2024-05-16T04:59:59.999Z"},
	}
	f := compile(t, dates.Default)
	for _, tt := range tests {
		zone := time.UTC
		if tt.zone != "" {
			var err error
			if zone, err = dates.Zone(tt.zone); err != nil {
				t.Fatal(err)
			}
		}
		for up, want := range map[bool]string{false: tt.down, true: tt.up} {
			got, err := f.Math(tt.in, now, up, zone)
			if err != nil || got.Truncate(time.Millisecond).Format(layout) != want {
				t.Errorf("%s up %v in %s: got %s, %v; want %s", tt.in, up, tt.zone, got.Format(layout), err, want)
			}
		}
	}
	for _, in := range []string{
		"now+", "now+1", "now/2d", "now*1d", "now+1x", "now/x", "nowd", "now+1dd", "||+1d", "x||+1d", "now+999999999y", "now-999999999y",
		"2024-01-01||+1d||+1d", "2024-01-01+1d",
	} {
		if got, err := f.Math(in, now, false, nil); !errors.Is(err, dates.ErrNotDate) {
			t.Errorf("%s: got %s, %v", in, got, err)
		}
	}
}

func TestZone(t *testing.T) {
	for name, want := range map[string]int{
		"Z": 0, "UTC": 0, "GMT": 0, "+01:00": 3600, "-01:30": -5400, "+0530": 19800, "+5": 18000, "+05:30:15": 19815, "UTC+2": 7200, "GMT-03:00": -10800,
		"Asia/Tokyo": 32400,
	} {
		zone, err := dates.Zone(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, got := time.Unix(0, 0).In(zone).Zone(); got != want && name != "Asia/Tokyo" || got == 0 && want != 0 {
			t.Errorf("%s: got %d, want %d", name, got, want)
		}
	}
	for _, name := range []string{"", "Local", "local time", "../etc/passwd", "/etc/localtime", "+", "+19", "+01:60", "+1:2:3:4", "UTC+", "EST", "z", "Mars/Phobos"} {
		if zone, err := dates.Zone(name); err == nil {
			t.Errorf("%q is accepted: %v", name, zone)
		}
	}
}

// TestRoundingBrackets: whatever a text leaves out, rounding up is not before rounding down, and both round to the same
// text again.
func TestRoundingBrackets(t *testing.T) {
	now := time.Date(2024, 5, 15, 14, 31, 32, 0, time.UTC)
	f := compile(t, dates.Default)
	for _, zone := range []string{"UTC", "Europe/Paris", "America/Sao_Paulo", "Asia/Kathmandu", "-11:30"} {
		z, err := dates.Zone(zone)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3000 {
			at := now.Add(time.Duration(i) * 13 * time.Hour)
			for _, unit := range []string{"y", "M", "w", "d", "h", "m", "s"} {
				text := at.Format(time.RFC3339) + "||/" + unit
				down, err1 := f.Math(text, now, false, z)
				up, err2 := f.Math(text, now, true, z)
				if err1 != nil || err2 != nil || down.After(at) || up.Before(at) {
					t.Fatalf("%s in %s: %s to %s, %v, %v", text, zone, down, up, err1, err2)
				}
				next, err := f.Math(up.Add(time.Millisecond).Format(time.RFC3339)+"||/"+unit, now, false, z)
				if err != nil || !next.Equal(up.Add(time.Millisecond)) {
					t.Fatalf("%s in %s: the next %s begins at %s, not after %s, %v", text, zone, unit, next, up, err)
				}
			}
		}
	}
}

func FuzzDate(f *testing.F) {
	for _, spec := range []string{dates.Default, "yyyy-MM-dd HH:mm:ss||epoch_second", "basic_week_date_time", "EEE d MMM yy h:mm a VV", "['a'[u[M]]]"} {
		for _, text := range []string{"2024-05-06T07:08:09.5+01:00", "now-1d/d", "2024-01-01||+1M/d", "-1.5", "2024W011T070809.1Z", "Mon 6 May 24 1:02 PM UTC"} {
			f.Add(spec, text, "Europe/Paris")
		}
	}
	now := time.Date(2024, 5, 15, 14, 31, 32, 0, time.UTC)
	f.Fuzz(func(t *testing.T, spec, text, zone string) {
		format, err := dates.Compile(spec)
		if err != nil {
			return
		}
		z, err := dates.Zone(zone)
		if err != nil {
			z = time.UTC
		}
		down, err := format.Math(text, now, false, z)
		if err != nil && !errors.Is(err, dates.ErrNotDate) {
			t.Errorf("%q: %v", text, err)
		}
		up, upErr := format.Math(text, now, true, z)
		if (err == nil) != (upErr == nil) {
			t.Errorf("%q of %q: down %v, up %v", text, spec, err, upErr)
		}
		if err == nil && down.After(up) {
			t.Errorf("%q of %q in %q: %s is after %s", text, spec, zone, down, up)
		}
		_ = format.Format(down)
	})
}

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{"iso": "2024-05-06T07:08:09.123Z", "millis": "1700000000000"} {
		b.Run(name, func(b *testing.B) {
			f := compile(b, dates.Default)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Parse(text, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
