package analysis

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	// maxTag is how many bytes a tag may have. What is longer is text.
	maxTag = 4096
	// maxBroken bounds what is looked through in vain for the ends of tags that have none. Then no more tags are found in the text.
	maxBroken = 1 << 24
	// tagWork is what a tag costs beside its bytes.
	tagWork = 64
)

var (
	tag         = regexp.MustCompile(`^<\s*/?\s*([A-Za-z_:][\w:.-]*)(?:\s(?:"[^"]*"|'[^']*'|[^<>])*)?\s*/?\s*>`)
	declaration = regexp.MustCompile(`^<(?:!(?s:[^>])*|\?(?s:.)*?\?)>`)
	// raw are the beginnings of elements whose inside is no text.
	raw       = regexp.MustCompile(`(?i)^<(script|style)(?:\s(?:"[^"]*"|'[^']*'|[^<>/])*)?>`)
	rawEnds   = map[string]*regexp.Regexp{"script": regexp.MustCompile(`(?i)</script\s*>`), "style": regexp.MustCompile(`(?i)</style\s*>`)}
	reference = regexp.MustCompile(`^&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]*);`)
)

// inlineTags are those that nothing takes the place of; of others it is the end of a line.
var inlineTags = set(`a abbr acronym b basefont bdo big cite code dfn em font i img input kbd label q s samp select small span strike
strong sub sup textarea tt u var`)

// htmlNames are the characters that HTML 4 names.
var htmlNames = set(`AElig AMP Aacute Acirc Agrave Alpha Aring Atilde Auml Beta COPY Ccedil Chi Dagger Delta ETH Eacute Ecirc Egrave
Epsilon Eta Euml GT Gamma Iacute Icirc Igrave Iota Iuml Kappa LT Lambda Mu Ntilde Nu OElig Oacute Ocirc Ograve Omega
Omicron Oslash Otilde Ouml Phi Pi Prime Psi QUOT REG Rho Scaron Sigma THORN Tau Theta Uacute Ucirc Ugrave Upsilon Uuml
Xi Yacute Yuml Zeta aacute acirc acute aelig agrave alefsym alpha amp and ang apos aring asymp atilde auml bdquo beta
brvbar bull cap ccedil cedil cent chi circ clubs cong copy crarr cup curren dArr dagger darr deg delta diams divide
eacute ecirc egrave empty emsp ensp epsilon equiv eta eth euml euro exist fnof forall frac12 frac14 frac34 frasl gamma
ge gt hArr harr hearts hellip iacute icirc iexcl igrave image infin int iota iquest isin iuml kappa lArr lambda lang
laquo larr lceil ldquo le lfloor lowast loz lrm lsaquo lsquo lt macr mdash micro middot minus mu nabla nbsp ndash ne
ni not notin nsub ntilde nu oacute ocirc oelig ograve oline omega omicron oplus or ordf ordm oslash otilde otimes ouml
para part permil perp phi pi piv plusmn pound prime prod prop psi quot rArr radic rang raquo rarr rceil rdquo real reg
rfloor rho rlm rsaquo rsquo sbquo scaron sdot sect shy sigma sigmaf sim spades sub sube sum sup sup1 sup2 sup3 supe
szlig tau there4 theta thetasym thinsp thorn tilde times trade uArr uacute uarr ucirc ugrave uml upsih upsilon uuml
weierp xi yacute yen yuml zeta zwj zwnj`)

// otherNames are those that HTML 5 gives to other characters, and the space that shall not keep words together.
var otherNames = map[string]string{"nbsp": " ", "lang": "\u2329", "rang": "\u232a"}

// htmlStrip reads a filter that takes away what is no text in HTML.
func (r *reading) htmlStrip() charFilter {
	escaped := r.wordSet("escaped_tags", true)
	return func(text []byte, to *rewriting) {
		h := stripping{rewriting: to, escaped: escaped, left: maxBroken}
		for rest := text; len(rest) > 0; {
			n := bytes.IndexAny(rest, "<&")
			if n < 0 {
				n = len(rest)
			}
			to.keep(rest[:n])
			rest = rest[n:]
			if len(rest) > 0 {
				rest = rest[h.markup(rest):]
			}
		}
	}
}

// stripping writes the text of HTML.
type stripping struct {
	*rewriting
	escaped map[string]bool
	left    int // of maxBroken
}

// markup writes what stands for < or & at the beginning of text, and gives how much of text it was.
func (h *stripping) markup(text []byte) int {
	var n int
	var with []byte
	switch {
	case text[0] == '&':
		n, with = named(text)
	case bytes.HasPrefix(text, []byte("<!--")):
		n = behindEnd(text, "-->")
	case bytes.HasPrefix(text, []byte("<![CDATA[")):
		return h.verbatim(text)
	default:
		n, with = h.tag(text)
	}
	h.replace(text[:n], with)
	return n
}

// behindEnd gives where text goes on behind an end, the length of text without such.
func behindEnd(text []byte, end string) int {
	if i := bytes.Index(text, []byte(end)); i >= 0 {
		return i + len(end)
	}
	return len(text)
}

// verbatim takes over what stands in <![CDATA[…]]>.
func (h *stripping) verbatim(text []byte) int {
	const begin, end = "<![CDATA[", "]]>"
	n := behindEnd(text, end)
	inner := bytes.TrimSuffix(text[len(begin):n], []byte(end))
	h.replace(text[:len(begin)], nil)
	h.keep(inner)
	h.replace(text[len(begin)+len(inner):n], nil)
	return n
}

// tag gives the length of the tag at the beginning of text, and what takes its place.
func (h *stripping) tag(text []byte) (n int, with []byte) {
	window := text[:min(len(text), maxTag, h.left)]
	if !begins(window) || !h.budget.Take(tagWork) {
		return 1, text[:1]
	}
	if found := declaration.Find(window); found != nil {
		return len(found), nil
	}
	found := tag.FindSubmatch(window)
	if found == nil {
		h.left -= len(window)
		h.budget.Take(len(window))
		return 1, text[:1]
	}
	name := strings.ToLower(string(found[1]))
	if h.escaped[name] {
		return len(found[0]), found[0]
	}
	if begin := raw.FindSubmatch(window); begin != nil {
		end := rawEnds[name].FindIndex(text)
		if end == nil {
			return len(text), nil
		}
		return end[1], []byte("\n")
	}
	if inlineTags[name] {
		return len(found[0]), nil
	}
	return len(found[0]), []byte("\n")
}

// begins reports whether text, which has < in front, may begin with a tag or a declaration.
func begins(text []byte) bool {
	const blank = "\t\n\f\r "
	rest := text[min(1, len(text)):]
	if len(rest) > 0 && (rest[0] == '!' || rest[0] == '?') {
		return true
	}
	rest = bytes.TrimLeft(rest, blank)
	rest = bytes.TrimLeft(bytes.TrimPrefix(rest, []byte("/")), blank)
	return len(rest) > 0 && (letter(rune(rest[0])) && rest[0] < utf8.RuneSelf || rest[0] == '_' || rest[0] == ':')
}

// named gives the length of a reference to a character such as &amp; and the character.
func named(text []byte) (n int, with []byte) {
	found := reference.Find(text[:min(len(text), 32)])
	name := strings.Trim(string(found), "&;")
	if found == nil || name[0] != '#' && !htmlNames[name] {
		return 1, text[:1]
	}
	if other, ok := otherNames[name]; ok {
		return len(found), []byte(other)
	}
	plain := html.UnescapeString(string(found))
	if !utf8.ValidString(plain) {
		return 1, text[:1]
	}
	return len(found), []byte(plain)
}
