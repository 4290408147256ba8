package network

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

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

// admitLoopback lets only this machine through. The header Host is checked because of DNS rebinding: a page whose name
// suddenly means 127.0.0.1 still sends its own name.
func admitLoopback(addresses []string, host, origin string) error {
	for _, address := range addresses {
		if addr, err := netip.ParseAddr(address); err != nil || !addr.Unmap().IsLoopback() {
			return wideOpen(address)
		}
	}
	if !LoopbackHost(host) {
		return wideOpen(host)
	}
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || !LoopbackHost(u.Host) {
		return wideOpen(origin)
	}
	return nil
}

// wideOpen refuses who, an address, a host or an origin, and says what to do.
func wideOpen(who string) error {
	e := kerror.APIProcessUnauthorizedOrigin.New(who)
	e.Message = "Everybody may do everything on this node, so it serves nobody but its own machine by the name localhost, and not " +
		strconv.Quote(who) + ". Make the first administrator with security:createFirstAdmin and reset, then it serves others."
	return e
}

// LoopbackHost reports whether host, with or without a port, names this machine: localhost, a name below it, or a
// loopback address.
func LoopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
