package storagetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// testMapping: what a mapping lets in, and how it grows. What mappings say is tested in core/storage/mapping.
func testMapping(t *testing.T, open Open) {
	t.Run("Ensure", func(t *testing.T) { ensureMapping(t, setUp(t, open)) })
	t.Run("Documents", func(t *testing.T) { checkedDocuments(t, setUp(t, open)) })
	t.Run("Growth", func(t *testing.T) { growth(t, setUp(t, open)) })
	t.Run("Race", func(t *testing.T) { growthRace(t, setUp(t, open)) })
	t.Run("Analysis", func(t *testing.T) { analysis(t, setUp(t, open)) })
	t.Run("Strict", func(t *testing.T) { strictWhileWriting(t, setUp(t, open)) })
}

// ensure gives the collection a mapping.
func (f fixture) ensure(t *testing.T, mapping string) {
	t.Helper()
	wantErr(t, "Ensure with "+mapping, f.Ensure(t.Context(), f.c, storage.Spec{Mapping: jsontext.Value(mapping)}), nil)
}

func (f fixture) wantMapping(t *testing.T, what, want string) {
	t.Helper()
	spec, err := f.Describe(t.Context(), f.c)
	wantErr(t, "Describe", err, nil)
	if !sameJSON(spec.Mapping, jsontext.Value(want)) {
		t.Errorf("%s: mapping %s, want %s", what, spec.Mapping, want)
	}
}

func ensureMapping(t *testing.T, f fixture) {
	f.ensure(t, `{"properties":{"k":{"type":"keyword"}}}`)
	f.wantMapping(t, "first", `{"dynamic":"false","properties":{"k":{"type":"keyword"}}}`)
	f.ensure(t, `{"dynamic":"strict","_meta":{"a":1,"b":2},"properties":{"n":{"type":"long"}}}`)
	want := `{"dynamic":"strict","_meta":{"a":1,"b":2},"properties":{"k":{"type":"keyword"},"n":{"type":"long"}}}`
	f.wantMapping(t, "merged", want)
	f.ensure(t, want)
	f.wantMapping(t, "the same again", want)
	wantErr(t, "Ensure", f.Ensure(t.Context(), f.c, storage.Spec{Keywords: []string{"k"}, Settings: []byte(`{"refresh_interval":"5s"}`)}), nil)
	f.wantMapping(t, "without mapping", want)

	for _, c := range []struct {
		mapping string
		err     *kerror.Def
	}{
		{`{"properties":{"new":{"type":"keyword"},"n":{"type":"keyword"}}}`, kerror.ServicesStorageCannotChangeMapping},
		{`{"properties":{"n":{"properties":{"m":{"type":"long"}}}}}`, kerror.ServicesStorageCannotChangeMapping},
		{`{"dinamic":"true"}`, kerror.ServicesStorageInvalidMapping},
		{`{"dynamic":"maybe"}`, kerror.ServicesStorageInvalidMapping},
		{`{"properties":{"new":{"type":"keywerd"}}}`, kerror.ServicesStorageInvalidMappingType},
	} {
		spec := storage.Spec{Mapping: jsontext.Value(c.mapping), Keywords: []string{"new"}, Settings: []byte(`{"refresh_interval":"6s"}`)}
		wantErr(t, "Ensure with "+c.mapping, f.Ensure(t.Context(), f.c, spec), c.err)
		if c.err != kerror.ServicesStorageCannotChangeMapping {
			wantErr(t, "Ensure of a new collection", f.Ensure(t.Context(), f.sibling("new"), spec), c.err)
			_, err := f.Describe(t.Context(), f.sibling("new"))
			wantErr(t, "Describe", err, kerror.ServicesStorageUnknownCollection)
		}
	}
	spec, err := f.Describe(t.Context(), f.c)
	wantErr(t, "Describe", err, nil)
	sameSpec(t, "after refusals", spec, storage.Spec{Keywords: []string{"k"}, Mapping: []byte(want), Settings: []byte(`{"refresh_interval":"5s"}`)})

	wantErr(t, "Truncate", f.Truncate(t.Context(), f.c), nil)
	f.wantMapping(t, "after Truncate", want)
	_, _, err = f.Put(t.Context(), f.c, "a", []byte(`{"x":1}`), storage.WriteOptions{})
	wantErr(t, "Put after Truncate", err, kerror.ServicesStorageStrictMappingRejection)
}

