package protocol

import (
	"strings"
	"testing"
)

// Targets that are taken name collections one by one: none that an engine could read as several.
func FuzzTargets(f *testing.F) {
	for _, seed := range []string{
		`[{"index":"i","collections":["c","d"]}]`, `[{"index":"i","collections":["*"]}]`, `[{"index":"i","collections":["c,d"]}]`,
		`[{"index":"i"}]`, `[{"Index":"i","collections":["c"]}]`, `[{"index":"i","collections":["c"],"index":"j"}]`, `{"index":"i"}`, `[null]`, `"[]"`,
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, fromURL bool) {
		args := TextArgs()
		if fromURL {
			args.AddText("targets", text)
		} else {
			var err error
			if args, err = ParseArgs([]byte(`{"targets":`+text+`}`), ""); err != nil {
				return
			}
		}
		targets, err := args.Targets()
		if err != nil {
			return
		}
		for _, target := range targets {
			if len(target.Collections) == 0 {
				t.Errorf("%q names no collection", text)
			}
			for _, name := range append(target.Collections, target.Index) {
				if name == "" || strings.ContainsAny(name, ",*") {
					t.Errorf("%q names %q", text, name)
				}
			}
		}
	})
}
