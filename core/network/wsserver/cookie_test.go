package wsserver

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/network"
	"github.com/sluicehq/sluice/protocol"
)

// TestCookie: every message has the token of the upgrade, but for actions that look at credentials themselves.
func TestCookie(t *testing.T) {
	o := options(t, func(_ context.Context, req *protocol.Request) (any, error) { return req.Token, nil })
	o.Cookies = network.Cookies{On: true, Origins: o.Origins, Own: func(controller, _ string) bool { return controller == "own" }}
	address, _ := serve(t, o)
	off := o
	off.Cookies = network.Cookies{}
	withoutCookies, _ := serve(t, off)
	for _, c := range []struct {
		address string
		header  http.Header
		message string
		want    string
	}{
		{address, http.Header{"Cookie": {"authToken=t"}}, `{"controller":"a","action":"b"}`, `"result":"t"`},
		{address, http.Header{"Cookie": {"authToken=t"}}, `{"controller":"own","action":"b"}`, `"result":""`},
		{address, http.Header{"Cookie": {"authToken=null"}}, `{"controller":"a","action":"b","jwt":"u"}`, `"result":"u"`},
		{address, http.Header{"Cookie": {"authToken=t"}}, `{"controller":"a","action":"b","jwt":"u"}`, `"security.token.verification_error"`},
		{address, http.Header{"Cookie": {"authToken"}}, `{"controller":"a","action":"b"}`, `"security.cookie.invalid"`},
		{address, http.Header{"Cookie": {"authToken=t"}, "Origin": {"https://app.example"}}, `{"controller":"auth","action":"checkToken","cookieAuth":true}`, `"result":"t"`},
		{address, nil, `{"controller":"auth","action":"checkToken","cookieAuth":true,"jwt":"u"}`, `"api.assert.forbidden_argument"`},
		// The HTTP server in front refuses the upgrade already.
		{address, http.Header{"Cookie": {"authToken=t"}, "Sec-Fetch-Site": {"same-site"}}, `{"controller":"a","action":"b"}`, `"api.process.unauthorized_origin"`},
		{withoutCookies, http.Header{"Cookie": {"authToken=t"}}, `{"controller":"a","action":"b"}`, `"security.cookie.unsupported"`},
		{withoutCookies, nil, `{"controller":"auth","action":"login","cookieAuth":true}`, `"security.cookie.unsupported"`},
	} {
		ws, resp, err := websocket.DefaultDialer.Dial("ws://"+c.address, c.header)
		if err != nil {
			t.Fatal(c.header, err)
		}
		_ = resp.Body.Close()
		asked := client{ws, t}
		for range 2 {
			asked.send(c.message)
			if got := asked.receive(); !strings.Contains(got, c.want) {
				t.Errorf("%v %s: %s", c.header, c.message, got)
			}
		}
		_ = ws.Close()
	}
}
