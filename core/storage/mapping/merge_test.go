package mapping

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// What a real Elasticsearch 8.14 makes of a second mapping of the field a. ! is a conflict about an option, or about the type.
func TestMerge(t *testing.T) {
	for _, c := range [][3]string{
		{`{"type":"keyword","ignore_above":5}`, `{"type":"keyword"}`, `{"type":"keyword"}`},
		{`{"type":"keyword","null_value":"z"}`, `{"type":"keyword"}`, `!null_value`},
		{`{"type":"keyword"}`, `{"type":"keyword","normalizer":"lowercase"}`, `!normalizer`},
		{`{"type":"date","format":"yyyy"}`, `{"type":"date"}`, `!format`},
		{`{"type":"date","null_value":"2020"}`, `{"type":"date","null_value":"2020-01-01"}`, `!null_value`},
		{`{"type":"date","null_value":"2020"}`, `{"type":"date","null_value":2020}`, `{"type":"date","null_value":"2020"}`},
		{`{"type":"text","fields":{"k":{"type":"keyword"}}}`, `{"type":"text","fields":{"l":{"type":"keyword"}}}`, `{"type":"text","fields":{"k":{"type":"keyword"},"l":{"type":"keyword"}}}`},
		{`{"type":"text","fields":{"k":{"type":"keyword"}}}`, `{"type":"text"}`, `{"type":"text","fields":{"k":{"type":"keyword"}}}`},
		{`{"type":"text","fields":{"k":{"type":"keyword"}}}`, `{"type":"text","fields":{"k":{"type":"long"}}}`, `!`},
		{`{"type":"text","search_analyzer":"simple"}`, `{"type":"text"}`, `{"type":"text"}`},
		{`{"type":"text"}`, `{"type":"text","search_analyzer":"simple"}`, `{"type":"text","search_analyzer":"simple"}`},
		{`{"type":"text","analyzer":"simple"}`, `{"type":"text"}`, `!analyzer`},
		{`{"type":"text"}`, `{"type":"text","analyzer":"standard"}`, `!analyzer`},
		{`{"type":"text"}`, `{"type":"text","analyzer":"default"}`, `{"type":"text"}`},
		{`{"type":"text"}`, `{"type":"text","norms":false}`, `{"type":"text","norms":false}`},
		{`{"type":"text","norms":false}`, `{"type":"text"}`, `!norms`},
		{`{"type":"text"}`, `{"type":"text","fielddata":true}`, `{"type":"text","fielddata":true}`},
		{`{"type":"long","copy_to":"b"}`, `{"type":"long"}`, `{"type":"long"}`},
		{`{"type":"long","copy_to":"b"}`, `{"type":"long","copy_to":["c"]}`, `{"type":"long","copy_to":["c"]}`},
		{`{"type":"long","coerce":false,"ignore_malformed":true,"meta":{"a":"b"}}`, `{"type":"long"}`, `{"type":"long"}`},
		{`{"type":"long","doc_values":false}`, `{"type":"long"}`, `!doc_values`},
		{`{"type":"long","index":false}`, `{"type":"long"}`, `!index`},
		{`{"type":"long","store":true}`, `{"type":"long"}`, `!store`},
		{`{"type":"binary"}`, `{"type":"binary","store":true}`, `!store`},
		{`{"type":"long","null_value":5}`, `{"type":"long","null_value":"5"}`, `{"type":"long","null_value":5}`},
		{`{"type":"long"}`, `{"type":"integer"}`, `!`},
		{`{"type":"long"}`, `{"type":"object"}`, `!`},
		{`{"type":"object"}`, `{"type":"long"}`, `!`},
		{`{"type":"object"}`, `{"type":"nested"}`, `!`},
		{`{"type":"nested"}`, `{"type":"object"}`, `!`},
		{`{"type":"nested"}`, `{"properties":{"x":{"type":"long"}}}`, `!`},
		{`{"type":"long"}`, `{"type":"alias","path":"b"}`, `!`},
		{`{"type":"alias","path":"b"}`, `{"type":"long"}`, `!`},
		{`{"type":"alias","path":"b"}`, `{"type":"alias","path":"c"}`, `{"type":"alias","path":"c"}`},
		{`{"type":"object","enabled":false}`, `{"type":"object"}`, `{"type":"object","enabled":false}`},
		{`{"type":"object","enabled":false}`, `{"type":"object","enabled":true}`, `!enabled`},
		{`{"type":"object"}`, `{"type":"object","enabled":false}`, `!enabled`},
		{`{"type":"object","dynamic":"strict"}`, `{"type":"object"}`, `{"type":"object","dynamic":"strict"}`},
		{`{"type":"object","dynamic":"strict"}`, `{"type":"object","dynamic":true}`, `{"type":"object","dynamic":"true"}`},
		{`{"properties":{"x":{"type":"long"}}}`, `{"properties":{"y":{"type":"long"}}}`, `{"properties":{"x":{"type":"long"},"y":{"type":"long"}}}`},
	} {
		t.Run(c[0]+" "+c[1], func(t *testing.T) {
			first := parse(t, `{"properties":{"b":{"type":"ip"},"c":{"type":"ip"},"a":`+c[0]+`}}`)
			before := string(first.JSON(true))
			merged, err := first.Merge(field(t, c[1]))
			if option, refusal := strings.CutPrefix(c[2], "!"); refusal {
				props := []string{"a"}
				if option != "" {
					props = append(props, option)
				}
				is(t, err, kerror.ServicesStorageCannotChangeMapping, props...)
			} else if err != nil || properties(merged) != `{"a":`+c[2]+`,"b":{"type":"ip"},"c":{"type":"ip"}}` {
				t.Errorf("%s, %v; want %s", properties(merged), err, c[2])
			}
			if string(first.JSON(true)) != before {
				t.Error("the first mapping has changed")
			}
		})
	}
}

