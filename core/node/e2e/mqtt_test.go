package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// TestMQTTDocument replays docs/mqtt.md, on another port.
func TestMQTTDocument(t *testing.T) {
	needs(t, "mosquitto_pub", "mosquitto_rr")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(free.Addr().(*net.TCPAddr).Port)
	_ = free.Close()
	t.Setenv("SLUICE_MQTT_ENABLED", "true")
	t.Setenv("SLUICE_MQTT_PORT", port)
	transcript := readTranscript(t, "docs/mqtt.md")
	for i := range transcript {
		transcript[i].command = strings.ReplaceAll(transcript[i].command, "-p 1883", "-p "+port)
	}
	replay(t, serve+" --dev", transcript)
}