// analysis: mappings use what the settings of their collection define, and no other collection's.
func analysis(t *testing.T, f fixture) {
	const settings = `{"analysis":{"analyzer":{"mine":{"tokenizer":"whitespace","filter":["uppercase"]}},"normalizer":{"up":{"filter":["uppercase"]}}}}`
	const mapping = `{"dynamic":"false","properties":{"k":{"type":"keyword","normalizer":"up"},"t":{"type":"text","analyzer":"mine"}}}`
	c := f.sibling("analysed")
	wantErr(t, "Ensure without settings", f.Ensure(t.Context(), c, storage.Spec{Mapping: []byte(mapping)}), kerror.ServicesStorageInvalidMappingArgument)
	for _, bad := range []string{
		`{"analysis":{"analyzer":{"mine":{"tokenizer":"nope"}}}}`, `{"index":{"analysis":{"filter":{"x":{"type":"nope"}}}}}`, `{"analysis":3}`,
	} {
		spec := storage.Spec{Mapping: []byte(mapping), Settings: []byte(bad)}
		wantErr(t, "Ensure with "+bad, f.Ensure(t.Context(), c, spec), kerror.ServicesStorageUnexpectedBadRequest)
		spec.Mapping = nil
		wantErr(t, "Ensure with "+bad, f.Ensure(t.Context(), f.c, spec), kerror.ServicesStorageUnexpectedBadRequest)
	}
	spec := storage.Spec{Mapping: []byte(mapping), Settings: []byte(settings)}
	wantErr(t, "Ensure", f.Ensure(t.Context(), c, spec), nil)
	wantErr(t, "Ensure again", f.Ensure(t.Context(), c, spec), nil)
	added := `{"properties":{"more":{"type":"text","analyzer":"mine"}}}`
	wantErr(t, "Ensure with another field", f.Ensure(t.Context(), c, storage.Spec{Mapping: []byte(added)}), nil)
	wantErr(t, "Ensure of another collection", f.Ensure(t.Context(), f.c, storage.Spec{Mapping: []byte(added)}), kerror.ServicesStorageInvalidMappingArgument)

	_, _, err := f.Put(t.Context(), c, "a", []byte(`{"k":"red","t":"quick-brown fox","more":"dog"}`), storage.WriteOptions{Refresh: storage.RefreshWaitFor})
	wantErr(t, "Put", err, nil)
	wantErr(t, "Ensure without what fields use", f.Ensure(t.Context(), c, storage.Spec{Settings: []byte(`{"refresh_interval":"5s"}`)}), kerror.ServicesStorageInvalidMappingArgument)
	more := storage.Spec{
		Settings: []byte(`{"analysis.analyzer.mine.tokenizer":"whitespace","analysis.analyzer.mine.filter":["uppercase"],"refresh_interval":"5s",
			"analysis.normalizer.up.filter":["uppercase"],"analysis.analyzer.late.tokenizer":"keyword"}`),
		Mapping: []byte(`{"properties":{"late":{"type":"text","analyzer":"late"}}}`),
	}
	wantErr(t, "Ensure with dots and one more", f.Ensure(t.Context(), c, more), nil)
	wantErr(t, "Ensure with dots again", f.Ensure(t.Context(), c, more), nil)
	_, _, err = f.Put(t.Context(), c, "b", []byte(`{"late":"as it is"}`), storage.WriteOptions{Refresh: storage.RefreshWaitFor})
	wantErr(t, "Put", err, nil)
	for query, want := range map[string]int{
		`{"term":{"late":"as it is"}}`: 1,
		`{"term":{"k":"Red"}}`:         1, `{"term":{"t":"QUICK-BROWN"}}`: 1, `{"match":{"t":"quick-brown"}}`: 1, `{"match":{"t":"quick"}}`: 0, `{"term":{"more":"DOG"}}`: 1,
	} {
		if n, err := f.Count(t.Context(), []storage.Collection{c}, jsontext.Value(query)); err != nil || n != want {
			t.Errorf("Count of %s: %d, %v; want %d", query, n, err, want)
		}
	}
}

