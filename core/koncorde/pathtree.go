package koncorde

import "strings"

// pathNode is a segment of the dotted paths that filters ask about.
type pathNode struct {
	children map[string]*pathNode
	// at is nil when no filter asks about the path that ends here.
	at *pathIndex
}

// descend gives the node for name, which may hold dots, below n; nil when there is none.
func (n *pathNode) descend(name string) *pathNode {
	for n != nil {
		segment, rest, more := strings.Cut(name, ".")
		n = n.children[segment]
		if !more {
			return n
		}
		name = rest
	}
	return nil
}

func (n *pathNode) index(path string) *pathIndex {
	if n = n.descend(path); n != nil {
		return n.at
	}
	return nil
}

// grow gives the index of a path, which it makes when there is none.
func (n *pathNode) grow(path string) *pathIndex {
	for segment := range strings.SplitSeq(path, ".") {
		child := n.children[segment]
		if child == nil {
			child = &pathNode{}
			if n.children == nil {
				n.children = map[string]*pathNode{}
			}
			n.children[segment] = child
		}
		n = child
	}
	if n.at == nil {
		n.at = &pathIndex{}
	}
	return n.at
}

// prune removes the index of a path when it is empty, and the nodes that led to it alone.
func (n *pathNode) prune(path string) {
	segment, rest, more := strings.Cut(path, ".")
	child := n.children[segment]
	if child == nil {
		return
	}
	if more {
		child.prune(rest)
	} else if child.at != nil && child.at.entries == 0 {
		child.at = nil
	}
	if child.at == nil && len(child.children) == 0 {
		delete(n.children, segment)
	}
}
