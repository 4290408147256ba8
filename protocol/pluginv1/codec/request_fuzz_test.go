package codec_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// FuzzToRequest: whatever a peer sends is refused or is a request, one without a token that says the same when it is sent on.
func FuzzToRequest(f *testing.F) {
	for _, r := range []*pluginv1.Request{
		{},
		{RequestId: "r", Controller: "c", Action: "a", Args: []byte(`{"a":1,"b":[true]}`), Body: []byte(`{}`), User: &pluginv1.User{Id: "ann", ProfileIds: []string{"p"}}},
		{Args: []byte(`{"a":"1"}`), ArgsFromText: true, RawBody: []byte{0}, ContentType: "text/plain", Hops: 3, Caller: "x"},
		{Args: []byte(`[]`)},
		{Args: []byte(`{"a":1,"a":2}`)},
		{Connection: &pluginv1.Connection{Id: "c", Headers: []*pluginv1.Header{
			{Name: "cookie", Values: []string{"authToken=t; a=b"}}, {Name: "Authorization", Values: []string{"bearer t"}}, {Name: "", Values: nil},
		}}},
	} {
		b, err := proto.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		var in pluginv1.Request
		if proto.Unmarshal(message, &in) != nil {
			return
		}
		var got, again protocol.Request
		if err := codec.ToRequest(&in, &got); err != nil {
			return
		}
		if got.Token != "" || got.Connection == nil {
			t.Fatalf("%+v", got)
		}
		sent := codec.FromRequest(&got, "plugin")
		if err := codec.ToRequest(sent, &again); err != nil {
			t.Fatalf("sent on it cannot be read: %v", err)
		}
		if string(again.Args.JSON()) != string(got.Args.JSON()) || string(again.Body) != string(got.Body) || again.RequestID != got.RequestID {
			t.Errorf("%+v became %+v", got, again)
		}
		for _, h := range sent.GetConnection().GetHeaders() {
			for _, v := range h.GetValues() {
				if h.GetName() == "Authorization" && strings.HasPrefix(strings.ToLower(v), "bearer") {
					t.Errorf("a token crosses: %q", v)
				}
			}
		}
	})
}
