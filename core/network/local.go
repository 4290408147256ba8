package network

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// FromThisMachine reports whether a request comes from this machine: by the other end of its socket, by every address and
// host that proxies name in X-Forwarded-For, X-Real-IP, X-Forwarded-Host and Forwarded, and by the host it asks for. What
// cannot be read is not this machine. The host counts because of DNS rebinding: a page whose name suddenly means 127.0.0.1
// still sends its own name.
//
// A proxy on this machine that names nobody makes all its clients look local; nothing in a request tells them apart.
func FromThisMachine(r *http.Request) bool {
	_, found := stranger(r)
	return !found
}

// AdmitFromThisMachine lets only this machine through, and of pages in its browsers only those that it serves itself: nil,
// or api.process.unauthorized_origin.
func AdmitFromThisMachine(r *http.Request) error {
	if who, found := stranger(r); found {
		return wideOpen(who)
	}
	if page, found := foreignPage(r.Header); found {
		return wideOpen(page)
	}
	return nil
}

// stranger finds an address or a host of the request that is not this machine.
func stranger(r *http.Request) (who string, found bool) {
	if peer := PeerAddr(r.RemoteAddr); !peer.IsLoopback() {
		return peer.String(), true
	}
	for _, header := range []struct {
		name  string
		local func(string) bool
	}{
		{"X-Forwarded-For", loopbackAddress},
		{"X-Real-Ip", loopbackAddress},
		{"X-Forwarded-Host", LoopbackHost},
		{"Forwarded", loopbackElement},
	} {
		if who, found := firstOther(r.Header[header.name], header.local); found {
			return who, true
		}
	}
	return r.Host, !LoopbackHost(r.Host)
}

// firstOther finds the first entry of a list header that is not local. An empty entry is one that says nothing.
func firstOther(lines []string, local func(string) bool) (entry string, found bool) {
	for _, line := range lines {
		for entry := range strings.SplitSeq(line, ",") {
			if entry = strings.TrimSpace(entry); !local(entry) {
				return entry, true
			}
		}
	}
	return "", false
}

func loopbackAddress(s string) bool {
	addr, ok := parseHop(s)
	return ok && addr.IsLoopback()
}

// loopbackElement reads one element of the header Forwarded (RFC 7239), such as for="[::1]:4711";host=localhost. It must
// say for whom it forwards. A comma or semicolon between quotes tears it apart, and the pieces name nobody.
func loopbackElement(s string) bool {
	named := false
	for pair := range strings.SplitSeq(s, ";") {
		name, value, _ := strings.Cut(pair, "=")
		value = strings.TrimSpace(value)
		if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
			value = value[1 : n-1]
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "for":
			named = true
			if !loopbackAddress(value) {
				return false
			}
		case "by":
			if !loopbackAddress(value) {
				return false
			}
		case "host":
			if !LoopbackHost(value) {
				return false
			}
		}
	}
	return named
}

// foreignPage finds the web page that made a browser send the request, when this machine does not serve it. Browsers leave
// Origin out of a GET that a link, an image or a script makes, but say in Sec-Fetch-Site where it came from.
func foreignPage(h http.Header) (page string, found bool) {
	named := false
	for _, origin := range h["Origin"] {
		if origin == "" {
			continue
		}
		named = true
		if u, err := url.Parse(origin); err != nil || !LoopbackHost(u.Host) {
			return origin, true
		}
	}
	if named {
		return "", false
	}
	for _, site := range h["Sec-Fetch-Site"] {
		if !slices.Contains(ownSites, site) {
			return site, true
		}
	}
	return "", false
}

// ownSites are the values of Sec-Fetch-Site of requests that no page of another site made.
var ownSites = []string{"none", "same-origin", "same-site"}

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
