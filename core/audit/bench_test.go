package audit_test

import (
	"net/http"
	"testing"

	"github.com/sluicehq/sluice/core/audit"
	"github.com/sluicehq/sluice/protocol"
)

// BenchmarkRequest is what every request pays that is not recorded, and one that is.
func BenchmarkRequest(b *testing.B) {
	for _, action := range [][2]string{{"document", "get"}, {"security", "updateUser"}} {
		b.Run(action[0]+":"+action[1], func(b *testing.B) {
			o, _ := options(b)
			l, err := audit.Open(o)
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			req := &protocol.Request{Controller: action[0], Action: action[1], ID: "ann", Token: "token", Connection: &protocol.Connection{ClientIP: "192.0.2.1"}}
			answer := &protocol.Response{Status: http.StatusOK}
			b.ReportAllocs()
			for b.Loop() {
				l.Request(b.Context(), req, answer, true)
			}
		})
	}
}
