package storagetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// testCollections: making, listing and dropping.
func testCollections(t *testing.T, open Open) {
	t.Run("Ensure", func(t *testing.T) { ensure(t, setUp(t, open, "k")) })
	t.Run("Names", func(t *testing.T) { names(t, setUp(t, open)) })
	t.Run("List", func(t *testing.T) { list(t, setUp(t, open)) })
	t.Run("Drop", func(t *testing.T) { drop(t, setUp(t, open, "k")) })
	t.Run("Truncate", func(t *testing.T) { truncate(t, setUp(t, open, "k")) })
	t.Run("Describe", func(t *testing.T) { describe(t, setUp(t, open, "k")) })
}

func ensure(t *testing.T, f fixture) {
	ctx := t.Context()
	f.put(t, "a", `{"k":"x","l":["y","z"],"m":"w"}`)
	f.put(t, "b", `{"l":"y"}`)
	wantErr(t, "same Ensure", f.Ensure(ctx, f.c, storage.Spec{Keywords: []string{"k"}}), nil)
	sameIDs(t, "k=x", f.find(t, "k", "x"), "a")
	_, err := f.Find(ctx, f.c, "l", "y", 1)
	wantErr(t, "Find before Ensure", err, kerror.ServicesStorageInvalidArgument)

	wantErr(t, "Ensure", f.Ensure(ctx, f.c, storage.Spec{Keywords: []string{"l", "m", "l"}}), nil)
	sameIDs(t, "l=y", f.find(t, "l", "y"), "a", "b")
	sameIDs(t, "m=w", f.find(t, "m", "w"), "a")
	sameIDs(t, "k=x", f.find(t, "k", "x"), "a")
	f.put(t, "a", `{"l":"z"}`)
	sameIDs(t, "l=y after Put", f.find(t, "l", "y"), "b")
	sameIDs(t, "l=z after Put", f.find(t, "l", "z"), "a")

	wantErr(t, "Ensure without keywords", f.Ensure(ctx, f.c, storage.Spec{}), nil)
	sameIDs(t, "l=z", f.find(t, "l", "z"), "a")
	sameIDs(t, "Scan", f.scan(t, ""), "a", "b")
}

func names(t *testing.T, f fixture) {
	for _, bad := range []string{"", "Upper", "a b", "a/b", "a,b", "a*", "a?", "_all", "a.b", "a%b", strings.Repeat("n", 127)} {
		c := f.c
		c.Index = bad
		wantErr(t, "Ensure in index "+bad, f.Ensure(t.Context(), c, storage.Spec{}), kerror.ServicesStorageInvalidIndexName)
		wantErr(t, "Ensure of "+bad, f.Ensure(t.Context(), f.sibling(bad), storage.Spec{}), kerror.ServicesStorageInvalidCollectionName)
		_, err := f.Get(t.Context(), f.sibling(bad), "a")
		wantErr(t, "Get from "+bad, err, kerror.ServicesStorageUnknownCollection)
	}
	for _, good := range []string{"a", "a-b_c", "é", "0", "_x"} {
		wantErr(t, "Ensure of "+good, f.Ensure(t.Context(), f.sibling(good), storage.Spec{}), nil)
		wantErr(t, "Drop of "+good, f.Drop(t.Context(), f.sibling(good)), nil)
	}
}

func list(t *testing.T, f fixture) {
	ctx := t.Context()
	want := []storage.Collection{f.sibling("a"), f.sibling("a-b"), f.sibling("b"), f.c}
	longer := storage.Collection{Scope: f.c.Scope, Index: f.c.Index + "-longer", Name: "a"}
	for _, c := range append([]storage.Collection{longer}, want[:3]...) {
		wantErr(t, "Ensure", f.Ensure(ctx, c, storage.Spec{}), nil)
	}
	internal := storage.Collection{Scope: storage.Internal, Index: f.c.Index, Name: "hidden"}
	wantErr(t, "Ensure", f.Ensure(ctx, internal, storage.Spec{}), nil)

	own := func(s storage.Scope) []storage.Collection {
		all, err := f.List(ctx, s)
		wantErr(t, "List", err, nil)
		return slices.DeleteFunc(all, func(c storage.Collection) bool { return !strings.HasPrefix(c.Index, f.c.Index) })
	}
	if got := own(storage.Public); !slices.Equal(got, append(want, longer)) {
		t.Errorf("List gave %v, want %v", got, append(want, longer))
	}
	if got := own(storage.Internal); !slices.Equal(got, []storage.Collection{internal}) {
		t.Errorf("List of the internal scope gave %v", got)
	}
}

