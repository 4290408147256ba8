package search_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// The types of numbers that not every Elasticsearch has are compared with what their documentation says, value by value.

func TestScaledFloat(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	c := newCollection(`{"properties":{"x":{"type":"scaled_float","scaling_factor":100}}}`)
	scaled := make([]float64, 300)
	for i := range scaled {
		x := math.Round((random.Float64()*8-4)*10000) / 10000
		scaled[i] = math.Floor(x*100 + 0.5)
		c.add(strconv.Itoa(i), fmt.Sprintf(`{"x":%v}`, x))
		if i%100 == 99 {
			c.freeze()
		}
	}
	for range 300 {
		low, high := math.Round(random.Float64()*8000-4000)/1000, math.Round(random.Float64()*8000-4000)/1000
		for _, test := range []struct {
			body string
			want func(x float64) bool
		}{
			{fmt.Sprintf(`{"term":{"x":%v}}`, low), func(x float64) bool { return x == math.Floor(low*100+0.5) }},
			{fmt.Sprintf(`{"range":{"x":{"gte":%v,"lte":"%v"}}}`, low, high), func(x float64) bool { return x >= low*100 && x <= high*100 }},
			{fmt.Sprintf(`{"range":{"x":{"gt":%v,"lt":%v}}}`, low, high), func(x float64) bool { return x > low*100 && x < high*100 }},
			{fmt.Sprintf(`{"terms":{"x":[%v,%v]}}`, low, high), func(x float64) bool { return x == math.Floor(low*100+0.5) || x == math.Floor(high*100+0.5) }},
		} {
			var want []string
			for i, x := range scaled {
				if test.want(x) {
					want = append(want, strconv.Itoa(i))
				}
			}
			wantFound(t, c, `{"query":`+test.body+`,"sort":"_doc","size":1000}`, want)
		}
	}
	wantRefused(t, c, `{"query":{"term":{"x":"abc"}}}`, `{"query":{"term":{"x":1e400}}}`, `{"query":{"range":{"x":{"gt":"abc"}}}}`)
	r, err := run(t, c.targets(), `{"query":{"range":{"x":{"gte":3.9}}},"sort":"x"}`)
	if err != nil || len(r.Hits) == 0 {
		t.Fatalf("%v", err)
	}
	for _, h := range r.Hits {
		if x := string(h.Sort[0]); len(x) > len("3.99") {
			t.Errorf("the sort value %s has more digits than the factor leaves", x)
		}
	}
}

func TestUnsignedLong(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	values := []string{"0", "1", "9223372036854775807", "9223372036854775808", "9223372036854775809", "18446744073709551614", "18446744073709551615", "42"}
	c := newCollection(`{"properties":{"x":{"type":"unsigned_long"}}}`)
	for i, v := range values {
		c.add(strconv.Itoa(i), `{"x":`+v+`}`)
		if i == 3 {
			c.freeze()
		}
	}
	c.add("none", `{}`)
	bounds := append([]string{"-1", "-0.5", "0.5", "42.0", "41.5", "9223372036854775808.5", "18446744073709551615.5", "1e19", "1e30", "-1e30"}, values...)
	number := func(s string) *big.Rat { r, _ := new(big.Rat).SetString(s); return r }
	for range 500 {
		low, high := bounds[random.IntN(len(bounds))], bounds[random.IntN(len(bounds))]
		from, to := []string{"gt", "gte"}[random.IntN(2)], []string{"lt", "lte"}[random.IntN(2)]
		var in, equal []string
		for i, v := range values {
			below, above := number(v).Cmp(number(low)), number(v).Cmp(number(high))
			if below == 0 {
				equal = append(equal, strconv.Itoa(i))
			}
			if (below > 0 || below == 0 && from == "gte") && (above < 0 || above == 0 && to == "lte") {
				in = append(in, strconv.Itoa(i))
			}
		}
		wantFound(t, c, fmt.Sprintf(`{"query":{"range":{"x":{"%s":%s,"%s":"%s"}}},"sort":"_doc"}`, from, low, to, high), in)
		wantFound(t, c, fmt.Sprintf(`{"query":{"term":{"x":%s}},"sort":"_doc"}`, low), equal)
	}
	wantFound(t, c, `{"query":{"term":{"x":"abc"}}}`, nil)
	wantFound(t, c, `{"query":{"match":{"x":"18446744073709551615"}}}`, []string{"6"})
	wantRefused(t, c, `{"query":{"range":{"x":{"gt":"abc"}}}}`, `{"sort":"x","search_after":[-1]}`, `{"sort":"x","search_after":["abc"]}`)
	for body, want := range map[string]string{
		`{"sort":"x"}`:          "0 1 42 9223372036854775807 9223372036854775808 9223372036854775809 18446744073709551614 18446744073709551615 18446744073709551615",
		`{"sort":{"x":"desc"}}`: "18446744073709551615 18446744073709551614 9223372036854775809 9223372036854775808 9223372036854775807 42 1 0 0",
		`{"sort":{"x":{"missing":43}},"search_after":[42]}`: "43 9223372036854775807 9223372036854775808 9223372036854775809 18446744073709551614 18446744073709551615",
	} {
		if r, err := run(t, c.targets(), body); err != nil || sortsOf(r.Hits) != want {
			t.Errorf("%s: %s, %v; want %s", body, sortsOf(r.Hits), err, want)
		}
	}
}

func wantFound(t *testing.T, c *collection, body string, want []string) {
	t.Helper()
	if r, err := run(t, c.targets(), body); err != nil || idsOf(r.Hits) != strings.Join(want, " ") {
		t.Errorf("%s: %s, %v; want %s", body, idsOf(r.Hits), err, strings.Join(want, " "))
	}
}

func wantRefused(t *testing.T, c *collection, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if r, err := run(t, c.targets(), body); err == nil {
			t.Errorf("%s found %s", body, idsOf(r.Hits))
		}
	}
}
