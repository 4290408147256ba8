package settings

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

func TestDuration(t *testing.T) {
	var s struct {
		D Duration `json:"d"`
	}
	if err := json.Unmarshal([]byte(`{"d":"1m30s"}`), &s); err != nil || s.D.Duration != 90*time.Second {
		t.Errorf("%v %v", s, err)
	}
	if b, err := json.Marshal(s); err != nil || string(b) != `{"d":"1m30s"}` {
		t.Errorf("%s %v", b, err)
	}
	for _, bad := range []string{`"90"`, `"-1s"`, `90`, `"1 day"`, `""`} {
		if err := json.Unmarshal([]byte(`{"d":`+bad+`}`), &s); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}