// checkedDocuments: every method checks the whole document, and a refusal changes nothing.
func checkedDocuments(t *testing.T, f fixture) {
	f.ensure(t, `{"dynamic":"strict","properties":{"n":{"type":"integer"},"o":{"dynamic":"false","properties":{"d":{"type":"date"}}}}}`)
	const good = `{"n":1,"o":{"d":"2020-01-01","free":{"x":1}}}`
	f.put(t, "there", good)
	for source, def := range map[string]*kerror.Def{
		`{"x":1}`:                     kerror.ServicesStorageStrictMappingRejection,
		`{"n":1,"x":{"y":2}}`:         kerror.ServicesStorageStrictMappingRejection,
		`{"n":"no number"}`:           kerror.ServicesStorageUnexpectedBadRequest,
		`{"n":{"m":1}}`:               kerror.ServicesStorageUnexpectedBadRequest,
		`{"n":99999999999}`:           kerror.ServicesStorageUnexpectedBadRequest,
		`{"o":{"d":"tomorrow, say"}}`: kerror.ServicesStorageUnexpectedBadRequest,
	} {
		for _, id := range []string{"there", "new"} {
			for _, m := range append(sourceCalls(jsontext.Value(source), id), opCalls(jsontext.Value(source), id)...) {
				want := def
				switch {
				case id == "there" && strings.HasSuffix(m.name, "Create"):
					want = kerror.ServicesStorageDocumentAlreadyExists
				case id == "new" && (strings.HasSuffix(m.name, "Replace") || strings.HasSuffix(m.name, "Update")):
					want = kerror.ServicesStorageNotFound
				case strings.HasPrefix(m.name, "OpUpsert") && (id == "there") != strings.HasSuffix(m.name, "its change"):
					continue // it writes the other object
				}
				wantErr(t, m.name+" of "+source+" to "+id, m.do(t.Context(), f, f.c), want)
			}
		}
	}
	sameIDs(t, "Scan", f.scan(t, ""), "there")
	doc, err := f.Get(t.Context(), f.c, "there")
	wantErr(t, "Get", err, nil)
	wantDocument(t, "Get", doc, "there", 1, good)
	results := f.write(t,
		storage.Op{Kind: storage.OpPut, ID: "a", Source: []byte(`{"n":1}`)},
		storage.Op{Kind: storage.OpPut, ID: "a", Source: []byte(`{"x":1}`)},
		storage.Op{Kind: storage.OpUpdate, ID: "a", Source: []byte(`{"n":2}`)},
	)
	wantErr(t, "second op", results[1].Err, kerror.ServicesStorageStrictMappingRejection)
	wantDocument(t, "third op", results[2].Document, "a", 2, `{"n":2}`)
}

// growth: new fields of documents are in the mapping, and hold later documents to it.
func growth(t *testing.T, f fixture) {
	f.ensure(t, `{"dynamic":"true","properties":{}}`)
	f.put(t, "a", `{"n":1,"o":{"b":true}}`)
	const first = `"n":{"type":"long"},"o":{"properties":{"b":{"type":"boolean"}}}`
	f.wantMapping(t, "after Put", `{"dynamic":"true","properties":{`+first+`}}`)
	_, _, err := f.Put(t.Context(), f.c, "b", []byte(`{"new":1,"n":"text"}`), storage.WriteOptions{})
	wantErr(t, "Put", err, kerror.ServicesStorageUnexpectedBadRequest)
	_, err = f.Update(t.Context(), f.c, "a", []byte(`{"new":1,"o":{"b":"text"}}`), storage.UpdateOptions{})
	wantErr(t, "Update", err, kerror.ServicesStorageUnexpectedBadRequest)
	_, err = f.Create(t.Context(), f.c, "a", []byte(`{"new":1}`), storage.WriteOptions{})
	wantErr(t, "Create", err, kerror.ServicesStorageDocumentAlreadyExists)
	_, _, err = f.Put(t.Context(), f.c, "a", []byte(`{"new":1}`), storage.WriteOptions{IfVersion: 7})
	wantErr(t, "Put with IfVersion", err, kerror.ServicesStorageTooManyChanges)
	f.wantMapping(t, "after refusals", `{"dynamic":"true","properties":{`+first+`}}`)

	results := f.write(t,
		storage.Op{Kind: storage.OpPut, ID: "c", Source: []byte(`{"f":1.5}`)},
		storage.Op{Kind: storage.OpPut, ID: "d", Source: []byte(`{"f":{"g":1}}`)},
		storage.Op{Kind: storage.OpPut, ID: "e", Source: []byte(`{"no":1,"f":"text"}`)},
		storage.Op{Kind: storage.OpUpdate, ID: "a", Source: []byte(`{"o":{"c":1}}`)},
		storage.Op{Kind: storage.OpUpsert, ID: "g", Source: []byte(`{"no":1}`), Default: []byte(`{"h":false}`)},
	)
	for i, def := range []*kerror.Def{nil, kerror.ServicesStorageUnexpectedBadRequest, kerror.ServicesStorageUnexpectedBadRequest, nil, nil} {
		wantErr(t, fmt.Sprint("op ", i), results[i].Err, def)
	}
	want := `{"dynamic":"true","properties":{"n":{"type":"long"},"o":{"properties":{"b":{"type":"boolean"},"c":{"type":"long"}}},` +
		`"f":{"type":"float"},"h":{"type":"boolean"}}}`
	f.wantMapping(t, "after Write", want)
	err = f.Ensure(t.Context(), f.c, storage.Spec{Mapping: []byte(`{"properties":{"f":{"type":"keyword"}}}`)})
	wantErr(t, "Ensure against a field that a document added", err, kerror.ServicesStorageCannotChangeMapping)
	wantErr(t, "Delete", f.Delete(t.Context(), f.c, "a", storage.WriteOptions{}), nil)
	wantErr(t, "Truncate", f.Truncate(t.Context(), f.c), nil)
	f.wantMapping(t, "after Truncate", want)
	f.ensure(t, `{"dynamic":"strict"}`)
	f.put(t, "i", `{"n":1,"h":true}`)
	_, _, err = f.Put(t.Context(), f.c, "j", []byte(`{"x":1}`), storage.WriteOptions{})
	wantErr(t, "Put", err, kerror.ServicesStorageStrictMappingRejection)
}

