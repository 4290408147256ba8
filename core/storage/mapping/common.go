package mapping

// Common is the mapping that every public collection begins with: the metadata of documents, and not dynamic.
func Common() *Mapping {
	keyword := func(name string) *Field { return &Field{Name: name, Type: Keyword, Options: defaults(Keyword)} }
	date := func(name string) *Field {
		return &Field{Name: name, Type: Date, Options: defaults(Date), format: defaultFormat()}
	}
	info := &Field{Name: KuzzleInfo, Type: Object}
	for _, f := range []*Field{keyword("author"), date("createdAt"), date("updatedAt"), keyword("updater")} {
		info.children.add(f)
	}
	root := &Field{Type: Object, Options: Options{Dynamic: Ignore}}
	root.children.add(info)
	m, err := build(root, nil, nil)
	if err != nil {
		panic(err) // a constant that the tests build
	}
	return m
}
