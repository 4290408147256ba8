package koncorde

import "cmp"

// spanTree finds the spans that hold a number. It is a treap ordered by lower bounds, in which every node knows how far the
// spans below it reach: adding and removing take O(log n), finding k spans O(k + log n) where they nest little.
type spanTree struct {
	root *spanNode
	size int
	// random is the state of the generator that keeps the tree balanced.
	random uint64
}

type spanNode struct {
	span
	bag         bag
	left, right *spanNode
	// reach is the furthest upper bound here and below.
	reach    bound
	priority uint64
}

func compareSpans(a, b span) int {
	return cmp.Or(compareLower(a.lower, b.lower), compareUpper(a.upper, b.upper))
}

func (t *spanTree) add(s span, e *entry) {
	t.size++
	t.random += 0x9e3779b97f4a7c15
	t.root = t.root.insert(s, e, scramble(t.random))
}

func (t *spanTree) remove(s span, e *entry) {
	t.size--
	t.root = t.root.without(s, e)
}

// lookUp calls visit for what is filed under each span that holds n.
func (t *spanTree) lookUp(n number, visit func(bag)) { t.root.lookUp(n, visit) }

func (n *spanNode) lookUp(at number, visit func(bag)) {
	for n != nil && n.reach.admitsBelow(at) {
		n.left.lookUp(at, visit)
		if !n.lower.admitsAbove(at) {
			return // and spans to the right begin later still
		}
		if n.upper.admitsBelow(at) {
			visit(n.bag)
		}
		n = n.right
	}
}

func (n *spanNode) insert(s span, e *entry, priority uint64) *spanNode {
	if n == nil {
		n = &spanNode{span: s, reach: s.upper, priority: priority}
		n.bag.add(e)
		return n
	}
	switch c := compareSpans(s, n.span); {
	case c == 0:
		n.bag.add(e)
	case c < 0:
		n.left = n.left.insert(s, e, priority)
		if n.left.priority > n.priority {
			return n.rotateRight()
		}
	default:
		n.right = n.right.insert(s, e, priority)
		if n.right.priority > n.priority {
			return n.rotateLeft()
		}
	}
	n.update()
	return n
}

func (n *spanNode) without(s span, e *entry) *spanNode {
	switch c := compareSpans(s, n.span); {
	case c < 0:
		n.left = n.left.without(s, e)
	case c > 0:
		n.right = n.right.without(s, e)
	default:
		if n.bag.remove(e); len(n.bag) == 0 {
			return join(n.left, n.right)
		}
	}
	n.update()
	return n
}

// join makes one tree of two, all of whose spans are in order.
func join(a, b *spanNode) *spanNode {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.priority > b.priority:
		a.right = join(a.right, b)
		a.update()
		return a
	}
	b.left = join(a, b.left)
	b.update()
	return b
}

func (n *spanNode) rotateRight() *spanNode {
	top := n.left
	n.left, top.right = top.right, n
	n.update()
	top.update()
	return top
}

func (n *spanNode) rotateLeft() *spanNode {
	top := n.right
	n.right, top.left = top.left, n
	n.update()
	top.update()
	return top
}

func (n *spanNode) update() {
	n.reach = n.upper
	for _, child := range [...]*spanNode{n.left, n.right} {
		if child != nil && compareUpper(child.reach, n.reach) > 0 {
			n.reach = child.reach
		}
	}
}

// scramble spreads the bits of x (the finaliser of splitmix64).
func scramble(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
