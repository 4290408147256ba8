package nodetest

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Event is one event of a stream, as the EventSource of a browser gives it to a page.
type Event struct {
	// Name is "message" for an event without one.
	Name, ID, Data string
}

// Stream is the stream of events that GET /_sse opened.
type Stream struct {
	// Refusal is the answer when there is no stream; its Status is 0 when there is one.
	Refusal Answer
	Header  http.Header
	// Comments counts the comments that were read.
	Comments int

	t      testing.TB
	body   *bufio.Reader
	cancel context.CancelFunc
	guard  *time.Timer
}

// Events opens a stream, on a socket of its own, that is closed when the test ends.
func (c Client) Events(query string, headers ...string) *Stream {
	c.T.Helper()
	ctx, cancel := context.WithCancel(c.T.Context())
	s := &Stream{t: c.T, cancel: cancel, guard: time.AfterFunc(patience, cancel)}
	c.T.Cleanup(s.Close)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.Address+"/_sse?"+query, nil)
	if err != nil {
		c.T.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		c.T.Fatalf("open a stream of events: %v", err)
	}
	c.T.Cleanup(func() { _ = resp.Body.Close() })
	s.Header, s.body = resp.Header, bufio.NewReader(resp.Body)
	if resp.StatusCode != http.StatusOK {
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			c.T.Fatal(err)
		}
		s.Refusal = c.answer(resp.StatusCode, resp.Header, b)
	}
	return s
}

// patience is how long a stream may keep a test waiting.
const patience = 20 * time.Second

// Next waits for an event.
func (s *Stream) Next() Event {
	s.t.Helper()
	s.guard.Reset(patience)
	e, err := s.read()
	if err != nil {
		s.t.Fatalf("wait for an event: %v %s", err, s.Refusal.Body)
	}
	return e
}

// Rest reads until the stream ends, and gives how it did: nil for a proper end.
func (s *Stream) Rest() ([]Event, error) {
	var all []Event
	for {
		s.guard.Reset(patience)
		e, err := s.read()
		if err == io.EOF { //nolint:errorlint // a stream that is cut ends in an error around it
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
}

// Close goes away, as a page that is closed.
func (s *Stream) Close() {
	s.guard.Stop()
	s.cancel()
}

func (s *Stream) read() (Event, error) {
	for {
		e, comments, err := ReadEvent(s.body)
		s.Comments += comments
		if err != nil || e != (Event{}) {
			return e, err
		}
	}
}

// ReadEvent reads a stream up to the next empty line, as the HTML standard says. It gives the zero Event for a block without
// data, and how many comments stood in it.
func ReadEvent(r *bufio.Reader) (e Event, comments int, err error) {
	e.Name = "message"
	hasData := false
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return Event{}, comments, err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "\n" && !hasData:
			return Event{}, comments, nil
		case line == "\n":
			e.Data = strings.TrimSuffix(e.Data, "\n")
			return e, comments, nil
		case name == "":
			comments++
		case name == "event":
			e.Name = value
		case name == "id":
			e.ID = value
		case name == "data":
			hasData = true
			e.Data += value + "\n"
		}
	}
}