func TestMergeOfTheRoot(t *testing.T) {
	for _, c := range [][3]string{
		{`{"dynamic":"strict","_meta":{"a":1}}`, `{"_meta":{"b":1}}`, `{"dynamic":"strict","_meta":{"b":1},"properties":{}}`},
		{`{"dynamic":"strict","_meta":{"a":1}}`, `{"dynamic":false}`, `{"dynamic":"false","_meta":{"a":1},"properties":{}}`},
		{`{"_meta":{"a":1}}`, `{"_meta":{}}`, `{"dynamic":"false","_meta":{},"properties":{}}`},
		{`{"_meta":{"a":1}}`, `{"_meta":null}`, `{"dynamic":"false","_meta":{"a":1},"properties":{}}`},
	} {
		merged, err := parse(t, c[0]).Merge(parse(t, c[1]))
		if err != nil || string(merged.JSON(true)) != c[2] {
			t.Errorf("%s + %s = %s, %v", c[0], c[1], merged.JSON(true), err)
		}
	}
	// What is inherited follows.
	merged, err := parse(t, `{"properties":{"o":{"type":"object"}}}`).Merge(parse(t, `{"dynamic":"strict"}`))
	if err != nil || merged.Field("o").Unmapped() != Strict {
		t.Errorf("%v", err)
	}
}

func TestMergeChecksReferences(t *testing.T) {
	base := `"x":{"type":"long"},"k":{"type":"keyword","fields":{"s":{"type":"text"}}},"o":{"type":"object"},"n":{"type":"nested","properties":{"y":{"type":"long"}}}`
	for _, c := range [][3]string{
		{`{"type":"alias","path":"x"}`},
		{`{"type":"alias","path":"k.s"}`},
		{`{"type":"keyword","copy_to":["k","new","o.new"]}`},
		{`{"type":"keyword","copy_to":"a"}`},
		{`{"type":"nested","properties":{"z":{"type":"long","copy_to":["x","a.zz"]}}}`},
		{`{"type":"alias","path":"no"}`, "a", "path"},
		{`{"type":"alias","path":"a"}`, "a", "path"},
		{`{"type":"alias","path":"o"}`, "a", "path"},
		{`{"type":"alias","path":"al"}`, "a", "path"},
		{`{"type":"alias","path":"n.y"}`, "a", "path"},
		{`{"type":"nested","properties":{"z":{"type":"alias","path":"x"}}}`, "a.z", "path"},
		{`{"type":"long","copy_to":"o"}`, "a", "copy_to"},
		{`{"type":"long","copy_to":"k.s"}`, "a", "copy_to"},
		{`{"type":"long","copy_to":"n.y"}`, "a", "copy_to"},
		{`{"type":"long","copy_to":"n.new"}`, "a", "copy_to"},
		{`{"type":"nested","properties":{"z":{"type":"long","copy_to":"n.y"}}}`, "a.z", "copy_to"},
	} {
		t.Run(c[0], func(t *testing.T) {
			_, err := parse(t, `{"properties":{`+base+`,"al":{"type":"alias","path":"x"}}}`).Merge(field(t, c[0]))
			if c[1] != "" {
				is(t, err, kerror.ServicesStorageInvalidMappingArgument, c[1], c[2])
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMergeIsBounded(t *testing.T) {
	m := Common()
	var err error
	for i := 0; err == nil; i++ {
		if i > maxFields {
			t.Fatal("no bound")
		}
		m, err = m.Merge(parse(t, fmt.Sprintf(`{"properties":{"f%d":{"type":"long"}}}`, i)))
	}
	is(t, err, kerror.ServicesStorageUnexpectedBadRequest, "more than 1000 fields")
}
