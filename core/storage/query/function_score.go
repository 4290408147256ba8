package query

import (
	"math"
	"slices"
)

// FunctionScore matches what Query does, and changes its scores by functions.
type FunctionScore struct {
	Common
	Query     Query
	Functions []Function
	// ScoreMode is how the functions that a document suits are combined: multiply, sum, avg, first, max or min. The result is at most
	// MaxBoost, and 1 for a document that suits none.
	ScoreMode string
	MaxBoost  float64
	// BoostMode is how the result and the score of the query are combined: multiply, replace, sum, avg, max or min.
	BoostMode string
	// MinScore leaves out what scores less; -Inf when the query does not say.
	MinScore float64
}

// Function is one function. It gives Weight times what Score gives, for the documents that Filter matches.
type Function struct {
	Filter Query // nil for all documents
	Weight float64
	Score  Score // nil for the weight alone
}

// Score is a *FieldFactor, a *RandomScore or a *Decay.
type Score interface{ score() }

// FieldFactor makes a score of the least value of a field.
type FieldFactor struct {
	Field  string
	Factor float64
	// Modifier is none, log, log1p, log2p, ln, ln1p, ln2p, square, sqrt or reciprocal.
	Modifier string
	// Missing counts where there is no value, NaN when the query does not say.
	Missing float64
}

// RandomScore is a number from 0 to 1 that hangs on Seed and the value of Field. Without Field each search gives other numbers.
type RandomScore struct {
	Seed, Field string
}

func (*FieldFactor) score() {}
func (*RandomScore) score() {}
func (*Decay) score()       {}

var modifiers = []string{"none", "log", "log1p", "log2p", "ln", "ln1p", "ln2p", "square", "sqrt", "reciprocal"}

func (p *parser) parseFunctionScore(n *node) (Query, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &FunctionScore{
		Common: plain, Query: &MatchAll{Common: plain}, ScoreMode: "multiply", BoostMode: "multiply",
		MaxBoost: math.MaxFloat32, MinScore: math.Inf(-1),
	}
	var single *node
	for _, m := range n.children {
		if m.name == "functions" || isFunction(m.name) {
			if single != nil {
				return nil, n.fail("found %q and %q: several functions stand in the list functions", single.name, m.name)
			}
			single = m
		}
		if err := p.functionScoreOption(q, m); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func (p *parser) functionScoreOption(q *FunctionScore, m *node) (err error) {
	switch m.name {
	case "query":
		q.Query, err = p.query(m)
	case "functions":
		err = p.setFunctions(q, m)
	case "score_mode":
		err = m.setWord(&q.ScoreMode, "multiply", "sum", "avg", "first", "max", "min")
	case "boost_mode":
		err = m.setWord(&q.BoostMode, "multiply", "replace", "sum", "avg", "max", "min")
	case "max_boost":
		err = m.setFloat(&q.MaxBoost)
	case "min_score":
		err = m.setFloat(&q.MinScore)
	default:
		if !isFunction(m.name) {
			return q.other(m)
		}
		f := Function{Weight: 1}
		err = f.set(m)
		q.Functions = []Function{f}
	}
	return err
}

func isFunction(name string) bool {
	return name == "weight" || name == "script_score" || name == "field_value_factor" || name == "random_score" || slices.Contains(decays, name)
}

func (p *parser) setFunctions(q *FunctionScore, n *node) error {
	if n.kind() != '[' {
		return n.fail("expected a list of functions")
	}
	for _, item := range n.children {
		if p.clauses++; p.clauses > maxClauses {
			return item.fail("more than %d clauses", maxClauses)
		}
		f, err := p.function(item)
		if err != nil {
			return err
		}
		q.Functions = append(q.Functions, f)
	}
	return nil
}

func (p *parser) function(n *node) (Function, error) {
	f := Function{Weight: 1}
	if err := n.wantObject(); err != nil {
		return f, err
	}
	found := ""
	for _, m := range n.children {
		var err error
		switch {
		case m.name == "filter":
			f.Filter, err = p.query(m)
		case !isFunction(m.name):
			err = m.unknownOption()
		case m.name != "weight" && found != "" && found != "weight":
			err = n.fail("expected one function only, found %q and %q", found, m.name)
		default:
			if m.name != "weight" || found == "" {
				found = m.name
			}
			err = f.set(m)
		}
		if err != nil {
			return f, err
		}
	}
	if found == "" {
		return f, n.fail("expected a function")
	}
	return f, nil
}

// set reads a function by its name.
func (f *Function) set(m *node) (err error) {
	switch m.name {
	case "weight":
		if err := m.setFloat(&f.Weight); err != nil {
			return err
		}
		if f.Weight < 0 {
			return m.fail("must not be negative")
		}
	case "field_value_factor":
		f.Score, err = parseFieldFactor(m)
	case "random_score":
		f.Score, err = parseRandomScore(m)
	case "script_score":
		return refuseScripts(m)
	default:
		f.Score, err = parseDecay(m)
	}
	return err
}

func parseFieldFactor(n *node) (*FieldFactor, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	f := &FieldFactor{Factor: 1, Modifier: "none", Missing: math.NaN()}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "field":
			err = m.setText(&f.Field)
		case "factor":
			err = m.setFloat(&f.Factor)
		case "modifier":
			err = m.setWord(&f.Modifier, modifiers...)
		case "missing":
			err = m.setFloat(&f.Missing)
		default:
			err = m.unknownOption()
		}
		if err != nil {
			return nil, err
		}
	}
	if f.Field == "" {
		return nil, n.fail("expected a field")
	}
	return f, nil
}

// maxSeed is how many bytes the seed of a random_score may have.
const maxSeed = 1024

func parseRandomScore(n *node) (*RandomScore, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	f := &RandomScore{}
	for _, m := range n.children {
		var err error
		switch m.name {
		case "field":
			err = m.setText(&f.Field)
		case "seed":
			if err = m.setScalarText(&f.Seed); err == nil && len(f.Seed) > maxSeed {
				err = m.fail("expected at most %d bytes", maxSeed)
			}
		default:
			err = m.unknownOption()
		}
		if err != nil {
			return nil, err
		}
	}
	if f.Seed != "" && f.Field == "" {
		return nil, n.fail("expected a field beside the seed, such as one with a unique value for each document")
	}
	return f, nil
}
