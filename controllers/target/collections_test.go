package target_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func TestCollections(t *testing.T) {
	ic, id, jc := storage.Collection{Index: "i", Name: "c"}, storage.Collection{Index: "i", Name: "d"}, storage.Collection{Index: "j", Name: "c"}
	for _, c := range []struct {
		targets string
		want    []storage.Collection
		err     *kerror.Def
	}{
		{`[{"index":"i","collections":["c"]}]`, []storage.Collection{ic}, nil},
		{`[{"index":"i","collections":["c","d","c"]},{"index":"j","collections":["c"]},{"index":"i","collections":["d"],"more":1}]`, []storage.Collection{ic, id, jc}, nil},
		{`[]`, nil, kerror.APIAssertEmptyArgument},
		{`[{"collections":["c"]}]`, nil, kerror.APIAssertMissingArgument},
		{`[{"index":null,"collections":["c"]}]`, nil, kerror.APIAssertMissingArgument},
		{`[{"index":"i"}]`, nil, kerror.APIAssertMissingArgument},
		{`[{"index":"i","collections":[]}]`, nil, kerror.APIAssertMissingArgument},
		{`[{"index":"i","collections":[""]}]`, nil, kerror.APIAssertMissingArgument},
		{`[{"index":"i","collections":[null]}]`, nil, kerror.APIAssertMissingArgument},
		{`[{"index":"i","collections":"c"}]`, nil, kerror.APIAssertInvalidType},
		{`[{"index":1,"collections":["c"]}]`, nil, kerror.APIAssertInvalidType},
		{`["i"]`, nil, kerror.APIAssertInvalidType},
		{`{"index":"i","collections":["c"]}`, nil, kerror.APIAssertInvalidType},
		{`"i"`, nil, kerror.APIAssertInvalidType},
		{`[{"index":"i,j","collections":["c"]}]`, nil, kerror.ServicesStorageInvalidTargetFormat},
		{`[{"index":"i","collections":["c*"]}]`, nil, kerror.ServicesStorageInvalidTargetFormat},
		{`[{"index":"i","collections":["c","+d"]}]`, nil, kerror.ServicesStorageInvalidTargetFormat},
		{`[{"index":"_all","collections":["c"]}]`, nil, kerror.ServicesStorageInvalidTargetFormat},
	} {
		inURL := protocol.TextArgs()
		inURL.AddText("targets", c.targets)
		for where, a := range map[string]protocol.Args{"envelope": args(t, `{"targets":`+c.targets+`}`), "URL": inURL} {
			got, err := target.Collections(&protocol.Request{Args: a})
			if !slices.Equal(got, c.want) || c.err != nil && !errors.Is(err, c.err) || c.err == nil && err != nil {
				t.Errorf("%s %s: %v %v", where, c.targets, got, err)
			}
		}
	}
	for n, want := range map[int]error{1000: nil, 1001: kerror.APIAssertTooManyArguments} {
		names := make([]string, n)
		for i := range names {
			names[i] = `"c` + strconv.Itoa(i) + `"`
		}
		a := args(t, `{"targets":[{"index":"i","collections":[`+strings.Join(names, ",")+`]}]}`)
		if _, err := target.Collections(&protocol.Request{Args: a}); !errors.Is(err, want) {
			t.Errorf("%d collections: %v", n, err)
		}
	}
	repeated := protocol.TextArgs()
	repeated.AddText("targets", `{"index":"i","collections":["c"]}`, `{"index":"j","collections":["c"]}`)
	if _, err := target.Collections(&protocol.Request{Args: repeated}); !errors.Is(err, kerror.APIAssertInvalidType) {
		t.Errorf("repeated: %v", err)
	}
	if got, err := target.Collections(&protocol.Request{Index: "i", Collection: "c"}); err != nil || !slices.Equal(got, []storage.Collection{ic}) {
		t.Errorf("without targets: %v %v", got, err)
	}
}
