package sdktest_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/sdktest"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// words are the credentials of the strategy word: one word a user, in memory.
type words struct {
	mu sync.Mutex
	of map[string]string // by kuid
}

func (w *words) strategy() sdk.Strategy {
	return sdk.Strategy{
		Name: "word", Fields: []string{"word"},
		Verify: func(_ context.Context, l *sdk.Login) (sdk.Outcome, error) {
			if l.Field("word") == "" {
				return sdk.Outcome{Redirect: &sdk.Redirect{StatusCode: 401, Header: http.Header{"Www-Authenticate": {"Word"}}}}, nil
			}
			return sdk.Outcome{KUID: w.who(l.Field("word")), Message: "Another word."}, nil
		},
		Exists: func(_ context.Context, _ *sdk.Request, kuid string) (bool, error) { return w.get(kuid) != "", nil },
		Validate: func(_ context.Context, _ *sdk.Request, c sdk.Credentials) error {
			if c.Update {
				return nil
			}
			_, err := read(c)
			return err
		},
		Create: w.put, Update: w.put,
		Delete: func(_ context.Context, _ *sdk.Request, kuid string) error {
			w.set(kuid, "")
			return nil
		},
		ByID: func(_ context.Context, _ *sdk.Request, id string) (any, error) {
			return map[string]string{"kuid": w.who(id)}, nil
		},
		Search: func(_ context.Context, _ *sdk.Request, s sdk.CredentialSearch) (sdk.CredentialsFound, error) {
			if s.Query != nil || s.Sort == nil || s.Size != 10 {
				return sdk.CredentialsFound{}, kerror.Bare(kerror.ForbiddenError, "All or nothing.")
			}
			return sdk.CredentialsFound{Hits: []any{map[string]string{"kuid": "ann"}}, Total: 1}, nil
		},
	}
}

func read(c sdk.Credentials) (string, error) {
	var in struct{ Word string }
	if err := json.Unmarshal(c.Value, &in, json.MatchCaseInsensitiveNames(true)); err != nil || in.Word == "" {
		return "", kerror.SecurityCredentialsRejected.New("there must be a word")
	}
	return in.Word, nil
}

func (w *words) put(_ context.Context, _ *sdk.Request, c sdk.Credentials) (any, error) {
	word, err := read(c)
	if err == nil {
		w.set(c.KUID, word)
	}
	return nil, err
}

func (w *words) get(kuid string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.of[kuid]
}

func (w *words) set(kuid, word string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.of[kuid] = word
}

func (w *words) who(word string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for kuid, has := range w.of {
		if has == word {
			return kuid
		}
	}
	return ""
}

func TestStrategy(t *testing.T) {
	w := &words{of: map[string]string{}}
	n := nodetest.Start(t, nodetest.Options{Dev: true, InProcess: sdktest.InProcess(t, sdk.Plugin{
		ID: "words", Version: "1", Strategies: []sdk.Strategy{w.strategy()},
	})})
	n.CreateUser("ann", `{"profileIds":["default"]}`, "ann", "a-Secret-1")
	for _, c := range []struct {
		verb, path, body string
		status           int
		want             any // at the path below
		at               string
	}{
		{"POST", "/credentials/word/ann/_create", `{}`, 400, "security.credentials.rejected", "error.id"},
		{"POST", "/credentials/word/ann/_create", `{"word":"sesame"}`, 200, nil, "result"},
		{"POST", "/_login/word", `{"word":"sesame"}`, 200, "ann", "result._id"},
		{"POST", "/_login/word?word=other", `{"word":"sesame"}`, 200, "ann", "result._id"}, // the body wins
		{"GET", "/_login/word?word=sesame", ``, 200, "ann", "result._id"},
		{"POST", "/_login/word", `{"word":"other"}`, 401, "Another word.", "error.message"},
		{"GET", "/_login/word", ``, 401, "Word", "result.headers.Www-Authenticate"},
		{"PUT", "/credentials/word/ann/_update", `{}`, 400, "security.credentials.rejected", "error.id"}, // by Update itself
		{"GET", "/credentials/word/sesame/_byId", ``, 200, "ann", "result.kuid"},
		{"POST", "/credentials/word/users/_search", `{"sort":["word"]}`, 200, 1.0, "result.total"},
		{"POST", "/credentials/word/users/_search", `{"query":{"term":{"word":"sesame"}}}`, 403, "All or nothing.", "error.message"},
		{"DELETE", "/credentials/word/ann", ``, 200, true, "result.acknowledged"},
		{"POST", "/_login/word", `{"word":"sesame"}`, 401, "plugin.strategy.missing_user", "error.id"},
	} {
		a := n.HTTP(c.verb, c.path, c.body)
		if a.Status != c.status || a.Get(c.at) != c.want {
			t.Errorf("%s %s %s: %d %s", c.verb, c.path, c.body, a.Status, a.Body)
		}
	}
}
