package query

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// stringRules are the options of a query_string that matter while its text is read.
type stringRules struct {
	fuzziness Fuzziness
	slop      int
	leading   bool
}

// stringReader reads the text of a query_string into members.
type stringReader struct {
	stringRules
	*parser
	node *node // where the text stands
	text string
	list []lexeme
}

// readQueryString reads a text.
func (p *parser) readQueryString(n *node, text string, rules stringRules) ([]Member, error) {
	list, at := lexemes(text)
	r := &stringReader{stringRules: rules, parser: p, node: n, text: text, list: list}
	if at >= 0 {
		return nil, r.fail(at, "something begins there and does not end, or means nothing")
	}
	members, err := r.members("")
	if err == nil && r.kind(0) != lexEnd {
		err = r.unexpected("AND, OR or a word")
	}
	return members, err
}

// maxShownText is how many bytes of a text an error shows.
const maxShownText = 40

// fail is the error of a text that cannot be read at a place.
func (r *stringReader) fail(at int, why string) error {
	rest := r.text[at:]
	if len(rest) > maxShownText {
		end := maxShownText
		for !utf8.RuneStart(rest[end]) {
			end--
		}
		rest = rest[:end] + "…"
	}
	return r.node.fail("cannot read the text at character %d, %q: %s. Write \\ before a character that shall mean nothing but itself, "+
		"or use simple_query_string, which reads any text", utf8.RuneCountInString(r.text[:at])+1, rest, why)
}

func (r *stringReader) unexpected(wanted string) error {
	return r.fail(r.list[0].at, "expected "+wanted)
}

// kind is that of one of the next lexemes.
func (r *stringReader) kind(ahead int) lexemeKind {
	if ahead >= len(r.list) {
		return lexEnd
	}
	return r.list[ahead].kind
}

// take gives the next lexeme when it is of the kind.
func (r *stringReader) take(kind lexemeKind) (lexeme, bool) {
	l := r.list[0]
	if l.kind != kind {
		return l, false
	}
	r.list = r.list[1:]
	return l, true
}

// members reads what stands in the text, or in a group, up to its end.
func (r *stringReader) members(field string) ([]Member, error) {
	if r.depth++; r.depth > maxDepth {
		return nil, r.fail(r.list[0].at, "groups are nested more than "+strconv.Itoa(maxDepth)+" deep")
	}
	defer func() { r.depth-- }()
	var list []Member
	for {
		m, err := r.member(field, len(list) == 0)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
		if kind := r.kind(0); kind == lexEnd || kind == lexClose {
			return list, nil
		}
	}
}

func (r *stringReader) member(field string, first bool) (Member, error) {
	if r.run(0) {
		piece, err := r.words(field)
		return Member{Run: true, Piece: piece}, err
	}
	var m Member
	if !first {
		m.Join = r.join()
	}
	m.Sign = r.sign()
	var err error
	m.Piece, err = r.clause(field)
	return m, err
}

// run reports whether a word and the one behind it belong to a row of words: nothing follows that is for the second alone.
func (r *stringReader) run(ahead int) bool {
	if r.kind(ahead) != lexWord || r.kind(ahead+1) != lexWord {
		return false
	}
	switch r.kind(ahead + 2) {
	case lexColon, lexStar, lexFuzzy, lexCaret, lexAnd, lexOr:
		return false
	}
	return true
}

