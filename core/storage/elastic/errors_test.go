package elastic

import (
	"errors"
	"net/http"
	"testing"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// TestRefusals: which refusals stand for a cluster that is away, which may be tried again, and what clients are told.
func TestRefusals(t *testing.T) {
	flood := `{"error":{"type":"cluster_block_exception","reason":"index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];"},"status":429}`
	for name, test := range map[string]struct {
		status     int
		body       string
		away, busy bool
		want       *kerror.Def
	}{
		"busy":               {429, `{"error":{"type":"es_rejected_execution_exception"},"status":429}`, false, true, kerror.ServicesStorageTooManyOperations},
		"full disk":          {429, flood, false, false, kerror.ServicesStorageUnexpectedError},
		"proxy with no one":  {502, `<html>`, true, false, kerror.ServicesStorageNotConnected},
		"proxy that waited":  {504, ``, true, false, kerror.ServicesStorageNotConnected},
		"no master":          {503, `{"error":{"type":"master_not_discovered_exception"},"status":503}`, true, false, kerror.ServicesStorageNotConnected},
		"just started":       {503, `{"error":{"type":"cluster_block_exception","reason":"blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];"}}`, true, false, kerror.ServicesStorageNotConnected},
		"shard that is away": {503, `{"error":{"type":"unavailable_shards_exception"},"status":503}`, false, false, kerror.ServicesStorageNotConnected},
		"block":              {403, `{"error":{"type":"cluster_block_exception","reason":"blocked by: [FORBIDDEN/8/index write (api)];"}}`, false, false, kerror.ServicesStorageUnexpectedError},
		"credentials":        {401, `{"error":{"type":"security_exception"},"status":401}`, false, false, kerror.ServicesStorageUnexpectedError},
	} {
		f := newFailure(test.status, []byte(test.body))
		if f.away() != test.away || f.busy() != test.busy {
			t.Errorf("%s: away %v, busy %v", name, f.away(), f.busy())
		}
		wantErr(t, name, f.public(), test.want)
	}
}

// FuzzFailure: whatever is answered, the client gets an error of the catalogue, and nothing else is taken for a busy server.
func FuzzFailure(f *testing.F) {
	f.Add(429, []byte(`{"error":{"type":"cluster_block_exception","root_cause":[{"reason":"a","caused_by":{"reason":"b"}}]},"status":429}`))
	f.Add(503, []byte(`<html>`))
	f.Add(500, []byte(`{"error":"text"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		failure := newFailure(status, body)
		if err, ok := errors.AsType[*kerror.Error](failure.public()); !ok || err.Message == "" {
			t.Errorf("the error is %v", failure.public())
		}
		if failure.busy() && status != http.StatusTooManyRequests {
			t.Error("it is taken for a busy server")
		}
	})
}
