package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/sluicehq/sluice/core/audit"
	"github.com/sluicehq/sluice/core/node/nodetest"
)

// secrets are what must stand nowhere in clear, by what they are.
type secrets map[string]string

// mark makes a secret that can be found again.
func (s secrets) mark(what string) string {
	s[what] = "Mark-1-" + strings.ReplaceAll(what, " ", "-") + "-" + uuid.NewString()
	return s[what]
}

// TestSecretsStandInNoLog runs a node at log level debug, hands it secrets on every way there is, and looks for them in all
// that it wrote: both outputs, the audit log and the data folder.
func TestSecretsStandInNoLog(t *testing.T) {
	nodetest.NeedsEmbedded(t, "its password and key exclude each other")
	for _, mode := range []string{"production", "dev"} {
		t.Run(mode, func(t *testing.T) {
			s := session{secrets: secrets{}, t: t, data: filepath.Join(t.TempDir(), "data")}
			s.serve(mode == "dev")
			s.logins()
			s.tokens()
			s.credentials()
			s.malformed()
			s.sockets()
			s.mqtt()
			s.plugins()
			s.throttled()
			if err := s.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := s.Wait(30 * time.Second); err != nil {
				t.Fatal(err)
			}
			s.look()
		})
	}
}

// session is one node and what it was told.
type session struct {
	secrets
	*nodetest.Process
	t    *testing.T
	data string
	mqttAddress,
	password, token, signing string
}

