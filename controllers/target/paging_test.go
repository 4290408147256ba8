package target_test

import (
	"errors"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

func args(t *testing.T, object string) protocol.Args {
	t.Helper()
	a, err := protocol.ParseArgs(jsontext.Value(object), "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestSearch(t *testing.T) {
	p := target.Paging{MaxFetch: 100, MaxScroll: time.Minute}
	for _, c := range []struct {
		args, body string
		want       storage.Search
		err        *kerror.Def
	}{
		{`{}`, `{"query":{}}`, storage.Search{Size: 10}, nil},
		{`{"from":5,"size":7}`, `{"from":1,"size":2}`, storage.Search{From: 5, Size: 7}, nil},
		{`{}`, `{"from":1,"size":0}`, storage.Search{From: 1}, nil},
		{`{"size":100,"scroll":"1m"}`, `{}`, storage.Search{Size: 100, Scroll: time.Minute}, nil},
		{`{"scroll":"60000ms"}`, `{}`, storage.Search{Size: 10, Scroll: time.Minute}, nil},
		{`{"scroll":null}`, `{}`, storage.Search{Size: 10}, nil},
		{`{"size":101}`, `{}`, storage.Search{}, kerror.ServicesStorageGetLimitExceeded},
		{`{"size":9007199254740991}`, `{}`, storage.Search{}, kerror.ServicesStorageGetLimitExceeded},
		{`{"size":-1}`, `{}`, storage.Search{}, kerror.APIAssertInvalidArgument},
		{`{}`, `{"from":-1}`, storage.Search{}, kerror.APIAssertInvalidArgument},
		{`{"from":"x"}`, `{}`, storage.Search{}, kerror.APIAssertInvalidType},
		{`{"scroll":"61s"}`, `{}`, storage.Search{}, kerror.ServicesStorageScrollDurationTooGreat},
		{`{"scroll":"106752d"}`, `{}`, storage.Search{}, kerror.ServicesStorageScrollDurationTooGreat},
		{`{"scroll":"9000000000000000000d"}`, `{}`, storage.Search{}, kerror.ServicesStorageScrollDurationTooGreat},
		{`{"scroll":"0s"}`, `{}`, storage.Search{}, kerror.APIAssertInvalidArgument},
		{`{"scroll":"-1s"}`, `{}`, storage.Search{}, kerror.APIAssertInvalidArgument},
		{`{"scroll":"1.5s"}`, `{}`, storage.Search{}, kerror.APIAssertInvalidArgument},
		{`{"scroll":"ms"}`, `{}`, storage.Search{}, kerror.APIAssertInvalidArgument},
		{`{"scroll":""}`, `{}`, storage.Search{}, kerror.APIAssertInvalidArgument},
		{`{"scroll":15}`, `{}`, storage.Search{}, kerror.APIAssertInvalidType},
	} {
		body := args(t, c.body)
		got, err := p.Search(&protocol.Request{Args: args(t, c.args)}, &body, 10)
		if c.err != nil {
			if !errors.Is(err, c.err) {
				t.Errorf("%s %s: %v, want %v", c.args, c.body, err, c.err)
			}
			continue
		}
		if err != nil || got.From != c.want.From || got.Size != c.want.Size || got.Scroll != c.want.Scroll {
			t.Errorf("%s %s: %+v %v", c.args, c.body, got, err)
		}
		if body.Has("from") || body.Has("size") {
			t.Errorf("%s %s: left in the body", c.args, c.body)
		}
	}
}

func TestScroll(t *testing.T) {
	p := target.Paging{MaxFetch: 100, MaxScroll: time.Minute}
	id, keep, err := p.Scroll(&protocol.Request{Args: args(t, `{"scrollId":"a"}`)})
	if id != "a" || keep != 15*time.Second || err != nil {
		t.Error(id, keep, err)
	}
	if _, keep, err := p.Scroll(&protocol.Request{Args: args(t, `{"scrollId":"a","scroll":"5s"}`)}); keep != 5*time.Second || err != nil {
		t.Error(keep, err)
	}
	if _, _, err := p.Scroll(&protocol.Request{Args: args(t, `{}`)}); !errors.Is(err, kerror.APIAssertMissingArgument) {
		t.Error(err)
	}
	if _, _, err := p.Scroll(&protocol.Request{Args: args(t, `{"scrollId":"a","scroll":"2m"}`)}); !errors.Is(err, kerror.ServicesStorageScrollDurationTooGreat) {
		t.Error(err)
	}
}
