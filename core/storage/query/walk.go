package query

import "slices"

// Walk calls visit for q and the clauses in it, from the outside in. When visit returns false the clauses inside are
// passed over.
func Walk(q Query, visit func(Query) bool) {
	if q == nil || !visit(q) {
		return
	}
	switch q := q.(type) {
	case *Bool:
		for _, list := range [][]Query{q.Must, q.Filter, q.Should, q.MustNot} {
			for _, inner := range list {
				Walk(inner, visit)
			}
		}
	case *ConstantScore:
		Walk(q.Filter, visit)
	case *DisMax:
		for _, inner := range q.Queries {
			Walk(inner, visit)
		}
	case *FunctionScore:
		Walk(q.Query, visit)
		for _, f := range q.Functions {
			Walk(f.Filter, visit)
		}
	case *Boosting:
		Walk(q.Positive, visit)
		Walk(q.Negative, visit)
	case *Nested:
		Walk(q.Query, visit)
	case *Knn:
		for _, inner := range q.Filter {
			Walk(inner, visit)
		}
	case *Forgiving:
		Walk(q.Query, visit)
	}
}

// Fields gives the fields that q asks for, sorted, each once. They may hold wildcards where the clause allows them.
func Fields(q Query) []string {
	var fields []string
	Walk(q, func(q Query) bool {
		switch q := q.(type) {
		case *Term:
			fields = append(fields, q.Field)
		case *Terms:
			fields = append(fields, q.Field)
		case *Range:
			fields = append(fields, q.Field)
		case *Exists:
			fields = append(fields, q.Field)
		case *Prefix:
			fields = append(fields, q.Field)
		case *Wildcard:
			fields = append(fields, q.Field)
		case *Regexp:
			fields = append(fields, q.Field)
		case *FunctionScore:
			for _, f := range q.Functions {
				switch s := f.Score.(type) {
				case *FieldFactor:
					fields = append(fields, s.Field)
				case *RandomScore:
					if s.Field != "" {
						fields = append(fields, s.Field)
					}
				case *Decay:
					fields = append(fields, s.Field)
				}
			}
		case *Fuzzy:
			fields = append(fields, q.Field)
		case *TermsSet:
			fields = append(fields, q.Field)
			if q.MinimumField != "" {
				fields = append(fields, q.MinimumField)
			}
		case *MatchBoolPrefix:
			fields = append(fields, q.Field)
		case *Match:
			fields = append(fields, q.Field)
		case *MatchPhrase:
			fields = append(fields, q.Field)
		case *MatchPhrasePrefix:
			fields = append(fields, q.Field)
		case *MultiMatch:
			for _, f := range q.Fields {
				fields = append(fields, f.Pattern)
			}
		case *Knn:
			fields = append(fields, q.Field)
		case *QueryString:
			fields = q.fields(fields)
		case *SimpleQueryString:
			fields = q.fields(fields)
		case *GeoDistance:
			fields = append(fields, q.Field)
		case *GeoBoundingBox:
			fields = append(fields, q.Field)
		case *GeoPolygon:
			fields = append(fields, q.Field)
		case *GeoShape:
			fields = append(fields, q.Field)
		}
		return true
	})
	slices.Sort(fields)
	return slices.Compact(fields)
}

// NestedPaths gives the paths of the nested clauses in q, sorted, each once.
func NestedPaths(q Query) []string {
	var paths []string
	Walk(q, func(q Query) bool {
		if q, ok := q.(*Nested); ok {
			paths = append(paths, q.Path)
		}
		return true
	})
	slices.Sort(paths)
	return slices.Compact(paths)
}
