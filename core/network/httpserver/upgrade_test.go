package httpserver

import (
	"context"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/network/wsserver"
)

// The whole way: the limited listener, the upgrade, a request, and one Shutdown for both protocols.
func TestUpgrade(t *testing.T) {
	o := options(t)
	o.WebSocket = wsserver.New(wsserver.Options{
		Base: o.Base, IdleTimeout: 10 * time.Second, MaxInFlight: 4, OutboxMessages: 16, OutboxBytes: 1 << 20, WriteTimeout: 5 * time.Second,
	})
	address, s := serve(t, o)
	ws, resp, err := websocket.DefaultDialer.Dial("ws://"+address+"/_ready", nil) // any path, own ones too
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	_ = resp.Body.Close()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"requestId":"r","controller":"a","action":"b"}`)); err != nil {
		t.Fatal(err)
	}
	const want = `{"requestId":"r","status":200,"error":null,"controller":"a","action":"b","volatile":null,"result":{"args":{},"body":null},"headers":{},"node":"node-1","room":"r"}`
	if _, got, err := ws.ReadMessage(); err != nil || string(got) != want {
		t.Errorf("%s %v\nwant %s", got, err, want)
	}
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	if _, _, err := ws.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseServiceRestart) {
		t.Errorf("closed with %v", err)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
	if o.Connections.Len() != 0 {
		t.Error("connections are left")
	}
}