func drop(t *testing.T, f fixture) {
	ctx := t.Context()
	wantErr(t, "Ensure", f.Ensure(ctx, f.sibling("other"), storage.Spec{Keywords: []string{"k"}}), nil)
	_, _, err := f.Put(ctx, f.sibling("other"), "a", []byte(`{"k":"x"}`), storage.WriteOptions{})
	wantErr(t, "Put", err, nil)
	f.put(t, "a", `{"k":"x"}`)

	wantErr(t, "Drop", f.Drop(ctx, f.c), nil)
	_, err = f.Get(ctx, f.c, "a")
	wantErr(t, "Get after Drop", err, kerror.ServicesStorageUnknownCollection)
	wantErr(t, "second Drop", f.Drop(ctx, f.c), kerror.ServicesStorageUnknownCollection)
	wantErr(t, "Ensure", f.Ensure(ctx, f.c, storage.Spec{}), nil)
	sameIDs(t, "Scan of the collection made again", f.scan(t, ""))
	_, err = f.Find(ctx, f.c, "k", "x", 1)
	wantErr(t, "Find by a keyword from before", err, kerror.ServicesStorageInvalidArgument)
	other := fixture{f.Engine, f.sibling("other")}
	sameIDs(t, "Find in the other collection", other.find(t, "k", "x"), "a")

	wantErr(t, "Drop", f.Drop(ctx, f.c), nil)
	wantErr(t, "Drop", f.Drop(ctx, other.c), nil)
	_, err = f.Get(ctx, f.c, "a")
	wantErr(t, "Get from an index whose last collection was dropped", err, kerror.ServicesStorageUnknownCollection)
	wantErr(t, "Drop in an unknown index", f.Drop(ctx, f.c), kerror.ServicesStorageUnknownCollection)
}

func truncate(t *testing.T, f fixture) {
	ctx := t.Context()
	wantErr(t, "Ensure", f.Ensure(ctx, f.c, storage.Spec{Settings: []byte(`{"refresh_interval":"5s"}`)}), nil)
	before, err := f.Describe(ctx, f.c)
	wantErr(t, "Describe", err, nil)
	other := fixture{f.Engine, f.sibling("other")}
	wantErr(t, "Ensure", f.Ensure(ctx, other.c, storage.Spec{}), nil)
	other.put(t, "a", `{}`)
	for _, id := range []string{"a", "b", "c"} {
		f.put(t, id, `{"k":"x"}`)
	}
	wantErr(t, "Delete", f.Delete(ctx, f.c, "c", storage.WriteOptions{}), nil)

	wantErr(t, "Truncate", f.Truncate(ctx, f.c), nil)
	sameIDs(t, "Scan", f.scan(t, ""))
	sameIDs(t, "Find", f.find(t, "k", "x"))
	_, err = f.Get(ctx, f.c, "a")
	wantErr(t, "Get", err, kerror.ServicesStorageNotFound)
	after, err := f.Describe(ctx, f.c)
	wantErr(t, "Describe", err, nil)
	sameSpec(t, "Describe after Truncate", after, before)
	sameIDs(t, "Scan of the other collection", other.scan(t, ""), "a")

	wantDocument(t, "Put", f.put(t, "a", `{"k":"y"}`), "a", 1, `{"k":"y"}`)
	wantDocument(t, "Put of what was deleted", f.put(t, "c", `{"k":"y"}`), "c", 1, `{"k":"y"}`)
	sameIDs(t, "Find", f.find(t, "k", "y"), "a", "c")
	wantErr(t, "second Truncate", f.Truncate(ctx, f.c), nil)
	sameIDs(t, "Scan", f.scan(t, ""))
	wantErr(t, "Truncate of an empty collection", f.Truncate(ctx, f.c), nil)
}

// describe: what was given to Ensure comes back.
func describe(t *testing.T, f fixture) {
	const none = `{"dynamic":"false","properties":{}}`
	check := func(what string, want storage.Spec) {
		t.Helper()
		spec, err := f.Describe(t.Context(), f.c)
		wantErr(t, "Describe", err, nil)
		sameSpec(t, what, spec, want)
	}
	check("no mapping", storage.Spec{Keywords: []string{"k"}, Mapping: []byte(none)})
	settings := jsontext.Value(`{"analysis":{"analyzer":{}}}`)
	wantErr(t, "Ensure", f.Ensure(t.Context(), f.c, storage.Spec{Keywords: []string{"l", "k"}, Settings: settings}), nil)
	want := storage.Spec{Keywords: []string{"k", "l"}, Mapping: []byte(none), Settings: settings.Clone()}
	copy(settings, "          ")
	check("settings", want)
	wantErr(t, "Ensure of nothing", f.Ensure(t.Context(), f.c, storage.Spec{}), nil)
	check("settings stay", want)
	want.Settings = jsontext.Value(`{}`)
	wantErr(t, "Ensure", f.Ensure(t.Context(), f.c, storage.Spec{Settings: want.Settings}), nil)
	check("settings are replaced", want)
	for _, bad := range []string{"", "null", "[]", "{", `{"a":1,"a":1}`} {
		err := f.Ensure(t.Context(), f.c, storage.Spec{Settings: jsontext.Value(bad)})
		wantErr(t, "Ensure with the settings "+bad, err, kerror.ServicesStorageInvalidArgument)
	}
	check("refused settings", want)
}

func sameSpec(t *testing.T, what string, got, want storage.Spec) {
	t.Helper()
	if !slices.Equal(got.Keywords, want.Keywords) {
		t.Errorf("%s: keywords %q, want %q", what, got.Keywords, want.Keywords)
	}
	if !sameJSON(got.Mapping, want.Mapping) {
		t.Errorf("%s: mapping %s, want %s", what, got.Mapping, want.Mapping)
	}
	if len(got.Settings)+len(want.Settings) > 0 && !sameJSON(got.Settings, want.Settings) {
		t.Errorf("%s: settings %s, want %s", what, got.Settings, want.Settings)
	}
}
