package query

import "math"

// TermSuggester asks for terms of a field that are near to the words of a text.
type TermSuggester struct {
	// ByFrequency puts the options that most documents hold first, and not the nearest ones.
	ByFrequency bool
	Mode        SuggestMode
	// Accuracy is how near an option must be at least, from 0 to 1.
	Accuracy float32
	Edits    int // 1 or 2
	// PrefixLength is how many characters at the beginning must be the same, and MinLength how many a word must have.
	PrefixLength, MinLength int
	// Inspections is how many terms are looked at for each option.
	Inspections int
	// MinDocuments is how many documents must hold an option, and MaxDocuments how many may hold a word: a share of all documents
	// below 1, a number from 1 on.
	MinDocuments, MaxDocuments float32
	// Distance names how nearness is measured.
	Distance string
}

// SuggestMode says for which words there are options.
type SuggestMode uint8

// The modes.
const (
	SuggestMissing SuggestMode = iota // those that the field does not have
	SuggestPopular                    // all, of terms that more documents hold
	SuggestAlways                     // all
)

var (
	suggestModes = []string{"missing", "popular", "always"}
	// Distances are the ways to measure how near two words are.
	distances = []string{"internal", "damerau_levenshtein", "levenshtein", "jaro_winkler", "ngram"}
)

func newTermSuggester() *TermSuggester {
	return &TermSuggester{
		Accuracy: 0.5, Edits: 2, PrefixLength: 1, MinLength: 4, Inspections: 5, MaxDocuments: 0.01, Distance: "internal",
	}
}

func (t *TermSuggester) option(m *node) error {
	switch m.name {
	case "sort":
		var word string
		err := m.setWord(&word, "score", "frequency")
		t.ByFrequency = word == "frequency"
		return err
	case "suggest_mode":
		return m.setMode(&t.Mode)
	case "accuracy":
		return m.setShare(&t.Accuracy, 1)
	case "max_edits":
		return m.setEdits(&t.Edits)
	case "prefix_length":
		return m.setInt(&t.PrefixLength, 0)
	case "min_word_length":
		return m.setInt(&t.MinLength, 1)
	case "max_inspections":
		return m.setInt(&t.Inspections, 0)
	case "min_doc_freq":
		return m.setShare(&t.MinDocuments, math.MaxFloat32)
	case "max_term_freq":
		return m.setShare(&t.MaxDocuments, math.MaxFloat32)
	case "string_distance":
		return m.setWord(&t.Distance, distances...)
	}
	return m.unknownOption()
}

func (n *node) setMode(to *SuggestMode) error {
	var word string
	err := n.setWord(&word, suggestModes...)
	for i, mode := range suggestModes {
		if mode == word {
			*to = SuggestMode(i)
		}
	}
	return err
}

func (n *node) setEdits(to *int) error {
	if err := n.setInt(to, 1); err != nil {
		return err
	}
	if *to > 2 {
		return n.fail("expected 1 or 2")
	}
	return nil
}

// setShare takes a share of something, or a whole number of it from 1 on.
func (n *node) setShare(to *float32, most float64) error {
	var f float64
	if err := n.setFloat(&f); err != nil {
		return err
	}
	switch {
	case f < 0 || f > most:
		return n.fail("expected a number from 0 to %v", most)
	case f > 1 && f != math.Trunc(f):
		return n.fail("expected a share below 1, or a whole number")
	}
	*to = float32(f)
	return nil
}