// words reads a row of words.
func (r *stringReader) words(field string) (*Piece, error) {
	piece, err := r.piece(TextPiece, field)
	if err != nil {
		return nil, err
	}
	var texts []string
	for more := true; more; {
		more = r.run(0)
		word, _ := r.take(lexWord)
		text, err := r.plain(word.image, word.at)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	piece.Text = strings.Join(texts, " ")
	return piece, nil
}

// piece begins a piece.
func (r *stringReader) piece(kind PieceKind, field string) (*Piece, error) {
	if r.clauses++; r.clauses > maxClauses {
		return nil, r.node.fail("more than %d clauses", maxClauses)
	}
	return &Piece{Kind: kind, Field: field, Boost: 1}, nil
}

func (r *stringReader) join() Join {
	if _, ok := r.take(lexAnd); ok {
		return AndJoin
	}
	if _, ok := r.take(lexOr); ok {
		return OrJoin
	}
	return NoJoin
}

func (r *stringReader) sign() Sign {
	if _, ok := r.take(lexPlus); ok {
		return Required
	}
	for _, kind := range []lexemeKind{lexMinus, lexNot} {
		if _, ok := r.take(kind); ok {
			return Excluded
		}
	}
	return NoSign
}

// clause reads what may have the name of a field before it.
func (r *stringReader) clause(field string) (*Piece, error) {
	if kind := r.kind(0); (kind == lexWord || kind == lexStar) && r.kind(1) == lexColon {
		var err error
		if field, err = r.plain(r.list[0].image, r.list[0].at); err != nil {
			return nil, err
		}
		r.list = r.list[2:]
	}
	switch r.kind(0) {
	case lexOpen:
		return r.group(field)
	case lexFrom:
		return r.span(field)
	case lexQuoted:
		return r.phrase(field)
	case lexWord, lexStar, lexPrefix, lexPattern, lexRegexp, lexSign:
		return r.bare(field)
	}
	return nil, r.unexpected("a word, a phrase, a range or a group")
}

func (r *stringReader) group(field string) (*Piece, error) {
	r.list = r.list[1:]
	piece, err := r.piece(GroupPiece, field)
	if err != nil {
		return nil, err
	}
	if piece.Members, err = r.members(field); err != nil {
		return nil, err
	}
	if _, ok := r.take(lexClose); !ok {
		return nil, r.unexpected(")")
	}
	r.boost(piece)
	return piece, nil
}

// boost reads ^2 behind a piece. It is false when there is none.
func (r *stringReader) boost(piece *Piece) bool {
	if _, ok := r.take(lexCaret); !ok {
		return false
	}
	number, _ := r.take(lexNumber) // the lexer lets nothing else follow
	if f, err := strconv.ParseFloat(number.image, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		piece.Boost = min(f, math.MaxFloat32)
	}
	return true
}

// changes reads ^2 and ~2 behind a word or a phrase, in any order, and gives the second.
func (r *stringReader) changes(piece *Piece) (l lexeme, fuzzy bool) {
	boosted := r.boost(piece)
	l, fuzzy = r.take(lexFuzzy)
	if fuzzy && !boosted {
		r.boost(piece)
	}
	return l, fuzzy
}

// bare reads a word or a pattern.
func (r *stringReader) bare(field string) (*Piece, error) {
	l := r.list[0]
	r.list = r.list[1:]
	piece, err := r.piece(TextPiece, field)
	if err != nil {
		return nil, err
	}
	tilde, fuzzy := r.changes(piece)
	switch l.kind {
	case lexStar, lexPattern:
		if !r.leading && l.kind == lexPattern && strings.IndexByte("*?", l.image[0]) >= 0 {
			return nil, r.fail(l.at, "allow_leading_wildcard lets no pattern begin with * or ?")
		}
		piece.Kind, piece.Text = WildcardPiece, l.image
		return piece, nil
	case lexRegexp:
		piece.Kind, piece.Text = RegexpPiece, l.image[1:len(l.image)-1]
		return piece, nil
	case lexPrefix:
		piece.Kind = PrefixPiece
		piece.Text, err = r.plain(l.image[:len(l.image)-1], l.at)
		return piece, err
	}
	if piece.Text, err = r.plain(l.image, l.at); err == nil && fuzzy {
		piece.Kind = FuzzyPiece
		piece.Fuzziness, err = r.fuzzinessOf(tilde)
	}
	return piece, err
}

// fuzzinessOf reads how many changes ~ allows.
func (r *stringReader) fuzzinessOf(tilde lexeme) (Fuzziness, error) {
	text := tilde.image[1:]
	if text == "" {
		return r.fuzziness, nil
	}
	f := r.fuzziness
	value := node{raw: jsontext.Value(strconv.Quote(text))}
	edits, err := strconv.ParseFloat(text, 64)
	if value.setFuzziness(&f) != nil || err == nil && edits != math.Trunc(edits) {
		return f, r.fail(tilde.at, "expected ~, ~0, ~1, ~2 or ~AUTO")
	}
	return f, nil
}

func (r *stringReader) phrase(field string) (*Piece, error) {
	l := r.list[0]
	r.list = r.list[1:]
	piece, err := r.piece(PhrasePiece, field)
	if err != nil {
		return nil, err
	}
	piece.Slop = r.slop
	if tilde, ok := r.changes(piece); ok {
		if slop, err := strconv.ParseFloat(tilde.image[1:], 32); err == nil && slop >= 0 {
			piece.Slop = int(min(slop, math.MaxInt32))
		}
	}
	piece.Text, err = r.plain(l.image[1:len(l.image)-1], l.at)
	return piece, err
}

// span reads [a TO b] and its like.
func (r *stringReader) span(field string) (*Piece, error) {
	piece, err := r.piece(RangePiece, field)
	if err != nil {
		return nil, err
	}
	from := r.list[0]
	r.list = r.list[1:]
	if err := r.bound(&piece.Lower); err != nil {
		return nil, err
	}
	if _, ok := r.take(lexTo); !ok {
		return nil, r.unexpected("TO")
	}
	if err := r.bound(&piece.Upper); err != nil {
		return nil, err
	}
	until, ok := r.take(lexUntil)
	if !ok {
		return nil, r.unexpected("] or }")
	}
	piece.Lower.Inclusive, piece.Upper.Inclusive = from.image == "[", until.image == "]"
	r.boost(piece)
	return piece, nil
}

func (r *stringReader) bound(to *Bound) error {
	l := r.list[0]
	image := l.image
	switch l.kind {
	case lexQuotedBound:
		image = image[1 : len(image)-1]
	case lexBound, lexTo:
		if image == "*" {
			image = ""
		}
	default:
		return r.unexpected("a bound")
	}
	r.list = r.list[1:]
	if image == "" {
		return nil
	}
	text, err := r.plain(image, l.at)
	to.Value = quote(text)
	return err
}

// quote gives the JSON of a text.
func quote(text string) jsontext.Value {
	b, err := jsontext.AppendQuote(nil, text)
	_ = err // it is UTF-8: it comes out of JSON, and plain leaves no half of a character
	return b
}

// plain gives a text without its escapes.
func (r *stringReader) plain(image string, at int) (string, error) {
	if !strings.Contains(image, `\`) {
		return image, nil
	}
	var units []uint16
	for i := 0; i < len(image); {
		char, size := utf8.DecodeRuneInString(image[i:])
		i += size
		if char == '\\' {
			if i == len(image) {
				return "", r.fail(at, "nothing stands behind \\")
			}
			char, size = utf8.DecodeRuneInString(image[i:])
			i += size
			if char == 'u' {
				code, err := strconv.ParseUint(image[i:min(i+4, len(image))], 16, 16)
				if err != nil || i+4 > len(image) {
					return "", r.fail(at, "expected four hexadecimal digits behind \\u")
				}
				units = append(units, uint16(code))
				i += 4
				continue
			}
		}
		units = utf16.AppendRune(units, char)
	}
	return string(utf16.Decode(units)), nil
}
