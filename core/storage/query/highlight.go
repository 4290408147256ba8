package query

import (
	"slices"
	"strings"
)

// Highlight says which fields of a hit are shown with the words that were found in them.
type Highlight struct {
	// Fields are in the order of the body. A field may match several; then the last one counts.
	Fields []HighlightField
	// HTML says that what is shown is escaped so that it can stand in HTML.
	HTML bool
}

// HighlightField is how fields are highlighted.
type HighlightField struct {
	Pattern string // a name that may hold * as a wildcard
	// Plain cuts a text where a fragment is long enough; else it is cut between sentences, or words with ByWord.
	Plain, ByWord bool
	Pre, Post     string
	// FragmentSize is about how many characters a fragment has; 0 is whole sentences.
	FragmentSize int
	// Fragments is how many fragments are shown at most; 0 shows whole values.
	Fragments int
	// NoMatchSize is about how many characters are shown of a field in which nothing was found.
	NoMatchSize int
	// ByScore shows the best fragments first, and not in the order of the text.
	ByScore bool
	// AnyField marks the words of the query whatever field they were looked for in.
	AnyField bool
	// Query takes the place of the query of the search unless it is nil.
	Query Query
	// MaxAnalyzed is how many characters of a value are looked at, 0 when a longer value than the engine can is an error.
	MaxAnalyzed int
}

// maxHighlights is how many patterns of fields may be highlighted.
const maxHighlights = 256

var plainHighlight = HighlightField{Pre: "<em>", Post: "</em>", FragmentSize: 100, Fragments: 5}

// parseHighlight reads the highlight of a body. Options of the whole hold for every field that does not say otherwise.
func (p *parser) parseHighlight(n *node) (*Highlight, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	if err := refuseScripts(n); err != nil {
		return nil, err
	}
	h := &Highlight{}
	common := plainHighlight
	if schema := n.get("tags_schema"); schema != nil { // explicit tags win
		if err := common.setSchema(schema); err != nil {
			return nil, err
		}
	}
	var fields *node
	for _, m := range n.children {
		var err error
		switch m.name {
		case "fields":
			fields = m
		case "tags_schema":
		case "encoder":
			var word string
			err = m.setWord(&word, "default", "html")
			h.HTML = word == "html"
		default:
			err = common.option(p, m)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := checkTags(n); err != nil || fields == nil {
		return h, err
	}
	return h, h.setFields(p, fields, common)
}

// setFields reads an object of fields, or a list of objects with one each.
func (h *Highlight) setFields(p *parser, n *node, common HighlightField) error {
	list := []*node{n}
	if n.kind() == '[' {
		list = n.children
	}
	for _, object := range list {
		if err := object.wantObject(); err != nil {
			return err
		}
		for _, m := range object.children {
			f, err := parseHighlightField(p, m, common)
			if err != nil {
				return err
			}
			h.Fields = append(h.Fields, f)
		}
	}
	if len(h.Fields) > maxHighlights {
		return n.fail("more than %d fields", maxHighlights)
	}
	return nil
}

func parseHighlightField(p *parser, n *node, f HighlightField) (HighlightField, error) {
	f.Pattern = n.name
	if err := n.wantObject(); err != nil {
		return f, err
	}
	for _, m := range n.children {
		if err := f.option(p, m); err != nil {
			return f, err
		}
	}
	return f, checkTags(n)
}

// checkTags refuses a beginning without an end.
func checkTags(n *node) error {
	if n.get("pre_tags") != nil && n.get("post_tags") == nil {
		return n.fail("pre_tags are set but post_tags are not set")
	}
	return nil
}

func (f *HighlightField) option(p *parser, m *node) (err error) {
	switch m.name {
	case "type":
		return f.setType(m)
	case "pre_tags":
		return m.setTag(&f.Pre)
	case "post_tags":
		return m.setTag(&f.Post)
	case "fragment_size":
		return m.setInt(&f.FragmentSize, 0)
	case "number_of_fragments":
		return m.setInt(&f.Fragments, 0)
	case "no_match_size":
		return m.setInt(&f.NoMatchSize, 0)
	case "max_analyzed_offset":
		return m.setInt(&f.MaxAnalyzed, 1)
	case "highlight_query":
		f.Query, err = p.query(m)
		return err
	case "force_source": // texts are always read from the document
		return m.setBool(new(bool))
	}
	return f.word(m)
}

// word reads the options that choose from words.
func (f *HighlightField) word(m *node) error {
	var word string
	switch m.name {
	case "order":
		err := m.setWord(&word, "score", "none")
		f.ByScore = word == "score"
		return err
	case "require_field_match":
		required := true
		err := m.setBool(&required)
		f.AnyField = !required
		return err
	case "boundary_scanner":
		err := m.setWord(&word, "sentence", "word")
		f.ByWord = word == "word"
		return err
	case "boundary_chars", "boundary_max_scan", "boundary_scanner_locale", "fragmenter", "fragment_offset", "matched_fields",
		"phrase_limit", "highlight_filter", "options":
		return m.unsupported()
	}
	return m.unknownOption()
}

func (f *HighlightField) setType(m *node) error {
	if strings.EqualFold(Text(m.raw), "fvh") {
		return m.fail("fvh needs fields with term vectors, which there are not: use unified")
	}
	var word string
	if err := m.setWord(&word, "unified", "plain"); err != nil {
		return err
	}
	f.Plain = word == "plain"
	return nil
}

// setSchema takes the tags of a schema, of which the first ones are used.
func (f *HighlightField) setSchema(m *node) error {
	var word string
	err := m.setWord(&word, "default", "styled")
	if word == "styled" {
		f.Pre = `<em class="hlt1">`
	}
	return err
}

// setTag takes the first of several texts.
func (n *node) setTag(to *string) error {
	var tags []string
	if err := n.setTexts(&tags); err != nil {
		return err
	}
	if len(tags) == 0 {
		return n.fail("expected at least one tag")
	}
	if slices.ContainsFunc(tags, func(tag string) bool { return len(tag) > maxTag }) {
		return n.fail("a tag is longer than %d bytes", maxTag)
	}
	*to = tags[0]
	return nil
}

// maxTag bounds what each word that was found adds to an answer.
const maxTag = 1024