// growthRace: of two types for the same new field one wins, and the other is refused. Some write one by one, some in bulk.
func growthRace(t *testing.T, f fixture) {
	f.ensure(t, `{"dynamic":"true"}`)
	forms := []string{`{"f%d":%d}`, `{"f%d":{"x":%d}}`}
	wins := make([][rounds]bool, workers)
	together(workers, func(w int) {
		for i := range rounds {
			source := fmt.Appendf(nil, forms[w%2], i, w)
			op := storage.Op{Kind: storage.OpPut, ID: fmt.Sprint(w, "-", i), Source: source}
			var err error
			if w < workers/2 {
				_, _, err = f.Put(t.Context(), f.c, op.ID, source, storage.WriteOptions{})
			} else {
				err = f.write(t, op)[0].Err
			}
			if wins[w][i] = err == nil; err != nil {
				wantErr(t, "Put", err, kerror.ServicesStorageUnexpectedBadRequest)
			}
		}
	})
	spec, err := f.Describe(t.Context(), f.c)
	wantErr(t, "Describe", err, nil)
	all, _ := membersOf(spec.Mapping)
	properties, _ := membersOf(all["properties"])
	for i := range rounds {
		winner := 0
		if strings.Contains(string(properties[fmt.Sprint("f", i)]), "properties") {
			winner = 1
		}
		for w := range workers {
			if wins[w][i] != (w%2 == winner) {
				t.Errorf("field %d became %s: worker %d of form %d got through: %v", i, properties[fmt.Sprint("f", i)], w, w%2, wins[w][i])
			}
		}
	}
}

// strictWhileWriting: once Ensure has made the mapping strict no document adds a field, and those before have added theirs.
func strictWhileWriting(t *testing.T, f fixture) {
	f.ensure(t, `{"dynamic":"true"}`)
	together(workers, func(w int) {
		if w == 0 {
			f.ensure(t, `{"dynamic":"strict"}`)
			return
		}
		for i := range rounds {
			_, _, err := f.Put(t.Context(), f.c, fmt.Sprint(w, "-", i), fmt.Appendf(nil, `{"w%d-%d":1}`, w, i), storage.WriteOptions{})
			if err != nil {
				wantErr(t, "Put", err, kerror.ServicesStorageStrictMappingRejection)
			}
		}
	})
	spec, err := f.Describe(t.Context(), f.c)
	wantErr(t, "Describe", err, nil)
	all, _ := membersOf(spec.Mapping)
	properties, _ := membersOf(all["properties"])
	if string(all["dynamic"]) != `"strict"` {
		t.Errorf("the mapping is %s", all["dynamic"])
	}
	for _, id := range f.scan(t, "") {
		if properties["w"+id] == nil { // an engine may also keep the field of a document that was refused in the race
			t.Errorf("the field of document %s is not in the mapping", id)
		}
	}
}
