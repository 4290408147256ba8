package analysis

import "unicode/utf8"

// porter cuts English words to their stems by the algorithm of Martin Porter with the two departures of his own programs, bli
// and logi. Words of two characters stay as they are, and so do characters that are not a to z.
func porter(a *arena, term []byte) []byte {
	for _, b := range term {
		if b >= utf8.RuneSelf {
			return porterRunes(a, term)
		}
	}
	w := stemming[byte]{chars: append(a.take(len(term)), term...)}
	w.stem()
	return a.keep(w.chars)
}

func porterRunes(a *arena, term []byte) []byte {
	w := stemming[rune]{chars: []rune(string(term))}
	w.stem()
	out := a.take(len(term))
	for _, r := range w.chars {
		out = utf8.AppendRune(out, r)
	}
	return a.keep(out)
}

// stemming is a word that is being cut.
type stemming[C byte | rune] struct {
	chars []C
	// before is how many characters stand before the suffix that ends found last.
	before int
}

// suffix is what a step makes of a suffix.
type suffix struct{ old, new string }

// The suffixes of the steps 2 to 4 in the order in which they are tried, of which only the first that fits counts.
var (
	porter2 = []suffix{
		{"ational", "ate"},
		{"tional", "tion"},
		{"enci", "ence"},
		{"anci", "ance"},
		{"izer", "ize"},
		{"bli", "ble"},
		{"alli", "al"},
		{"entli", "ent"},
		{"eli", "e"},
		{"ousli", "ous"},
		{"ization", "ize"},
		{"ation", "ate"},
		{"ator", "ate"},
		{"alism", "al"},
		{"iveness", "ive"},
		{"fulness", "ful"},
		{"ousness", "ous"},
		{"aliti", "al"},
		{"iviti", "ive"},
		{"biliti", "ble"},
		{"logi", "log"},
	}
	porter3 = []suffix{
		{"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"}, {"ical", "ic"}, {"ful", ""}, {"ness", ""},
	}
	porter4 = []string{
		"al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti", "ous", "ive", "ize",
	}
)

func (w *stemming[C]) stem() {
	if len(w.chars) <= 2 {
		return
	}
	w.plural()
	w.past()
	if w.ends("y") && w.vowelBefore() {
		w.chars[w.before] = 'i'
	}
	w.replace(porter2)
	w.replace(porter3)
	w.drop()
	w.final()
}

// ends reports whether the word ends with s, and remembers where s begins.
func (w *stemming[C]) ends(s string) bool {
	before := len(w.chars) - len(s)
	if before < 0 {
		return false
	}
	for i := range len(s) {
		if w.chars[before+i] != C(s[i]) {
			return false
		}
	}
	w.before = before
	return true
}

// set puts s in the place of the suffix that ends found.
func (w *stemming[C]) set(s string) {
	w.chars = w.chars[:w.before]
	for i := range len(s) {
		w.chars = append(w.chars, C(s[i]))
	}
}

// consonant reports whether the character at i is none of a, e, i, o, u, and no y behind a consonant.
func (w *stemming[C]) consonant(i int) bool {
	switch w.chars[i] {
	case 'a', 'e', 'i', 'o', 'u':
		return false
	case 'y':
		return i == 0 || !w.consonant(i-1)
	}
	return true
}

// measure counts how often a vowel is followed by a consonant before the suffix.
func (w *stemming[C]) measure() int {
	n, vowel := 0, false
	for i := range w.before {
		consonant := w.consonant(i)
		if consonant && vowel {
			n++
		}
		vowel = !consonant
	}
	return n
}

func (w *stemming[C]) vowelBefore() bool {
	for i := range w.before {
		if !w.consonant(i) {
			return true
		}
	}
	return false
}

// double reports whether the word ends with the same consonant twice.
func (w *stemming[C]) double() bool {
	n := len(w.chars)
	return n >= 2 && w.chars[n-1] == w.chars[n-2] && w.consonant(n-1)
}

// short reports whether consonant, vowel, consonant stand before the place end, the last of which is not w, x or y.
func (w *stemming[C]) short(end int) bool {
	if end < 3 || !w.consonant(end-1) || w.consonant(end-2) || !w.consonant(end-3) {
		return false
	}
	last := w.chars[end-1]
	return last != 'w' && last != 'x' && last != 'y'
}

func (w *stemming[C]) plural() {
	switch {
	case w.ends("sses"):
		w.set("ss")
	case w.ends("ies"):
		w.set("i")
	case w.ends("s") && !w.ends("ss"):
		w.set("")
	}
}

func (w *stemming[C]) past() {
	if w.ends("eed") {
		if w.measure() > 0 {
			w.set("ee")
		}
		return
	}
	if !w.ends("ed") && !w.ends("ing") || !w.vowelBefore() {
		return
	}
	w.set("")
	switch {
	case w.ends("at"):
		w.set("ate")
	case w.ends("bl"):
		w.set("ble")
	case w.ends("iz"):
		w.set("ize")
	case w.double():
		if !w.ends("l") && !w.ends("s") && !w.ends("z") {
			w.chars = w.chars[:len(w.chars)-1]
		}
	case w.short(len(w.chars)):
		if w.before = len(w.chars); w.measure() == 1 {
			w.set("e")
		}
	}
}

func (w *stemming[C]) replace(list []suffix) {
	for _, s := range list {
		if w.ends(s.old) {
			if w.measure() > 0 {
				w.set(s.new)
			}
			return
		}
	}
}

func (w *stemming[C]) drop() {
	for _, s := range porter4 {
		if !w.ends(s) {
			continue
		}
		if s == "ion" && (w.before == 0 || w.chars[w.before-1] != 's' && w.chars[w.before-1] != 't') {
			continue
		}
		if w.measure() > 1 {
			w.set("")
		}
		return
	}
}

func (w *stemming[C]) final() {
	w.before = len(w.chars)
	measure := w.measure()
	if w.ends("e") {
		// The e is a vowel, so that it does not count.
		if measure > 1 || measure == 1 && !w.short(w.before) {
			w.set("")
		}
	}
	if measure > 1 && w.ends("l") && w.double() {
		w.set("")
	}
}
