package certs_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Pebble's goroutines cannot be stopped.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/letsencrypt/pebble/v2/va.VAImpl.processTasks"))
}
