package wsserver

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/network"
)

// begin sends the first frame of a message, of which some bytes are still missing.
func (c client) begin(opcode byte, length int, text string) {
	c.t.Helper()
	head := binary.BigEndian.AppendUint64([]byte{opcode, 0xff}, uint64(length))
	c.write(append(append(head, 0, 0, 0, 0), text...)) // the mask changes nothing
}

// write sends bytes past the library.
func (c client) write(b []byte) {
	c.t.Helper()
	if _, err := c.NetConn().Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// closed waits for the close frame behind other messages.
func (c client) closed() int {
	c.t.Helper()
	for {
		_, _, err := c.ReadMessage()
		var closed *websocket.CloseError
		switch {
		case errors.As(err, &closed):
			return closed.Code
		case err != nil:
			c.t.Fatal(err)
		}
	}
}

// A message that has begun must be complete in time, however long a client may be silent and whatever comes with it.
func TestMessageMustBeCompleteInTime(t *testing.T) {
	const (
		final, text = 0x80, 0x01
		emptyPing   = "\x89\x80\x00\x00\x00\x00"
		emptyPart   = "\x00\x80\x00\x00\x00\x00"
	)
	for name, c := range map[string]struct {
		opcode byte
		length int
		drip   string
	}{
		"silent":      {final | text, 5000, ""},
		"byte a time": {final | text, 50000, "x"},
		"pings":       {text, 4, emptyPing},
		"parts":       {text, 4, emptyPart},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t, byAction)
			o.IdleTimeout, o.MessageTimeout = time.Minute, 100*time.Millisecond
			address, _ := serve(t, o)
			ws := dial(t, address)
			ws.begin(c.opcode, c.length, "    ")
			stop := make(chan struct{})
			dripped := make(chan struct{})
			go func() {
				defer close(dripped)
				for c.drip != "" {
					select {
					case <-stop:
						return
					case <-time.After(5 * time.Millisecond):
					}
					if _, err := ws.NetConn().Write([]byte(c.drip)); err != nil {
						return
					}
				}
			}()
			if code := ws.closed(); code != closeFailed {
				t.Errorf("closed with %d", code)
			}
			close(stop)
			<-dripped
		})
	}
}

// The time of a message is not that of the silence after it.
func TestSilenceAfterALargeMessage(t *testing.T) {
	o := options(t, byAction)
	o.MessageTimeout = 200 * time.Millisecond
	address, _ := serve(t, o)
	c := dial(t, address)
	c.send(`{"requestId":"large"}` + strings.Repeat(" ", 20<<10))
	if e := c.answer(); e.Status != 200 {
		t.Errorf("%+v", e)
	}
	time.Sleep(2 * o.MessageTimeout)
	c.send(`{"requestId":"later"}`)
	if e := c.answer(); e.Status != 200 || e.RequestID != "later" {
		t.Errorf("%+v", e)
	}
}

// full waits until there is no room for one more byte of unfinished messages.
func full(t *testing.T, u *network.Unfinished) {
	t.Helper()
	eventually(t, "an unfinished message has room", func() bool {
		a := network.NewArrival(u)
		defer a.Done()
		return a.Take(t.Context(), 1, time.Millisecond) != nil
	})
}

// Large messages wait for room while others are unfinished; small ones do not.
func TestLargeMessagesWaitForRoom(t *testing.T) {
	o := options(t, byAction)
	o.Unfinished = network.NewUnfinished(1) // one at a time
	address, _ := serve(t, o)
	first, second, small := dial(t, address), dial(t, address), dial(t, address)
	const missing = 10 << 10
	message := `{"requestId":"first"}` + strings.Repeat(" ", 30<<10)
	first.begin(0x81, len(message)+missing, message)
	full(t, o.Unfinished)
	second.send(`{"requestId":"second"}` + strings.Repeat(" ", 30<<10))
	answered := make(chan envelope, 1)
	go func() { answered <- second.answer() }()
	small.send(`{"requestId":"small"}`)
	if e := small.answer(); e.RequestID != "small" {
		t.Errorf("%+v", e)
	}
	select {
	case e := <-answered:
		t.Errorf("no room was needed: %+v", e)
	case <-time.After(50 * time.Millisecond):
	}
	first.write([]byte(strings.Repeat(" ", missing)))
	if e := first.answer(); e.RequestID != "first" {
		t.Errorf("%+v", e)
	}
	if e := <-answered; e.RequestID != "second" {
		t.Errorf("%+v", e)
	}
}

// Who holds room and sends nothing loses it; who finds none in time is told.
func TestStalledMessageGivesItsRoomBack(t *testing.T) {
	o := options(t, byAction)
	o.Unfinished = network.NewUnfinished(1)
	o.MessageTimeout = 300 * time.Millisecond
	address, _ := serve(t, o)
	stalled, waiting := dial(t, address), dial(t, address)
	stalled.begin(0x81, 60<<10, strings.Repeat(" ", 30<<10))
	full(t, o.Unfinished)
	if code := stalled.closed(); code != closeFailed {
		t.Errorf("closed with %d", code)
	}
	waiting.send(`{"requestId":"r"}` + strings.Repeat(" ", 30<<10))
	if e := waiting.answer(); e.Status != 200 {
		t.Errorf("%+v", e)
	}
	held := network.NewArrival(o.Unfinished)
	defer held.Done()
	if err := held.Take(t.Context(), 1, time.Second); err != nil {
		t.Fatal(err)
	}
	waiting.send(strings.Repeat(" ", 30<<10))
	if code := waiting.closed(); code != closeFailed {
		t.Errorf("closed with %d", code)
	}
}

// A connection that waits for room can be closed at once.
func TestCloseWhileWaitingForRoom(t *testing.T) {
	o := options(t, byAction)
	o.Unfinished = network.NewUnfinished(1)
	o.MessageTimeout = time.Hour
	address, s := serve(t, o)
	held := network.NewArrival(o.Unfinished)
	defer held.Done()
	if err := held.Take(t.Context(), 1, time.Second); err != nil {
		t.Fatal(err)
	}
	c := dial(t, address)
	c.send(strings.Repeat(" ", 30<<10))
	eventually(t, "it is open", func() bool { return o.Connections.Len() == 1 })
	s.open.All()[0].Close(websocket.ClosePolicyViolation, "out")
	if code := c.closed(); code != websocket.ClosePolicyViolation {
		t.Errorf("closed with %d", code)
	}
	eventually(t, "it is gone", func() bool { return o.Connections.Len() == 0 })
}
