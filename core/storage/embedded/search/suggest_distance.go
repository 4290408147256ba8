package search

import "slices"

// measures tell how near two words are, from 0 to 1, as Lucene's of the same names do. internal, which is not among them, is
// known from the search.
var measures = map[string]func(a, b []rune) float32{
	"damerau_levenshtein": func(a, b []rune) float32 {
		if len(a) == 0 || len(b) == 0 {
			return equalLength(a, b)
		}
		return 1 - float32(changes(a, b, true))/float32(min(len(a), len(b)))
	},
	"levenshtein": func(a, b []rune) float32 {
		if len(a) == 0 || len(b) == 0 {
			return equalLength(a, b)
		}
		return 1 - float32(changes(a, b, false))/float32(max(len(a), len(b)))
	},
	"jaro_winkler": jaroWinkler,
	"ngram":        pairDistance,
}

func equalLength(a, b []rune) float32 {
	if len(a) == len(b) {
		return 1
	}
	return 0
}

// changes is how many changes of a character make b of a; with swaps two neighbours that changed places are one.
func changes(a, b []rune, swaps bool) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if swaps && i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+cost)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// jaroThreshold is how near two words are from which on a common beginning counts.
const jaroThreshold = 0.7

func jaroWinkler(a, b []rune) float32 {
	matches, transpositions, prefix := jaroMatches(a, b)
	if matches == 0 {
		return 0
	}
	m := float32(matches)
	near := (m/float32(len(a)) + m/float32(len(b)) + (m-float32(transpositions))/m) / 3
	if near < jaroThreshold {
		return near
	}
	return near + min(0.1, 1/float32(max(len(a), len(b))))*float32(prefix)*(1-near)
}

// jaroMatches counts the characters that two words share at about the same place, half of those that do so in another order, and
// those that both begin with.
func jaroMatches(a, b []rune) (matches, transpositions, prefix int) {
	long, short := a, b
	if len(a) <= len(b) {
		long, short = b, a
	}
	window := max(len(long)/2-1, 0)
	taken := make([]bool, len(long))
	var inShort, inLong []rune
	for i, c := range short {
		for j := max(i-window, 0); j < min(i+window+1, len(long)); j++ {
			if !taken[j] && long[j] == c {
				taken[j] = true
				inShort = append(inShort, c)
				break
			}
		}
	}
	for j, c := range long {
		if taken[j] {
			inLong = append(inLong, c)
		}
	}
	for i := range inShort {
		if inShort[i] != inLong[i] {
			transpositions++
		}
	}
	for prefix < len(short) && a[prefix] == b[prefix] {
		prefix++
	}
	return len(inShort), transpositions / 2, prefix
}

// pairDistance compares pairs of neighbouring characters.
func pairDistance(a, b []rune) float32 {
	const n = 2
	switch {
	case len(a) == 0 || len(b) == 0:
		return equalLength(a, b)
	case len(a) < n || len(b) < n:
		same := 0
		for i := range min(len(a), len(b)) {
			if a[i] == b[i] {
				same++
			}
		}
		return float32(same) / float32(max(len(a), len(b)))
	}
	padded := slices.Concat([]rune{0}, a)
	last, row := make([]float32, len(a)+1), make([]float32, len(a)+1)
	for i := range last {
		last[i] = float32(i)
	}
	for j := 1; j <= len(b); j++ {
		pair := [n]rune{0, b[j-1]}
		if j >= n {
			pair[0] = b[j-2]
		}
		row[0] = float32(j)
		for i := 1; i <= len(a); i++ {
			row[i] = min(row[i-1]+1, last[i]+1, last[i-1]+pairCost(padded[i-1:i+1], pair[:]))
		}
		last, row = row, last
	}
	return 1 - last[len(a)]/float32(max(len(a), len(b)))
}

// pairCost is how much of two pairs differs; the beginning of both words does not count.
func pairCost(a, b []rune) float32 {
	cost, counted := 0, len(a)
	for i := range a {
		if a[i] != b[i] {
			cost++
		} else if a[i] == 0 {
			counted--
		}
	}
	return float32(cost) / float32(counted)
}
