package automaton_test

import (
	"testing"
	"unicode/utf8"

	"github.com/sluicehq/sluice/core/storage/embedded/search/automaton"
)

// distance is the edits between two texts, by the whole table.
func distance(from, to []rune, swaps bool) int {
	table := make([][]int, len(from)+1)
	for i := range table {
		table[i] = make([]int, len(to)+1)
		for j := range table[i] {
			switch {
			case i == 0 || j == 0:
				table[i][j] = i + j
				continue
			case from[i-1] == to[j-1]:
				table[i][j] = table[i-1][j-1]
			default:
				table[i][j] = 1 + min(table[i-1][j-1], table[i-1][j], table[i][j-1])
			}
			if swaps && i > 1 && j > 1 && from[i-1] == to[j-2] && from[i-2] == to[j-1] {
				table[i][j] = min(table[i][j], table[i-2][j-2]+1)
			}
		}
	}
	return table[len(from)][len(to)]
}

func TestNearPrefixIsNotChanged(t *testing.T) {
	n := automaton.NewNear("éclair", 2, 2, true)
	for text, want := range map[string]bool{"éclair": true, "éclai": true, "éclairs": true, "éclxxr": true, "eclair": false, "éxlair": false, "écxlair": true, "": false} {
		if _, ok := n.Distance([]byte(text)); ok != want {
			t.Errorf("%q is accepted: %v", text, ok)
		}
	}
	if string(n.Prefix()) != "éc" || n.Len() != 6 {
		t.Errorf("the prefix is %q of %d", n.Prefix(), n.Len())
	}
}

func TestNearHasABound(t *testing.T) {
	word := make([]byte, 60_000)
	for i := range word {
		word[i] = byte('a' + i*i%23)
	}
	n := automaton.NewNear(string(word), 2, 0, true)
	if _, ok := n.Distance(word); ok || n.Err() == nil {
		t.Errorf("a word of %d characters: %v", len(word), n.Err())
	}
}

func FuzzNear(f *testing.F) {
	f.Add("quick", "qiuck", uint8(1), true)
	f.Add("日本語", "日語本", uint8(2), false)
	f.Add("naïve", "na\xc3ve", uint8(2), true)
	f.Add("abcd", "badc", uint8(2), true)
	f.Add("", "ab", uint8(2), true)
	f.Add("\ufe0f", "\u4e2a", uint8(1), true)
	f.Add("0", "\U000baeba", uint8(1), true)
	f.Fuzz(func(t *testing.T, word, text string, edits uint8, swaps bool) {
		if len(word) > 100 || len(text) > 100 || !utf8.ValidString(word) || !utf8.ValidString(text) {
			return
		}
		n := automaton.NewNear(word, int(edits%3), 0, swaps)
		got, ok := n.Distance([]byte(text))
		if n.Err() != nil {
			return
		}
		want := distance([]rune(word), []rune(text), swaps)
		if ok == (want <= int(edits%3)) && (!ok || got == want) {
			return
		}
		t.Errorf("%q and %q: %d, %v; want %d", word, text, got, ok, want)
	})
}
