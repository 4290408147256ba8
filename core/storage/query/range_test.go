package query_test

import (
	"math"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage/query"
	"github.com/sluicehq/sluice/core/storage/query/dates"
)

func TestRangeDates(t *testing.T) {
	now := time.Date(2024, 5, 15, 12, 0, 0, 0, time.UTC)
	format, err := dates.Compile(dates.Default)
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC).UnixMilli()
	const length = 24 * 3600 * 1000
	tests := []struct {
		in       string
		from, to int64
	}{
		{`{}`, math.MinInt64, math.MaxInt64},
		{`{"gte":"2024-05-06","lte":"2024-05-06"}`, day, day + length - 1},
		{`{"gt":"2024-05-06","lt":"2024-05-08"}`, day + length, day + 2*length - 1},
		{`{"gt":"2024-05-06","lt":"2024-05-07"}`, day + length, day + length - 1}, // nothing
		{`{"gte":"now-9d/d"}`, day, math.MaxInt64},
		{`{"lte":"now-9d/d"}`, math.MinInt64, day + length - 1},
		{`{"lt":"now-9d/d"}`, math.MinInt64, day - 1},
		{`{"gt":"now-9d/d"}`, day + length, math.MaxInt64},
		{`{"gte":1714953600000,"lt":1714953600001}`, day, day},
		{`{"gte":"06/05/2024","format":"dd/MM/yyyy"}`, day, math.MaxInt64},
		{`{"gte":"2024-05-06","time_zone":"+01:00"}`, day - 3600_000, math.MaxInt64},
		{`{"gte":1714953600,"format":"epoch_second"}`, day, math.MaxInt64},
	}
	for _, tt := range tests {
		q, err := query.Parse(jsontext.Value(`{"range":{"f":` + tt.in + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		from, to, err := q.(*query.Range).Dates(now, format)
		if err != nil || from != tt.from || to != tt.to {
			t.Errorf("%s: %d to %d, %v; want %d to %d", tt.in, from, to, err, tt.from, tt.to)
		}
	}
	for _, in := range []string{`{"gte":"soon"}`, `{"lt":true}`, `{"lte":"now+"}`, `{"gt":"2024-05-06","format":"dd/MM/yyyy"}`} {
		q, err := query.Parse(jsontext.Value(`{"range":{"f":` + in + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = q.(*query.Range).Dates(now, format)
		refusal{in, bad, "f: "}.check(t, err)
	}
	from, to, err := query.DatesOf("f", jsontext.Value(`"2024-05-06"`), now, format)
	if err != nil || from != day || to != day+length-1 {
		t.Errorf("a day: %d to %d, %v", from, to, err)
	}
	if _, _, err := (&query.Range{TimeZone: "Local"}).Dates(now, format); err == nil {
		t.Error("the zone of the machine is accepted")
	}
}
