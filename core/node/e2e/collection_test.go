package e2e

import "testing"

// TestOfficialSDKOnCollections runs sdk-collection.mjs.
func TestOfficialSDKOnCollections(t *testing.T) {
	_, port := startForSDK(t)
	run(t, "node", "sdk-collection.mjs", port)
}
