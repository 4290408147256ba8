package query

import (
	"fmt"
	"slices"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Read reads the body of a search and holds the whole to what Searcher.Search asks for, so that every engine refuses the same
// with the same error.
func Read(s storage.Search) (*Search, error) {
	switch {
	case s.From < 0:
		return nil, invalid("from", "0 or more")
	case s.Size < 0 || s.Size > storage.MaxWindow-s.From:
		return nil, invalid("size", fmt.Sprintf("0 or more, and at most %d with from: use search_after or a scroll to go further", storage.MaxWindow))
	case s.Scroll < 0 || s.Scroll > 0 && s.From > 0:
		return nil, invalid("scroll", "a duration, without from")
	case s.Scroll > 0 && s.Size == 0:
		return nil, invalid("size", "1 or more with scroll")
	}
	if err := CheckTargets(s.Targets); err != nil {
		return nil, err
	}
	body, err := ParseSearch(s.Body)
	if err != nil {
		return nil, err
	}
	switch {
	case body.SearchAfter != nil && s.Scroll > 0:
		return nil, invalid("search_after", "nothing with scroll")
	case body.Collapse != nil && s.Scroll > 0:
		return nil, invalid("collapse", "nothing with scroll")
	case body.SearchAfter != nil && s.From > 0:
		return nil, invalid("from", "0 with search_after")
	}
	return body, body.RefuseUnsupported()
}

// CheckTargets holds the collections of a search or a count to what Searcher asks for.
func CheckTargets(targets []storage.Collection) error {
	if len(targets) == 0 {
		return invalid("targets", "one collection or more")
	}
	for i, t := range targets {
		if t.Scope != targets[0].Scope || slices.Contains(targets[:i], t) {
			return invalid("targets", "collections of one scope, each once")
		}
	}
	return nil
}

func invalid(argument, expected string) error {
	return kerror.ServicesStorageInvalidArgument.New(argument, expected)
}
