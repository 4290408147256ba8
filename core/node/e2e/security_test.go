package e2e

import "testing"

// TestOfficialSDKOnSecurity runs sdk-security.mjs.
func TestOfficialSDKOnSecurity(t *testing.T) { onEachEngine(t, "sdk-security.mjs") }
