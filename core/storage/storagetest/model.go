package storagetest

import (
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// model is what one collection should hold, as naively as can be.
type model struct {
	exists   bool
	keywords []string
	docs     map[string]modelDoc
	// highest is the highest version each id ever had.
	highest map[string]int64
}

type modelDoc struct {
	version int64
	source  jsontext.Value
}

func (m *model) ensure(keywords []string) {
	if !m.exists {
		*m = model{exists: true, docs: map[string]modelDoc{}, highest: map[string]int64{}}
	}
	m.keywords = append(m.keywords, keywords...)
}

// write gives the error that a write must end with: how says whether the document must be there or must not be.
func (m *model) write(how, id string, ifVersion int64) *kerror.Def {
	doc, there := m.docs[id]
	switch {
	case !m.exists:
		return kerror.ServicesStorageUnknownCollection
	case how == "Create" && there:
		return kerror.ServicesStorageDocumentAlreadyExists
	case how != "Create" && how != "Put" && how != "Upsert" && !there:
		return kerror.ServicesStorageNotFound
	case ifVersion != 0 && (!there || doc.version != ifVersion):
		return kerror.ServicesStorageTooManyChanges
	}
	return nil
}

// store takes over what a write gave; it reports whether the version is one that may follow.
func (m *model) store(id string, version int64, source jsontext.Value) bool {
	old, there := m.docs[id]
	ok := there && version == old.version+1 || !there && version > m.highest[id]
	if m.highest[id] == 0 {
		ok = version == 1
	}
	m.docs[id], m.highest[id] = modelDoc{version, source}, version
	return ok
}

// truncate forgets all documents.
func (m *model) truncate() {
	m.docs, m.highest = map[string]modelDoc{}, map[string]int64{}
}

// find gives the ids of the documents whose field holds value.
func (m *model) find(field, value string) []string {
	var ids []string
	for _, id := range m.scan("") {
		members, err := membersOf(m.docs[id].source)
		if err != nil {
			panic(err) // the model's own sources are valid
		}
		list := []jsontext.Value{members[field]}
		if members[field].Kind() == '[' {
			if list, err = elementsOf(members[field]); err != nil {
				panic(err)
			}
		}
		if slices.ContainsFunc(list, func(v jsontext.Value) bool { return string(v) == quote(value) }) {
			ids = append(ids, id)
		}
	}
	return ids
}

// holding gives the ids of the documents whose field z is a number.
func (m *model) holding(z int) []string {
	var ids []string
	for _, id := range m.scan("") {
		members, err := membersOf(m.docs[id].source)
		if err != nil {
			panic(err)
		}
		if string(members["z"]) == strconv.Itoa(z) {
			ids = append(ids, id)
		}
	}
	return ids
}

// scan gives the ids behind after, in order.
func (m *model) scan(after string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(m.docs)) {
		if id > after {
			ids = append(ids, id)
		}
	}
	return ids
}

// address is the collection's error, nil when it exists.
func (m *model) address() *kerror.Def {
	if !m.exists {
		return kerror.ServicesStorageUnknownCollection
	}
	return nil
}

// mergeMaps is what Update means, written as the seam says it.
func mergeMaps(old, partial jsontext.Value) jsontext.Value {
	if old.Kind() != '{' || partial.Kind() != '{' {
		return partial
	}
	all, err := membersOf(old)
	if err != nil {
		panic(err)
	}
	over, err := membersOf(partial)
	if err != nil {
		panic(err)
	}
	for name, value := range over {
		all[name] = mergeMaps(all[name], value)
	}
	merged, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return merged
}

func quote(s string) string {
	b, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		panic(err)
	}
	return string(b)
}
