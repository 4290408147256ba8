package network

import (
	"net/netip"
	"strings"
)

// Proxies are the networks whose header X-Forwarded-For is believed.
type Proxies []netip.Prefix

// maxForwarded bounds how many entries of X-Forwarded-For are looked at, counted from the right, the side that the
// nearest proxy writes.
const maxForwarded = 32

// Client gives the address that throttling counts by, and all addresses as the API shows them: the socket's, then the
// entries of X-Forwarded-For. From an untrusted peer the header has no effect on the first.
//
// The entries are read from right to left: each trusted hop vouches for the one before it, and the first untrusted is the
// client. An entry that is no address ends the walk at the hop that wrote it.
func (p Proxies) Client(peer netip.Addr, forwarded []string) (client string, ips []string) {
	peer = peer.Unmap()
	client = peer.String()
	if len(forwarded) == 0 {
		return client, []string{client}
	}
	entries := strings.Split(strings.Join(forwarded, ","), ",")
	if len(entries) > maxForwarded {
		entries = entries[len(entries)-maxForwarded:]
	}
	ips = append(make([]string, 0, 1+len(entries)), client)
	for i, entry := range entries {
		entries[i] = strings.TrimSpace(entry)
		if entries[i] != "" {
			ips = append(ips, entries[i])
		}
	}
	hop := peer
	for i := len(entries) - 1; i >= 0 && p.trusts(hop); i-- {
		addr, ok := parseHop(entries[i])
		if !ok {
			break
		}
		hop = addr
	}
	return hop.String(), ips
}

func (p Proxies) trusts(addr netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// parseHop reads an address with or without port, as proxies write both.
func parseHop(s string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return addr.Unmap().WithZone(""), true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

// PeerAddr reads the address of a socket's other end; the zero address when it has none, as in a pipe.
func PeerAddr(remote string) netip.Addr {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.IPv6Unspecified()
	}
	return ap.Addr().Unmap()
}
