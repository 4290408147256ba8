package e2e

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// answerOf reads the data of an event.
func answerOf(t *testing.T, e nodetest.Event) nodetest.Answer {
	t.Helper()
	a := nodetest.Answer{Body: e.Data}
	if err := json.Unmarshal([]byte(e.Data), &a.Envelope); err != nil {
		t.Fatalf("%+v: %v", e, err)
	}
	return a
}

// expect reads messages of one publisher.
func expect(t *testing.T, s *nodetest.Stream, publisher string, numbers ...int) (last string) {
	t.Helper()
	for _, want := range numbers {
		e := s.Next()
		a := answerOf(t, e)
		if e.Name != "message" || a.Get("result._source.publisher") != publisher || a.Get("result._source.number") != float64(want) || e.ID != a.Get("messageId") {
			t.Fatalf("%+v, want number %d of %s", e, want, publisher)
		}
		last = e.ID
	}
	return last
}

const everything = "index=i&collection=c"

func TestAStreamThatComesBackGetsWhatItMissed(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	s := n.Events(everything)
	begun := s.Next()
	a := answerOf(t, begun)
	room, _ := a.Get("result.roomId").(string)
	if begun.Name != "subscribed" || room == "" || begun.ID == "" || begun.ID != a.Get("result.lastMessageId") {
		t.Fatalf("%+v", begun)
	}
	awaitCount(n.Client, room, 1)
	s.Close() // nothing was read but the beginning
	awaitCount(n.Client, room, 0)
	publish(n.Client, "p", 0)

	s = n.Events(everything, "Last-Event-ID: "+begun.ID)
	if e := s.Next(); answerOf(t, e).Get("result.resumed") != true || e.ID != begun.ID {
		t.Errorf("%+v", e)
	}
	last := expect(t, s, "p", 0)
	publish(n.Client, "p", 1)
	publish(n.Client, "p", 2)
	last = max(last, expect(t, s, "p", 1))
	s.Close() // 2 may have arrived, and was not read
	awaitCount(n.Client, room, 0)
	for i := 3; i < 20; i++ {
		publish(n.Client, "p", i)
	}
	s = n.Events(everything + "&lastEventId=" + url.QueryEscape(last))
	s.Next()
	missed := make([]int, 0, 18)
	for i := 2; i < 20; i++ {
		missed = append(missed, i)
	}
	expect(t, s, "p", missed...)
	publish(n.Client, "now", 0)
	expect(t, s, "now", 0)
}

func TestAStreamIsToldOfAGap(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{Dev: true, Configure: func(c *config.Config) { c.Realtime.HistoryMessages = 2 }})
	s := n.Events(everything)
	begun := s.Next()
	room, _ := answerOf(t, begun).Get("result.roomId").(string)
	s.Close()
	awaitCount(n.Client, room, 0)
	for i := range 3 {
		publish(n.Client, "away", i)
	}
	s = n.Events(everything, "Last-Event-ID: "+begun.ID)
	again := s.Next()
	if answerOf(t, again).Get("result.resumed") != false || again.ID == begun.ID {
		t.Errorf("%+v", again)
	}
	if e := s.Next(); e != (nodetest.Event{Name: "gap", ID: again.ID, Data: `{"lastEventId":"` + begun.ID + `"}`}) {
		t.Errorf("%+v", e)
	}
	publish(n.Client, "now", 0)
	expect(t, s, "now", 0)

	off := nodetest.Start(t, nodetest.Options{Dev: true, Configure: func(c *config.Config) { c.Realtime.ResumeWindow = 0 }})
	s = off.Events(everything, "Last-Event-ID: "+begun.ID)
	if first, second := s.Next(), s.Next(); first.ID != "" || second.Name != "gap" {
		t.Errorf("%+v %+v", first, second)
	}
	publish(off.Client, "now", 0)
	if e := s.Next(); e.ID != "" || e.Name != "message" {
		t.Errorf("%+v", e)
	}
}

// A stream hears what a WebSocket subscription with the same filter and scope would.
func TestAStreamHearsDocumentsThatLeaveItsFilter(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	n.Must("POST", "/i/_create", "")
	n.Must("PUT", "/i/c", `{"mappings":{"properties":{"age":{"type":"integer"}}}}`)
	s := n.Events(everything + "&scope=out&users=all&volatile=%7B%22from%22:%22page%22%7D&filter=" + url.QueryEscape(`{"range":{"age":{"gte":18}}}`))
	begun := answerOf(t, s.Next())
	if begun.Get("volatile.from") != "page" {
		t.Error(begun.Body)
	}
	if e := answerOf(t, s.Next()); e.Get("type") != "user" || e.Get("user") != "in" || e.Get("protocol") != "sse" || e.Get("volatile.from") != "page" {
		t.Error(e.Body)
	}
	n.Must("POST", "/i/c/ann/_create", `{"age":20}`)
	n.Must("PUT", "/i/c/ann/_update", `{"age":10}`)
	if e := answerOf(t, s.Next()); e.Get("type") != "document" || e.Get("scope") != "out" || e.Get("action") != "update" || e.Get("result._source.age") != 10.0 || e.Get("room") != begun.Get("result.channel") {
		t.Error(e.Body)
	}
}

