package network

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// Origins are the web origins that may call the node. A request without the header Origin comes from no web page and is
// not their matter.
type Origins struct {
	all      bool
	exact    map[string]struct{}
	patterns []*regexp.Regexp
}

// NewOrigins reads the list, in which * means all. With asPatterns each entry is a regular expression that must match the
// whole origin.
func NewOrigins(list []string, asPatterns bool) (*Origins, error) {
	o := &Origins{exact: map[string]struct{}{}}
	for _, entry := range list {
		switch {
		case entry == "*":
			o.all = true
		case asPatterns:
			p, err := regexp.Compile(`^(?:` + entry + `)$`)
			if err != nil {
				return nil, fmt.Errorf("allowed origin %q: %w", entry, err)
			}
			o.patterns = append(o.patterns, p)
		default:
			o.exact[entry] = struct{}{}
		}
	}
	return o, nil
}

// Allowed reports whether pages of this origin may call.
func (o *Origins) Allowed(origin string) bool {
	if o.all {
		return true
	}
	if _, ok := o.exact[origin]; ok {
		return true
	}
	for _, p := range o.patterns {
		if p.MatchString(origin) {
			return true
		}
	}
	return false
}

func (o *Origins) admit(origin string) error {
	if origin == "" || o.Allowed(origin) {
		return nil
	}
	return kerror.APIProcessUnauthorizedOrigin.New(origin)
}

// wideOpen refuses who, an address, a host, an origin or a kind of site, and says what to do.
func wideOpen(who string) error {
	e := kerror.APIProcessUnauthorizedOrigin.New(who)
	e.Message = "Everybody may do everything on this node, so it serves nobody but its own machine by the name localhost, and not " +
		strconv.Quote(who) + ". Make the first administrator with security:createFirstAdmin and reset, then it serves others."
	return e
}
