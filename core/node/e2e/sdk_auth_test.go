package e2e

import "testing"

// TestOfficialSDKOnOneself runs sdk-auth.mjs.
func TestOfficialSDKOnOneself(t *testing.T) { onEachEngine(t, "sdk-auth.mjs") }