func TestAStreamNeedsTheRightToSubscribe(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{})
	if r := n.Events(everything).Refusal; r.Status != 401 || r.Get("error.id") != "security.rights.unauthorized" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	n.Must("POST", "/_createFirstAdmin/root?reset", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	token := n.Login("root", "root-Secret-1", "")
	if r := n.Events(everything + "&jwt=" + token + "x").Refusal; r.Status != 401 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if r := n.Events("index=i&jwt=" + token).Refusal; r.Status != 400 || r.Get("error.id") != "api.assert.missing_argument" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if r := n.Events(everything + "&filter=%7B%22no%22:1%7D&jwt=" + token).Refusal; r.Status != 400 || r.Get("error.id") != "api.assert.koncorde_dsl_error" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if e := n.Events(everything + "&jwt=" + token).Next(); e.Name != "subscribed" {
		t.Errorf("%+v", e)
	}
	if e := n.Events(everything, "Authorization: Bearer "+token).Next(); e.Name != "subscribed" {
		t.Errorf("%+v", e)
	}
	if strings.Contains(n.Log.String(), token) {
		t.Error("the token is in the log")
	}
}

// TestAStreamEndsWithItsToken and with the right to subscribe, and who comes back is refused.
func TestAStreamEndsWithItsToken(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{Configure: func(c *config.Config) { c.WebSocket.IdleTimeout = time.Second }})
	n.Must("POST", "/_createFirstAdmin/root?reset", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	root := "Authorization: Bearer " + n.Login("root", "root-Secret-1", "")
	setRole := func(controllers string) {
		t.Helper()
		n.Must("PUT", "/roles/default", `{"controllers":{`+controllers+`}}`, root)
	}
	setRole(`"auth":{"actions":{"*":true}},"realtime":{"actions":{"subscribe":true}}`)
	for name, c := range map[string]struct {
		expiresIn string
		end       func(token string)
		notice    string
		status    int
	}{
		"expired": {"2s", func(string) {}, "TokenExpired", 401},
		"logout":  {"1h", func(token string) { n.Must("POST", "/_logout", "", "Authorization: Bearer "+token) }, "", 401},
		"right":   {"1h", func(string) { setRole(`"auth":{"actions":{"*":true}}`) }, "SubscriptionsEnded", 403},
		"user":    {"1h", func(string) { n.Must("DELETE", "/users/user", "", root) }, "", 401},
	} {
		t.Run(name, func(t *testing.T) {
			setRole(`"auth":{"actions":{"*":true}},"realtime":{"actions":{"subscribe":true}}`)
			n.CreateUser(name, `{"profileIds":["default"]}`, name, "ann-Secret-1", root)
			token := n.Login(name, "ann-Secret-1", "?expiresIn="+c.expiresIn)
			s := n.Events(everything + "&jwt=" + token)
			begun := s.Next()
			c.end(token)
			rest, err := s.Rest()
			if err != nil || (c.notice == "") != (len(rest) == 0) || len(rest) > 1 || c.notice != "" && answerOf(t, rest[0]).Get("type") != c.notice {
				t.Errorf("%v, then %v", rest, err)
			}
			if r := n.Events(everything+"&jwt="+token, "Last-Event-ID: "+begun.ID).Refusal; r.Status != c.status {
				t.Errorf("%d %s", r.Status, r.Body)
			}
		})
	}
}

func TestAStoppingNodeEndsStreams(t *testing.T) {
	n := nodetest.Start(t, nodetest.Options{Dev: true})
	streams := make([]*nodetest.Stream, 5)
	for i := range streams {
		streams[i] = n.Events(everything)
		streams[i].Next()
	}
	publish(n.Client, "last", 0)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		t.Error(err)
	}
	for i, s := range streams {
		if rest, err := s.Rest(); err != nil || len(rest) != 1 {
			t.Errorf("stream %d: %v, then %v", i, rest, err)
		}
	}
}

// TestEventSource runs sse.mjs: the EventSource of browsers, behind a proxy that breaks connections.
func TestEventSource(t *testing.T) {
	_, port := startForSDK(t)
	run(t, "node", "sse.mjs", port)
}
