package e2e

import "testing"

// TestOfficialSDKWithPasskeys runs sdk-passkey.mjs, with the lines of docs/security.md.
func TestOfficialSDKWithPasskeys(t *testing.T) {
	t.Setenv("SLUICE_SECURITY_PASSKEY_ENABLED", "true")
	t.Setenv("SLUICE_SECURITY_PASSKEY_RP_ID", "example.com")
	onEachEngine(t, "sdk-passkey.mjs")
}