func (s *session) serve(dev bool) {
	s.t.Helper()
	s.signing = s.mark("signing secret")
	s.t.Setenv("SLUICE_SECURITY_AUTH_TOKEN_SECRET", s.signing)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.mqttAddress = free.Addr().String()
	_ = free.Close()
	text, err := json.Marshal(map[string]any{
		"dev": dev, "log": map[string]any{"level": "debug"},
		"mqtt":    map[string]any{"enabled": true, "port": free.Addr().(*net.TCPAddr).Port},
		"storage": map[string]any{"elasticsearch": map[string]any{"password": s.mark("database password"), "apiKey": s.mark("database key")}},
		"plugins": map[string]any{
			"dir": binaries.Plugins, "slowCallWarning": "1ms",
			"config": map[string]any{"gvp": map[string]any{"fixture": "demo"}, "aura": map[string]any{"fixture": "demo"}, "amplifi": map[string]any{"fixture": "demo"}},
			"secrets": map[string]any{
				"aura":        map[string]any{"directLineSecret": s.mark("plugin secret")},
				"comexposium": map[string]any{"unknown": s.mark("secret that nobody asks for")},
			},
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(s.t.TempDir(), "settings.yaml") // JSON is YAML
	if err := os.WriteFile(file, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.Process = binaries.Serve(s.t, "--config", file, "--data", s.data)
}

// as is the header of the administrator.
func (s *session) as() string { return "Authorization: Bearer " + s.token }

// keep remembers a token that the node made.
func (s *session) keep(what string, a nodetest.Answer, path string) string {
	s.t.Helper()
	token, ok := a.Get(path).(string)
	if !ok {
		s.t.Fatalf("%s: no token in %s", what, a.Body)
	}
	s.secrets[what] = token
	if _, bare, ok := strings.Cut(token, "-"); ok {
		s.secrets[what+" without its prefix"] = bare
	}
	return token
}

func (s *session) logins() {
	s.t.Helper()
	s.password = s.mark("right password")
	s.Must("POST", "/_createFirstAdmin/kuid-of-root?reset=true", `{"credentials":{"local":{"username":"root","password":"`+s.password+`"}}}`)
	s.HTTP("POST", "/_createFirstAdmin/kuid-of-eve", `{"credentials":{"local":{"username":"eve","password":"`+s.mark("password of a second first admin")+`"}}}`)
	s.token = s.keep("session token", s.Must("POST", "/_login/local", `{"username":"root","password":"`+s.password+`"}`), "result.jwt")
	s.keep("token of a login in the query", s.Must("GET", "/_login/local?username=root&password="+s.password, ""), "result.jwt")
	s.HTTP("POST", "/_login/local", `{"username":"root","password":"`+s.mark("wrong password")+`"}`)
	s.HTTP("POST", "/_login/local", `{"username":"`+s.mark("password in place of the name")+`","password":"x"}`)
	s.HTTP("GET", "/_login/local?username=root&password="+s.mark("wrong password in the query"), "")
	s.HTTP("POST", "/_login/"+s.mark("password in place of the strategy"), `{}`)
	s.HTTP("GET", "/_nothing/"+s.mark("password in the path"), "")
	s.Query(`{"controller":"` + s.mark("password in place of the controller") + `","action":"login"}`)
	s.Query(`{"controller":"auth","action":"` + s.mark("password in place of the action") + `"}`)
	basic := s.mark("password of basic authentication")
	s.secrets["encoded basic authentication"] = base64.StdEncoding.EncodeToString([]byte("root:" + basic))
	s.HTTP("GET", "/_me", "", "Authorization: Basic "+s.secrets["encoded basic authentication"])
}

func (s *session) tokens() {
	s.t.Helper()
	for _, token := range []string{s.token, s.mark("bad token"), "kauth-" + s.mark("bad token with its prefix"), "kapikey-" + s.mark("bad API key")} {
		s.HTTP("GET", "/_me", "", "Authorization: Bearer "+token)
		s.HTTP("GET", "/_me", "", "Authorization: "+token)
		s.HTTP("GET", "/_me?jwt="+url.QueryEscape(token), "")
		s.HTTP("GET", "/_me", "", "Cookie: authToken="+token)
		s.Query(`{"controller":"auth","action":"getCurrentUser","jwt":"` + token + `"}`)
		s.HTTP("POST", "/_checkToken", `{"token":"`+token+`"}`)
		s.HTTP("GET", "/_sse?jwt="+url.QueryEscape(token), "")
		s.HTTP("GET", "/_plugin/Comexposium/user/checkUserToken", "", "Authorization: Bearer "+token)
		s.HTTP("GET", "/x/y/z?jwt="+url.QueryEscape(token), "", "Cookie: authToken="+token)
	}
	key := s.keep("API key", s.Must("POST", "/users/kuid-of-root/api-keys/_create", `{"description":"d"}`, s.as()), "result._source.token")
	s.Must("GET", "/_me", "", "Authorization: Bearer "+key)
	own := s.Must("POST", "/api-keys/_create", `{"description":"d"}`, s.as())
	s.keep("own API key", own, "result._source.token")
	s.Must("DELETE", "/api-keys/"+own.Get("result._id").(string), "", s.as())
	single := s.keep("token for a single use", s.Must("POST", "/_createToken?singleUse=true", "", s.as()), "result.token")
	s.Must("GET", "/_me", "", "Authorization: Bearer "+single)
	s.HTTP("GET", "/_me", "", "Authorization: Bearer "+single)
	second := s.Login("root", s.password, "")
	s.secrets["refreshed token"] = second
	s.keep("token of a refresh", s.Must("POST", "/_refreshToken", "", "Authorization: Bearer "+second), "result.jwt")
	third := s.Login("root", s.password, "")
	s.secrets["token that logged out"] = third
	s.Must("POST", "/_logout", "", "Authorization: Bearer "+third)
	s.HTTP("GET", "/_me", "", "Authorization: Bearer "+third)
}

func (s *session) credentials() {
	s.t.Helper()
	object := func(what string) string { return `{"username":"ann","password":"` + s.mark(what) + `"}` }
	s.Must("POST", "/users/kuid-of-ann/_create", `{"content":{"profileIds":["default"]},"credentials":{"local":`+object("password of a new user")+`}}`, s.as())
	s.HTTP("POST", "/users/kuid-of-ann/_create", `{"content":{"profileIds":["default"]},"credentials":{"local":`+object("password of a user who is there")+`}}`, s.as())
	s.HTTP("POST", "/users/kuid-of-bob/_create", `{"content":{"profileIds":["nobody"]},"credentials":{"local":`+object("password of a user who cannot be")+`}}`, s.as())
	s.Must("PUT", "/credentials/local/kuid-of-ann/_update", object("changed password"), s.as())
	s.HTTP("POST", "/credentials/local/kuid-of-ann/_create", object("password that is one too many"), s.as())
	s.HTTP("POST", "/credentials/local/kuid-of-ann/_validate", object("validated password"), s.as())
	s.HTTP("PUT", "/credentials/local/kuid-of-ann/_update", `{"password":["`+s.mark("password in a list")+`"]}`, s.as())
	s.HTTP("PUT", "/credentials/local/kuid-of-ann/_update", `{"`+s.mark("password in place of a member")+`":1}`, s.as())
	s.HTTP("PUT", "/credentials/local/kuid-of-ann/_update", object("password of somebody who may not"))
	s.HTTP("PUT", "/_me/credentials/local/_update", object("own password of anonymous"))
	s.Must("PUT", "/_me/credentials/local/_update", `{"password":"`+s.mark("own new password")+`"}`, s.as())
	s.HTTP("POST", "/credentials/local/users/_search", `{"query":{"match":{"password":"`+s.mark("password in a search")+`"}}}`, s.as())
	// What changes the password may end the sessions of the user.
	s.token = s.keep("token of the new password",
		s.Must("POST", "/_login/local", `{"username":"root","password":"`+s.secrets["own new password"]+`"}`), "result.jwt")
}

func (s *session) malformed() {
	s.t.Helper()
	secret := func(what string) string { return `"password":"` + s.mark(what) + `"` }
	for path, bodies := range map[string][]string{
		"/_login/local": {`{` + secret("half an object"), `{` + secret("doubled") + `,"password":"x"}`, `[{` + secret("in a list") + `}]`, s.mark("bare text"), `"` + s.mark("quoted text") + `"`},
		"/_query":       {`{"controller":"auth",` + secret("half an envelope"), `{"controller":"auth","action":"login","body":{` + secret("envelope with garbage") + `}}}`, strings.Repeat(`{"a":`, 2000) + `{` + secret("deeply nested") + `}` + strings.Repeat("}", 2000)},
		"/_nothing":     {`{` + secret("to no route") + `}`},
		"/users/x":      {`{` + secret("to a wrong verb") + `}`},
	} {
		for _, body := range bodies {
			s.HTTP("POST", path, body)
			s.HTTP("POST", path, body, "Content-Type: text/"+s.mark("media type"))
			s.HTTP("POST", path, body, "Content-Encoding: gzip")
		}
	}
	s.HTTP("GET", "/_me?"+s.mark("name of an argument")+"=%zz", "")
	// A refused request may be cut off while it is sent, or answered.
	s.raw("POST /_login/local HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4000000\r\n\r\n" +
		`{` + secret("too large a body") + `,"x":"` + strings.Repeat("x", 2<<20))
	s.raw("GET /_me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + s.mark("too large a header") + strings.Repeat("x", 2<<20))
	s.raw("GET /_me HTTP/1.1\r\nAuthorization: Bearer " + s.mark("no host") + "\r\n\r\n")
	s.raw("GET /_me HTTP/9.9\r\nHost: x\r\nAuthorization: Bearer " + s.mark("unknown version") + "\r\n\r\n")
	s.raw("GET " + s.mark("garbage") + "\r\n\r\n")
	s.raw("GET /_me HTTP/1.1\r\nHost: x\r\nBad Header " + s.mark("malformed header") + "\r\n\r\n")
	s.raw("GET /_me HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + s.mark("unknown encoding") + "\r\n\r\n")
}

// raw sends bytes on a connection of their own and waits for its end or an answer.
func (s *session) raw(text string) { s.rawTo(s.Address, text) }

func (s *session) rawTo(address, text string) {
	s.t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
	_, _ = io.WriteString(conn, text) // may be cut off
	_, _ = conn.Read(make([]byte, 1024))
}

func (s *session) sockets() {
	s.t.Helper()
	ws := s.WebSocket()
	for _, envelope := range []string{
		`{"controller":"auth","action":"getCurrentUser","jwt":"` + s.token + `"}`,
		`{"controller":"auth","action":"getCurrentUser","jwt":"` + s.mark("bad token over WebSocket") + `"}`,
		`{"controller":"auth","action":"login","strategy":"local","body":{"username":"root","password":"` + s.mark("wrong password over WebSocket") + `"}}`,
		`{"controller":"auth","action":"login","body":{"password":"` + s.mark("half an envelope over WebSocket"),
		s.mark("no JSON over WebSocket"),
	} {
		ws.Call(envelope)
	}
	header := http.Header{"Cookie": {"authToken=" + s.mark("cookie of a WebSocket")}, "Authorization": {"Bearer " + s.mark("header of a WebSocket")}}
	if conn, resp, err := websocket.DefaultDialer.Dial("ws://"+s.Address+"/?jwt="+s.mark("query of a WebSocket"), header); err == nil {
		_ = resp.Body.Close()
		_ = conn.WriteMessage(websocket.BinaryMessage, []byte(`{"jwt":"`+s.mark("binary message")+`"}`))
		_ = conn.WriteMessage(websocket.TextMessage, bytes.Repeat([]byte(s.mark("too large a message")), 50_000))
		_, _, _ = conn.ReadMessage()
		_ = conn.Close()
	}
}

// mqtt connects with a name and a password, and publishes requests.
func (s *session) mqtt() {
	s.t.Helper()
	field := func(text string) string { return string([]byte{byte(len(text) >> 8), byte(len(text))}) + text }
	packet := func(kind byte, body string) string {
		length := []byte{byte(len(body)%128) | 0x80, byte(len(body) / 128)}
		return string(kind) + string(length) + body
	}
	connect := packet(0x10, field("MQTT")+"\x04\xc2\x00\x3c"+field("client")+field(s.mark("MQTT name"))+field(s.mark("MQTT password")))
	publish := func(text string) string { return packet(0x30, field("Kuzzle/request")+text) }
	s.rawTo(s.mqttAddress, connect+
		publish(`{"controller":"auth","action":"getCurrentUser","jwt":"`+s.mark("bad token over MQTT")+`"}`)+
		publish(`{"controller":"auth","action":"login","body":{"password":"`+s.mark("half an envelope over MQTT"))+
		packet(0xf0, s.mark("unknown packet")))
	s.rawTo(s.mqttAddress, s.mark("no MQTT")+strings.Repeat("x", 64))
}

func (s *session) plugins() {
	s.t.Helper()
	for _, c := range [][2]string{
		{"POST /uniapi/LoginUserPassword", `{"deviceType":8601,"instanceId":25,"userName":"ana@example.org","password":"` + s.mark("password for a plugin") + `"}`},
		{"PUT /amplifi/token", `{"userName":"ali","password":"` + s.mark("another password for a plugin") + `","channel":"internet"}`},
		{"PUT /amplifi/token", `{"userName":"ali","password":"` + s.mark("half an object for a plugin")},
	} {
		method, path, _ := strings.Cut(c[0], " ")
		s.HTTP(method, path, c[1])
	}
	s.HTTP("GET", "/aura-services/v1/users/aura-id?userId=ann&authorizationId="+s.mark("argument of a plugin"), "", "Authorization: APIKEY "+s.mark("key for a plugin"))
	s.HTTP("POST", checkUserToken, `{"email":"root"}`, s.as())
	s.Log.Await(s.t, "slow plugin call")
}

// throttled fails to log in until it may not even try.
func (s *session) throttled() {
	s.t.Helper()
	for range 20 { // until it is throttled
		s.HTTP("POST", "/_login/local", `{"username":"root","password":"`+s.secrets["wrong password"]+`"}`, "X-Forwarded-For: 192.0.2.1")
	}
}

// look searches all that the node wrote.
func (s *session) look() {
	s.t.Helper()
	written := map[string]string{"standard error": s.Log.String(), "standard output": s.Out.String()}
	err := filepath.WalkDir(s.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || strings.HasPrefix(path, filepath.Join(s.data, "plugins")) {
			return err
		}
		content, err := os.ReadFile(path)
		written[path] = string(content)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for where, text := range written {
		for what, secret := range s.secrets {
			if at := strings.Index(text, secret); at >= 0 {
				s.t.Errorf("%s stands in %s: …%q", what, where, text[max(0, at-200):min(len(text), at+len(secret)+50)])
			}
		}
	}
	// That nothing was found must not come from nothing being there.
	log := written[filepath.Join(s.data, "audit", "audit.log")]
	for _, text := range []string{"kuid-of-root", "kuid-of-ann", audit.Fingerprint(s.secrets["session token"]), `"event":"nodeStop"`, `"outcome":"refused"`, `"event":"plugin"`} {
		if !strings.Contains(log, text) {
			s.t.Errorf("%s is not in the audit log", text)
		}
	}
	stored := false
	for path, text := range written {
		stored = stored || strings.HasPrefix(path, filepath.Join(s.data, "documents")) && strings.Contains(text, "kuid-of-ann")
	}
	if !stored {
		s.t.Error("stored documents cannot be searched as text")
	}
	if log := written["standard error"]; !strings.Contains(log, "level=DEBUG") {
		s.t.Error("the log has no line of level debug")
	}
	if len(s.secrets) < 70 {
		s.t.Error(fmt.Sprint("only secrets: ", len(s.secrets)))
	}
}
