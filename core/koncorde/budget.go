package koncorde

import "math"

// budget bounds the work of one match or one normalisation. It is counted, not timed, so that the result is the same
// everywhere. What it does not admit is not decided: the condition is neither true nor false.
type budget struct {
	// comparisons are left for conditions: each stands for ten to twenty nanoseconds.
	comparisons int
	// steps are left for regular expressions: one step with one byte of text, five to ten nanoseconds at worst.
	steps int
	// undecided says that something was not admitted.
	undecided bool
}

const (
	// matchComparisons and matchSteps are what one match may cost: some milliseconds each. An expression of thirty steps may look
	// at the longest text once.
	matchComparisons = 400_000
	matchSteps       = 2_000_000
	// bytesPerComparison is how much text is compared in the time of a comparison.
	bytesPerComparison = 64
	// membersPerComparison is how many members or items are passed over in that time.
	membersPerComparison = 4
)

func unlimited() *budget { return &budget{comparisons: math.MaxInt, steps: math.MaxInt} }

// compare admits n comparisons. After the first refusal it admits none.
func (b *budget) compare(n int) bool {
	if b.comparisons < 0 {
		b.undecided = true
		return false
	}
	if b.comparisons -= n; b.comparisons < 0 {
		b.undecided = true
	}
	return b.comparisons >= 0
}

// pass admits going through n members or items.
func (b *budget) pass(n int) bool { return b.compare(1 + n/membersPerComparison) }

// run admits n steps of a regular expression. One that takes too many leaves what there is to others.
func (b *budget) run(n int) bool {
	if n > b.steps {
		b.undecided = true
		return false
	}
	b.steps -= n
	return true
}
