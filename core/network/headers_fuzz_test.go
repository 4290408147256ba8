package network

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// The client is an address that the peer has or that a trusted hop wrote, whatever else stands in the header.
func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{
		"192.0.2.1", "evil, 192.0.2.1, 10.0.0.1", "[2001:db8::1]:80, 10.0.0.2:443", "unknown", ",,,", "::ffff:192.0.2.1", "fe80::1%eth0", "10.0.0.1,10.0.0.2",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	trusted := Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, header string, fromProxy bool) {
		peer := netip.MustParseAddr("198.51.100.1")
		if fromProxy {
			peer = netip.MustParseAddr("10.1.2.3")
		}
		client, ips := trusted.Client(peer, []string{header})
		if !fromProxy && client != peer.String() {
			t.Errorf("a peer that nobody trusts is %s", client)
		}
		addr, err := netip.ParseAddr(client)
		if err != nil || addr.Zone() != "" {
			t.Errorf("the client is %q: %v", client, err)
		}
		if len(ips) == 0 || ips[0] != peer.String() || len(ips) > 1+maxForwarded {
			t.Errorf("the addresses are %q", ips)
		}
	})
}

// Without its token a URL says what it said before, and no reader finds a token in it.
func FuzzWithoutToken(f *testing.F) {
	for _, seed := range []string{"/?jwt=a", "/?a=1&jwt=a&b=2", "/?%6awt=a", "/?jw%74=a&", "/?jwt", "/?jwt=a?jwt=b&c", "/?a=%", "/?&&=&", "/a;jwt=1?b+c=%ff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		kept := WithoutToken(uri)
		if again := WithoutToken(kept); again != kept {
			t.Errorf("%q becomes %q and then %q", uri, kept, again)
		}
		path, query, _ := strings.Cut(kept, "?")
		if !strings.HasPrefix(uri, path) {
			t.Errorf("%q becomes %q", uri, kept)
		}
		values, _ := url.ParseQuery(query) // what can be read is read
		if values.Has(tokenParameter) {
			t.Errorf("%q becomes %q, which has a token", uri, kept)
		}
	})
}
