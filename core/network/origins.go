package network

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// Origins are the web origins that may call the node. A request without the header Origin comes from no web page and is
// not their matter.
type Origins struct {
	all      bool
	exact    map[string]struct{}
	patterns []*regexp.Regexp
	// wide are patterns that take in whatever host there is, and so name none.
	wide []*regexp.Regexp
}

// anyone are origins that no operator means by name.
var anyone = []string{"https://any.invalid", "http://any.invalid", "https://any.invalid:1", "http://any.invalid:1"}

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
			if slices.ContainsFunc(anyone, p.MatchString) {
				o.wide = append(o.wide, p)
			} else {
				o.patterns = append(o.patterns, p)
			}
		default:
			o.exact[entry] = struct{}{}
		}
	}
	return o, nil
}

// Allowed reports whether pages of this origin may call.
func (o *Origins) Allowed(origin string) bool {
	return o.all || o.listed(origin) || matches(o.wide, origin)
}

// Named reports whether the operator trusts pages of this very origin, also with the cookies of their users. By * and its like
// he names nobody, and null is the origin of pages from anywhere.
func (o *Origins) Named(origin string) bool { return origin != "null" && o.listed(origin) }

func (o *Origins) listed(origin string) bool {
	_, ok := o.exact[origin]
	return ok || matches(o.patterns, origin)
}

func matches(patterns []*regexp.Regexp, origin string) bool {
	return slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(origin) })
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
