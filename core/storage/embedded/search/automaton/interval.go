package automaton

import "strings"

// maxDigits is the most digits of the bounds of an interval.
const maxDigits = 19

// interval reads the rest of <n-m>, whole numbers from n to m. With as many digits in both bounds a number has that many;
// otherwise it may have zeros before it.
func (p *parser) interval() id {
	from := p.digits()
	ok := p.match('-')
	to := p.digits()
	if !ok || !p.match('>') || from == "" || to == "" || max(len(from), len(to)) > maxDigits {
		return p.fail("expected an interval such as <1-10>")
	}
	if len(from) == len(to) {
		return p.e.between(min(from, to), max(from, to))
	}
	from, to = significant(from), significant(to)
	if len(from) > len(to) || len(from) == len(to) && from > to {
		from, to = to, from
	}
	var parts []id
	for digits := len(from); digits <= len(to); digits++ {
		low, high := "1"+strings.Repeat("0", digits-1), strings.Repeat("9", digits)
		if digits == len(from) {
			low = from
		}
		if digits == len(to) {
			high = to
		}
		parts = append(parts, p.e.between(low, high))
	}
	return p.e.concat(p.e.repeat(p.e.runes('0', '0'), 0, unlimited), p.e.union(parts...))
}

func significant(number string) string {
	if s := strings.TrimLeft(number, "0"); s != "" {
		return s
	}
	return "0"
}

// between accepts the numbers from low to high, which have as many digits each.
func (e *expressions) between(low, high string) id {
	if low == "" {
		return e.empty
	}
	if low[0] == high[0] {
		return e.concat(e.text(low[:1]), e.between(low[1:], high[1:]))
	}
	rest := len(low) - 1
	parts := []id{
		e.concat(e.text(low[:1]), e.between(low[1:], strings.Repeat("9", rest))),
		e.concat(e.text(high[:1]), e.between(strings.Repeat("0", rest), high[1:])),
	}
	if low[0]+1 < high[0] {
		middle := e.runes(rune(low[0]+1), rune(high[0]-1))
		parts = append(parts, e.concat(middle, e.repeat(e.runes('0', '9'), int32(rest), int32(rest)))) //nolint:gosec // few digits
	}
	return e.union(parts...)
}
