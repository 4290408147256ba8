package query

import (
	"math"
	"strconv"
	"strings"
)

// SimpleQueryString matches what its text describes in a smaller language, in which no text is an error, such as
// "brown fox"~2 + quick* | -lazy.
type SimpleQueryString struct {
	Phrasing
	// Everything says that the text is * alone.
	Everything bool
}

// simpleFlags are the parts of the language that a text may use.
type simpleFlags int

const (
	simpleAnd simpleFlags = 1 << iota
	simpleNot
	simpleOr
	simplePrefix
	simplePhrase
	simplePrecedence
	simpleEscape
	simpleWhitespace
	simpleFuzzy
	simpleNear
)

var simpleFlagNames = map[string]simpleFlags{
	"ALL": -1, "NONE": 0, "AND": simpleAnd, "NOT": simpleNot, "OR": simpleOr, "PREFIX": simplePrefix, "PHRASE": simplePhrase,
	"PRECEDENCE": simplePrecedence, "ESCAPE": simpleEscape, "WHITESPACE": simpleWhitespace, "FUZZY": simpleFuzzy,
	"NEAR": simpleNear, "SLOP": simpleNear,
}

func (p *parser) parseSimpleQueryString(n *node) (Query, error) {
	if err := n.wantObject(); err != nil {
		return nil, err
	}
	q := &SimpleQueryString{Phrasing: newPhrasing()}
	o, flags := &phrasingOptions{}, simpleFlags(-1)
	for _, m := range n.children {
		var err error
		if m.name == "flags" {
			err = m.setFlags(&flags)
		} else {
			err = q.option(m, o)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := q.settle(n, o); err != nil {
		return nil, err
	}
	text := Text(o.text.raw)
	if q.Everything = strings.TrimSpace(text) == everyField; q.Everything {
		return q, nil
	}
	r := &simpleReader{parser: p, node: o.text, flags: flags, text: []rune(text)}
	r.end, r.closing = len(r.text), closings(r.text, flags)
	var err error
	q.Members, err = r.read()
	return q, err
}

// closings gives the place of the ) of every ( that has one.
func closings(text []rune, flags simpleFlags) map[int]int {
	found := map[int]int{}
	if flags&simplePrecedence == 0 {
		return found
	}
	var open []int
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && flags&simpleEscape != 0:
			i++
		case text[i] == '(':
			open = append(open, i)
		case text[i] == ')' && len(open) > 0:
			found[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
	}
	return found
}

// setFlags takes "OR|AND|PREFIX" or the number that stands for it.
func (n *node) setFlags(to *simpleFlags) error {
	if n.kind() == '0' {
		flags := 0
		if string(n.raw) == "-1" {
			return nil
		}
		err := n.setInt(&flags, 0)
		*to = simpleFlags(flags)
		return err
	}
	var text string
	if err := n.setText(&text); err != nil {
		return err
	}
	if text == "" {
		return nil
	}
	flags := simpleFlags(0)
	for name := range strings.SplitSeq(text, "|") {
		if name == "" {
			continue
		}
		flag, ok := simpleFlagNames[strings.ToUpper(name)]
		if !ok {
			return n.fail("there is no flag %q", name)
		}
		if flag <= 0 { // ALL and NONE make an end, whatever else stands there
			flags = flag
			break
		}
		flags |= flag
	}
	*to = flags
	return nil
}

// simpleReader reads the text of a simple_query_string, or of a group in it.
type simpleReader struct {
	*parser
	node  *node
	flags simpleFlags
	text  []rune
	// at is where the reader stands, end where the group ends that it reads.
	at, end int
	closing map[int]int
	not     bool
	list    []Member
}

func (r *simpleReader) read() ([]Member, error) {
	if r.depth++; r.depth > maxDepth {
		return nil, r.node.fail("groups are nested more than %d deep", maxDepth)
	}
	defer func() { r.depth-- }()
	for r.at < r.end {
		if r.is('-', simpleNot) { // two of them are none
			r.not = !r.not
			r.at++
			continue
		}
		if err := r.next(); err != nil {
			return nil, err
		}
		r.not = false
	}
	return r.list, nil
}

// is reports whether a character stands next that has a meaning.
func (r *simpleReader) is(char rune, flag simpleFlags) bool {
	return r.flags&flag != 0 && r.at < r.end && r.text[r.at] == char
}

func (r *simpleReader) next() error {
	switch {
	case r.is('(', simplePrecedence):
		return r.group()
	case r.is(')', simplePrecedence), r.blank():
		r.at++
	case r.is('"', simplePhrase):
		return r.phrase()
	case r.is('+', simpleAnd):
		r.join(AndJoin)
	case r.is('|', simpleOr):
		r.join(OrJoin)
	default:
		return r.word()
	}
	return nil
}

func (r *simpleReader) blank() bool {
	return r.is(' ', simpleWhitespace) || r.is('\t', simpleWhitespace) || r.is('\n', simpleWhitespace) || r.is('\r', simpleWhitespace)
}

// join notes an operator, and passes over the character of it.
func (r *simpleReader) join(j Join) {
	r.list = append(r.list, Member{Join: j})
	r.at++
}

// add adds a piece.
func (r *simpleReader) add(p *Piece) error {
	if r.clauses++; r.clauses > maxClauses {
		return r.node.fail("more than %d clauses", maxClauses)
	}
	m := Member{Piece: p}
	if r.not {
		m.Sign = Excluded
	}
	r.list = append(r.list, m)
	return nil
}

// ended reports whether a word ends here.
func (r *simpleReader) ended() bool {
	return r.is('"', simplePhrase) || r.is('|', simpleOr) || r.is('+', simpleAnd) || r.is('(', simplePrecedence) ||
		r.is(')', simplePrecedence) || r.blank()
}

// group reads what stands between ( and ). One that does not end is passed over.
func (r *simpleReader) group() error {
	end, closed := r.closing[r.at]
	r.at++
	switch {
	case !closed || end >= r.end:
		return nil
	case r.at == end:
		r.join(Unjoin)
		return nil
	}
	inner := &simpleReader{parser: r.parser, node: r.node, flags: r.flags, text: r.text, at: r.at, end: end, closing: r.closing}
	members, err := inner.read()
	if err != nil {
		return err
	}
	r.at = end + 1
	return r.add(&Piece{Kind: GroupPiece, Boost: 1, Members: members})
}

// phrase reads what stands between quotes, and ~ behind it. One that does not end is passed over.
func (r *simpleReader) phrase() error {
	r.at++
	start := r.at
	var text []rune
	for r.at < r.end && r.text[r.at] != '"' {
		if r.is('\\', simpleEscape) {
			if r.at++; r.at == r.end {
				break
			}
		}
		text = append(text, r.text[r.at])
		r.at++
	}
	switch {
	case r.at >= r.end:
		r.at = start
		return nil
	case r.at == start:
		r.join(Unjoin)
		return nil
	}
	piece := &Piece{Kind: PhrasePiece, Boost: 1, Text: string(text)}
	r.at++
	if r.is('~', simpleNear) {
		if r.at+1 < r.end {
			piece.Slop = r.number()
		}
		r.at++ // as in the original whatever ends the number is passed over
	}
	return r.add(piece)
}

// number reads what stands behind ~: 2 when that is nothing, 0 when it is no number.
func (r *simpleReader) number() int {
	start := r.at + 1
	for r.at++; r.at < r.end && !r.ended(); {
		r.at++
	}
	text := string(r.text[min(start, r.end):min(r.at, r.end)])
	if text == "" {
		return 2
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0
	}
	return int(max(0, min(n, math.MaxInt32)))
}

// maxEdits is how many changes a word may have at most.
const maxEdits = 2

// word reads a word, with * or ~ at its end.
func (r *simpleReader) word() error {
	var text []rune
	prefix, fuzzy := false, false
	for r.at < r.end && !r.ended() {
		if r.is('\\', simpleEscape) {
			prefix = false
			if r.at++; r.at == r.end {
				break
			}
		} else {
			if fuzzy = len(text) > 0 && r.is('~', simpleFuzzy); fuzzy {
				break
			}
			prefix = len(text) > 0 && r.is('*', simplePrefix)
		}
		text = append(text, r.text[r.at])
		r.at++
	}
	if len(text) == 0 {
		return nil
	}
	piece := &Piece{Boost: 1, Text: string(text)}
	if fuzzy {
		if edits := min(r.number(), maxEdits); edits > 0 {
			piece.Kind = FuzzyPiece
			piece.Fuzziness = [...]Fuzziness{{}, {true, always, never}, {true, always, always}}[edits]
		}
		return r.add(piece)
	}
	if prefix {
		piece.Kind, piece.Text = PrefixPiece, string(text[:len(text)-1])
	}
	return r.add(piece)
}
