package httpserver

import (
	"context"
	"net"
	"net/http"
	"strings"
)

// siteListener is a listener that belongs to a plugin, or to the node itself.
type siteListener struct {
	net.Listener
	plugin string
}

type siteKey struct{}

// baseContext tells every connection of a listener whose it is.
func baseContext(l net.Listener) context.Context {
	if s, ok := l.(siteListener); ok && s.plugin != "" {
		return context.WithValue(context.Background(), siteKey{}, s.plugin)
	}
	return context.Background()
}

// siteOf gives the plugin that has the host or the listener of a request for itself, "" for none. A node without any such
// plugin pays next to nothing for asking.
func (s *Server) siteOf(r *http.Request) string {
	if s.ownListeners.Load() {
		if k, ok := r.Context().Value(socketKey{}).(*socket); ok && k.site != "" {
			return k.site
		}
	}
	if len(s.o.Hosts) == 0 {
		return ""
	}
	return s.o.Hosts[hostName(r.Host)]
}

// hostName is the header Host without port, in small letters.
func hostName(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
