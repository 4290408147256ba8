package analysis

// Normalize gives a part of a word, such as its beginning, as the words of the analyzer are written: text itself or memory of its own.
// Nothing is taken apart or left out, and no ending is cut off. It means nothing when b is used up then.
func (a *Analyzer) Normalize(b *Budget, text []byte) []byte {
	n := Normalizer{filters: a.normalizing()}
	if a.custom != nil {
		n.chars = a.custom.normalChars
	}
	return n.Apply(b, text)
}

func (a *Analyzer) normalizing() []filter {
	switch {
	case a.custom != nil:
		return a.custom.normal
	case a.normal == nil && len(a.filters) > 0:
		return []filter{lowercase}
	}
	return a.normal
}

// normalizedBy sets what normalizes the words of a language, where that is more than lowercase.
func (a *Analyzer) normalizedBy(filters ...filter) *Analyzer {
	a.normal = filters
	return a
}
