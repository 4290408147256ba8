package e2e

import "testing"

// TestOfficialSDKOnCollections runs sdk-collection.mjs.
func TestOfficialSDKOnCollections(t *testing.T) { onEachEngine(t, "sdk-collection.mjs") }
