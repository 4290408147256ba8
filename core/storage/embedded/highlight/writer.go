package highlight

import "strings"

// writer writes fragments of a text.
type writer struct {
	text      *text
	pre, post string
	html      bool
}

// escapes are those by which a text can stand in HTML, as Lucene has them.
var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;", "/", "&#x2F;")

// write gives a part of the text with the marks in it, which are in order. Marks that overlap are one, and end with the part.
func (w *writer) write(part span, marks []match) string {
	var out strings.Builder
	at := part.from
	for i := 0; i < len(marks); i++ {
		mark := marks[i].span
		for i+1 < len(marks) && marks[i+1].from < mark.to {
			i++
			mark.to = max(mark.to, marks[i].to)
		}
		mark.to = min(mark.to, part.to)
		w.plain(&out, span{at, max(at, mark.from)})
		out.WriteString(w.pre)
		w.plain(&out, span{max(at, mark.from), mark.to})
		out.WriteString(w.post)
		at = mark.to
	}
	w.plain(&out, span{at, max(at, part.to)})
	return out.String()
}

func (w *writer) plain(out *strings.Builder, part span) {
	text := string(w.text.chars[part.from:part.to])
	if w.html {
		text = escapes.Replace(text)
	}
	out.WriteString(text)
}
