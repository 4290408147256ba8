package query

import (
	"math"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// PhraseSuggester asks for texts that are likelier than a text, with some of its words replaced by terms near to them.
type PhraseSuggester struct {
	// Generators find the terms; without any that is UsualGenerator.
	Generators []CandidateGenerator
	// Grams is how many words that follow each other are counted together; 0 is as many as the analyzer joins.
	Grams int
	// Unigrams leaves out words that the analyzer joins.
	Unigrams bool
	// RealWord is how likely a word that was written is meant.
	RealWord float32
	// Confidence is how much likelier than the text an option must be: times its score; all are shown at 0.
	Confidence float32
	// MaxErrors is how many words may be replaced: a share of them below 1, a number from 1 on.
	MaxErrors float32
	// TokenLimit is with how many words a text has no options.
	TokenLimit int
	// Separator stands between the words of a term of several.
	Separator string
	// PreTag and PostTag surround what was replaced in the highlighted text of an option; nil when none is wanted.
	PreTag, PostTag *string
	Smoothing       Smoothing
}

// CandidateGenerator finds terms of a field that are near to words.
type CandidateGenerator struct {
	Field string
	// Size is how many are found for each word.
	Size  int
	Terms *TermSuggester
}

// Smoothing says what words count that never follow each other.
type Smoothing struct {
	Model SmoothingModel
	// Discount is that of StupidBackoff, Alpha that of Laplace.
	Discount, Alpha float64
	// Trigram, Bigram and Unigram are what three, two and one word weigh of Linear. Together they are 1.
	Trigram, Bigram, Unigram float64
}

// SmoothingModel is a kind of smoothing.
type SmoothingModel uint8

// The models.
const (
	StupidBackoff SmoothingModel = iota // fewer words count, at a discount
	Laplace                             // everything was seen alpha times more
	Linear                              // three, two and one word are added
)

const (
	// maxGenerators is how many generators a suggestion may have.
	maxGenerators = 16
	// lambdaSlack is how far the weights of Linear may be from 1 together, as in Elasticsearch.
	lambdaSlack = 0.001
)

func newPhraseSuggester() *PhraseSuggester {
	return &PhraseSuggester{
		Unigrams: true, RealWord: 0.95, Confidence: 1, MaxErrors: 0.5, TokenLimit: 10, Separator: " ", Smoothing: Smoothing{Discount: 0.4},
	}
}

func (p *PhraseSuggester) option(m *node) error {
	switch m.name {
	case "gram_size":
		return m.setInt(&p.Grams, 1)
	case "real_word_error_likelihood":
		return m.setPositive(&p.RealWord)
	case "confidence":
		var f float64
		err := m.setNotNegative(&f)
		p.Confidence = float32(f)
		return err
	case "max_errors":
		return m.setPositive(&p.MaxErrors)
	case "token_limit":
		return m.setInt(&p.TokenLimit, 1)
	case "separator":
		return m.setScalarText(&p.Separator)
	case "force_unigrams":
		return m.setBool(&p.Unigrams)
	case "highlight":
		return p.setHighlight(m)
	case "direct_generator":
		return p.setGenerators(m)
	case "smoothing":
		return p.Smoothing.set(m)
	case "collate":
		return kerror.ServicesStorageInvalidQueryKeyword.New(m.name) // its query is a script
	}
	return m.unknownOption()
}

// setPositive takes a number above 0.
func (n *node) setPositive(to *float32) error {
	var f float64
	if err := n.setFloat(&f); err != nil {
		return err
	}
	if *to = float32(f); *to <= 0 {
		return n.fail("expected a number above 0")
	}
	return nil
}

func (p *PhraseSuggester) setHighlight(n *node) error {
	if err := n.wantObject(); err != nil {
		return err
	}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "pre_tag":
			p.PreTag, err = m.scalarText()
		case "post_tag":
			p.PostTag, err = m.scalarText()
		default:
			err = m.unknownOption()
		}
		if err != nil {
			return err
		}
	}
	if (p.PreTag == nil) != (p.PostTag == nil) {
		return n.fail("expected both pre_tag and post_tag, or none")
	}
	return nil
}

func (p *PhraseSuggester) setGenerators(n *node) error {
	if n.kind() != '[' {
		return n.fail("expected a list")
	}
	if len(n.children) > maxGenerators {
		return n.fail("more than %d generators", maxGenerators)
	}
	for _, m := range n.children {
		g := UsualGenerator("")
		if err := g.set(m); err != nil {
			return err
		}
		p.Generators = append(p.Generators, g)
	}
	return nil
}

func (g *CandidateGenerator) set(n *node) error {
	if err := n.wantObject(); err != nil {
		return err
	}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "field":
			err = m.setText(&g.Field)
		case "size":
			err = m.setOptionCount(&g.Size)
		case "pre_filter", "post_filter":
			err = m.unsupported()
		default:
			err = g.Terms.option(m)
		}
		if err != nil {
			return err
		}
	}
	if g.Field == "" {
		return n.fail("expected a field")
	}
	return nil
}

// UsualGenerator is the generator of a field that says nothing else.
func UsualGenerator(field string) CandidateGenerator {
	return CandidateGenerator{Field: field, Size: usualOptions, Terms: newTermSuggester()}
}

func (s *Smoothing) set(n *node) error {
	if n.empty() {
		return nil
	}
	how, err := n.only("a model")
	if err != nil {
		return err
	}
	if err := how.wantObject(); err != nil {
		return err
	}
	switch how.name {
	case "stupid_backoff":
		return s.options(how, map[string]*float64{"discount": &s.Discount})
	case "laplace":
		s.Model, s.Alpha = Laplace, 0.5
		return s.options(how, map[string]*float64{"alpha": &s.Alpha})
	case "linear":
		s.Model = Linear
		err := s.options(how, map[string]*float64{"trigram_lambda": &s.Trigram, "bigram_lambda": &s.Bigram, "unigram_lambda": &s.Unigram})
		if err == nil && math.Abs(s.Trigram+s.Bigram+s.Unigram-1) > lambdaSlack {
			return how.fail("expected trigram_lambda, bigram_lambda and unigram_lambda that are 1 together")
		}
		return err
	}
	return how.fail("expected one of stupid_backoff, laplace, linear")
}

func (*Smoothing) options(n *node, known map[string]*float64) error {
	for _, m := range n.children {
		to := known[m.name]
		if to == nil {
			return m.unknownOption()
		}
		if err := m.setNotNegative(to); err != nil {
			return err
		}
	}
	return nil
}
