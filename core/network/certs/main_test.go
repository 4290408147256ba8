package certs_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Pebble's goroutines cannot be stopped, and autocert tidies up at the authority in one that nobody can wait for.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/letsencrypt/pebble/v2/va.VAImpl.processTasks"),
		goleak.IgnoreAnyFunction("golang.org/x/crypto/acme/autocert.(*Manager).deactivatePendingAuthz"))
}
