package certs

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// challengeConnections and challengeTime bound a port on which only the authority has any business.
	challengeConnections = 64
	challengeTime        = 5 * time.Second
	challengeHeaderBytes = 8 << 10
)

// Challenges answers HTTP-01 challenges over plain HTTP, and everything else with 404.
//
// Life: NewChallenges, Serve once, Shutdown.
type Challenges struct{ server http.Server }

// NewChallenges makes a server for what a is asked.
func NewChallenges(a *ACME) *Challenges {
	return &Challenges{server: http.Server{
		Handler:     withoutPort(a.manager.HTTPHandler(http.NotFoundHandler())),
		ReadTimeout: challengeTime, WriteTimeout: challengeTime, MaxHeaderBytes: challengeHeaderBytes,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}}
}

// withoutPort hides the port of the header Host, which a port of the operator's own choice brings, from who looks for a name.
func withoutPort(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, err := net.SplitHostPort(r.Host); err == nil {
			r.Host = host
		}
		next.ServeHTTP(w, r)
	})
}

// Serve takes over the listener until Shutdown, which ends it without an error. Connections in excess wait.
func (c *Challenges) Serve(l net.Listener) error {
	err := c.server.Serve(netutil.LimitListener(l, challengeConnections))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Shutdown lets running answers end, at most until ctx does.
func (c *Challenges) Shutdown(ctx context.Context) error {
	return errors.Join(c.server.Shutdown(ctx), c.server.Close())
}
