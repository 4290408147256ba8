package mapping

// Merge gives m with other in it, as Elasticsearch changes a mapping:
//
//   - New fields and sub-fields are added. Nothing is taken away.
//   - _meta is replaced when other has one, dynamic when other says so.
//   - A field that both have must keep its type and its fixed options (see options.go); the other options become those of other,
//     also where other leaves them at their default. norms can be switched off.
//   - An object cannot become nested, or the other way round, and cannot be enabled or disabled.
//
// The analyzers are those of m. It also checks aliases and copy_to of the result. Fails with services.storage.cannot_change_mapping,
// invalid_mapping_argument, or unexpected_bad_request when the result is too large.
func (m *Mapping) Merge(other *Mapping) (*Mapping, error) {
	root, err := mergeField(m.root, other.root)
	if err != nil {
		return nil, err
	}
	meta := m.meta
	if other.meta != nil {
		meta = other.meta
	}
	merged, err := build(root, meta, m.set)
	if err != nil {
		return nil, err
	}
	merged.index, merged.collection = m.index, m.collection
	return merged, merged.checkReferences()
}

// mergeField gives a new field.
func mergeField(a, b *Field) (*Field, error) {
	if a.Type != b.Type {
		return nil, conflict(b.Path)
	}
	if a.Type.object() {
		return mergeObject(a, b)
	}
	for _, o := range options {
		if !o.fixed || !o.types.has(a.Type) || o.get(a) == o.get(b) {
			continue
		}
		if o.name != "norms" || !a.Norms {
			return nil, conflict(b.Path, o.name)
		}
	}
	merged := b.clone()
	merged.subs = a.subs.clone()
	return merged, merged.subs.merge(&b.subs)
}

func mergeObject(a, b *Field) (*Field, error) {
	if b.saysEnabled && a.Disabled != b.Disabled {
		return nil, conflict(b.Path, "enabled")
	}
	merged := a.clone()
	if b.Dynamic != Inherit {
		merged.Dynamic = b.Dynamic
	}
	return merged, merged.children.merge(&b.children)
}

// merge adds copies of the fields of other to s.
func (s *fieldSet) merge(other *fieldSet) error {
	for _, f := range other.list {
		old := s.byName[f.Name]
		if old == nil {
			s.add(f.clone())
			continue
		}
		merged, err := mergeField(old, f)
		if err != nil {
			return err
		}
		s.replace(merged)
	}
	return nil
}
