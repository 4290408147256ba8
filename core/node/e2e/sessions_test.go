package e2e

import "testing"

// TestOfficialSDKOnSessions runs sdk-sessions.mjs. It does not depend on the engine.
func TestOfficialSDKOnSessions(t *testing.T) {
	_, port := startForSDK(t)
	run(t, "node", "sdk-sessions.mjs", port)
}
