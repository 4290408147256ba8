package validation

import (
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/koncorde"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/protocol"
)

// Validate says what is wrong with a document; id is "" when it has none yet. A document that is no JSON object fits nothing.
func (s *Specification) Validate(id string, document jsontext.Value) Outcome {
	if s == nil {
		return Outcome{}
	}
	w := &walk{now: s.now}
	w.level(s.root, document)
	if len(s.validators) == 0 {
		return w.outcome
	}
	doc, err := koncorde.NewDocument(id, document)
	if err != nil {
		w.document("the document cannot be read: " + err.Error())
		return w.outcome
	}
	for i, filter := range s.validators {
		if !filter.Match(doc) {
			w.document("the document does not match the filter " + strconv.Itoa(i) + " of the validators")
		}
	}
	return w.outcome
}

// walk goes through a document along the declared fields.
type walk struct {
	outcome Outcome
	path    []string
	now     func() time.Time
}

func (w *walk) document(reason string) {
	if len(w.outcome.Document) < maxFailures {
		w.outcome.Document = append(w.outcome.Document, reason)
	}
}

// fail notes what is wrong where the walk is.
func (w *walk) fail(reason string) {
	switch {
	case len(w.path) == 0:
		w.document(reason)
	case len(w.outcome.Fields) < maxFailures:
		w.outcome.Fields = append(w.outcome.Fields, FieldFailure{slices.Clone(w.path), reason})
	}
}

// level looks at the members of an object.
func (w *walk) level(l *fields, object jsontext.Value) {
	members, err := protocol.ParseArgs(object, "")
	if err != nil {
		w.fail("must be an object that can be read")
		return
	}
	seen := make([]bool, len(l.list))
	for _, member := range members.All() {
		i, declared := l.byName[member.Name]
		switch {
		case declared:
			seen[i] = true
			w.field(l.list[i], member.Value)
		case l.strict && (len(w.path) > 0 || member.Name != mapping.KuzzleInfo):
			w.fail("must not have the field \"" + shorten(member.Name) + "\", which is not declared")
		}
	}
	for i, f := range l.list {
		if !seen[i] && f.mandatory && f.absent == nil {
			w.field(f, nil)
		}
	}
}

// field looks at what a field holds, nil when it is absent.
func (w *walk) field(f *field, value jsontext.Value) {
	w.path = append(w.path, f.name)
	defer func() { w.path = w.path[:len(w.path)-1] }()
	switch {
	case value == nil || value.Kind() == 'n':
		if f.mandatory && f.absent == nil {
			w.fail("is mandatory")
		}
	case f.many != nil:
		w.values(f, value)
	case value.Kind() == '[' && !f.listed:
		w.fail("must hold one value, not an array")
	default:
		w.value(f, value, "")
	}
}

// values looks at the items of an array, until one does not fit.
func (w *walk) values(f *field, value jsontext.Value) {
	if value.Kind() != '[' {
		w.fail("must be an array")
		return
	}
	count, before := 0, len(w.outcome.Fields)
	err := eachItem(value, func(item jsontext.Value) bool {
		if len(w.outcome.Fields) == before {
			w.value(f, item, "value "+strconv.Itoa(count)+" ")
		}
		count++
		return true
	})
	switch {
	case err != nil:
		w.fail("must be an array")
	case count < f.many.least:
		w.fail("must hold at least " + strconv.Itoa(f.many.least) + " values")
	case count > f.many.most:
		w.fail("must hold at most " + strconv.Itoa(f.many.most) + " values")
	}
}

// value looks at one value; which stands before what is wrong with it.
func (w *walk) value(f *field, value jsontext.Value, which string) {
	if reason := f.check(value, w.now); reason != "" {
		w.fail(which + reason)
		return
	}
	if f.children != nil {
		w.level(f.children, value)
	}
}
