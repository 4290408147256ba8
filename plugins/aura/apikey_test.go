package main

import (
	"net/http"
	"testing"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/protocol"
)

// Over WebSocket the headers are those of the upgrade, and count for nothing.
func TestKeysOfAnUpgradeAreNone(t *testing.T) {
	for transport, want := range map[string]string{"http": "key", "websocket": ""} {
		r := &sdk.Request{}
		r.Connection = &protocol.Connection{Protocol: transport, Header: http.Header{"Authorization": {"APIKEY key"}}}
		if _, text, err := credentials(r); err != nil || text != want {
			t.Errorf("%s: %q %v", transport, text, err)
		}
	}
}
