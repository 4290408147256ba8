package realtime

import "testing"

// Nobody makes an id: those that lead anywhere were given out.
func FuzzMessageID(f *testing.F) {
	h := newHistory()
	h.last = 1000
	for _, seed := range []string{h.id(1), h.id(1001), h.epoch + "-1-", "-1-", "", "a-b-c-d", "a-18446744073709551616", "a-+1-0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		number, ok := h.number(id)
		if ok && (id != h.id(number) || number > h.last) {
			t.Errorf("%q is number %d", id, number)
		}
		if given, ok := h.number(h.id(min(number, h.last))); !ok || given != min(number, h.last) {
			t.Errorf("number %d comes back as %d, %t", number, given, ok)
		}
	})
}
