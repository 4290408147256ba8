package koncorde

// operator says what an expression does with its operands.
type operator byte

const (
	opAnd   operator = iota // true of all operands; without any, true
	opOr                    // true of one operand at least; without any, false
	opNot                   // false of its only operand
	opTest                  // a condition
	opQuery                 // a select: a condition whose query is not normalised yet
)

// expression is a filter as it was written, with the keywords bool, in, ids, missing and nothing rewritten. It never
// changes.
type expression struct {
	op       operator
	operands []*expression
	cond     *condition // opTest
	query    *selection // opQuery
}

// selection is a select as it was written.
type selection struct {
	path  string
	index int
	query *expression
}

func and(operands ...*expression) *expression { return &expression{op: opAnd, operands: operands} }

func or(operands ...*expression) *expression { return &expression{op: opOr, operands: operands} }

func not(operand *expression) *expression {
	return &expression{op: opNot, operands: []*expression{operand}}
}

func test(path string, t tester) *expression {
	return &expression{op: opTest, cond: newCondition(path, t)}
}
