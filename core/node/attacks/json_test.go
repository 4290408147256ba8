package attacks

import (
	"net/http"
	"strings"
	"testing"
)

// A text has one meaning or none: a proxy, a plugin or a log that reads it otherwise than the node is a way around them.
func TestJSONWithTwoMeanings(t *testing.T) {
	n := newTarget(t)
	n.collections()
	now := `{"jwt":"` + n.root + `","controller":"server","action":"now"`
	for name, text := range map[string]string{
		"name twice":              now + `,"controller":"auth"}`,
		"escaped name twice":      now + `,"contr\u006fller":"auth"}`,
		"name twice below":        now + `,"volatile":{"a":1,"a":2}}`,
		"name twice far below":    now + `,"body":{"a":[{"b":{"c":1,"c":2}}]}}`,
		"names in capitals":       strings.ToUpper(now) + `}`,
		"two values":              now + `}{}`,
		"comment":                 now + `/**/}`,
		"byte order mark":         "\ufeff" + now + `}`,
		"invalid UTF-8":           now + `,"volatile":{"a":"` + "\xff" + `"}}`,
		"overlong UTF-8":          now + `,"volatile":{"a":"` + "\xc0\xaf" + `"}}`,
		"lone surrogate":          now + `,"volatile":{"a":"\ud800"}}`,
		"surrogates out of order": now + `,"volatile":{"a":"\udc00\ud800"}}`,
		"bare NUL":                now + `,"volatile":{"a":"` + "\x00" + `"}}`,
		"no number":               now + `,"volatile":{"a":NaN}}`,
		"leading zero":            now + `,"volatile":{"a":01}}`,
		"trailing comma":          now + `,}`,
		"single quotes":           strings.ReplaceAll(now, `"`, "'") + `}`,
		"array":                   `[` + now + `}]`,
		"cut off":                 now,
		"arrays in arrays":        now + `,"body":` + strings.Repeat("[", 400_000) + strings.Repeat("]", 400_000) + `}`,
		"objects in objects":      now + `,"body":` + strings.Repeat(`{"a":`, 150_000) + "1" + strings.Repeat("}", 150_000) + `}`,
		"never closed":            now + `,"body":` + strings.Repeat("[", 900_000),
		"too long":                now + `,"volatile":{"a":"` + strings.Repeat("x", 1<<20) + `"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			wantRefused(t, n.Query(text), "")
			if name == "too long" {
				return // closes a WebSocket, see TestTooLargeMessage of core/network/wsserver
			}
			socket := n.WebSocket()
			wantRefused(t, socket.Call(text), "")
			if a := socket.Call(now + `}`); a.Status != http.StatusOK {
				t.Errorf("the connection is worth nothing after it: %s", a.Body)
			}
		})
	}
	credentials := map[string]string{
		"name twice":     `{"username":"nobody","username":"root","password":"` + password + `"}`,
		"password twice": `{"username":"root","password":"x","password":"` + password + `"}`,
		"operator":       `{"username":{"$ne":""},"password":{"$ne":""}}`,
		"list":           `{"username":["root"],"password":["` + password + `"]}`,
		"boolean":        `{"username":"root","password":true}`,
	}
	for name, text := range credentials {
		t.Run("credentials: "+name, func(t *testing.T) { wantRefused(t, n.HTTP("POST", "/_login/local", text), "") })
	}
	for name, profiles := range map[string]string{
		"text": `"admin"`, "none": `[]`, "number": `[1]`, "list": `[["admin"]]`, "object": `{"0":"admin"}`, "null": `null`, "twice": `["default"],"profileIds":["admin"]`,
	} {
		t.Run("profiles: "+name, func(t *testing.T) {
			wantRefused(t, n.call(n.root, "security", "createUser", `,"body":{"content":{"profileIds":`+profiles+`}}`), "")
		})
	}
}

// Whatever the type of a member is, the fault is the client's: no request makes the node fail.
func TestMembersOfWrongTypes(t *testing.T) {
	n := newTarget(t)
	n.collections()
	members := []string{
		"controller", "action", "index", "collection", "_id", "body", "volatile", "requestId", "targets", "scroll", "scrollId", "size", "from",
		"lang", "refresh", "strategy", "expiresIn", "kuid", "sort", "options", "__proto__", "constructor", "cookie", "silent", "reset", "force",
	}
	values := []string{
		`1`, `-0`, `1e999`, `1e-999`, `-9223372036854775809`, strings.Repeat("9", 2000), `true`, `null`, `[]`, `{}`, `""`, `"x"`, `[[{}]]`, `{"$ne":null}`,
		`"\u0000"`, `{"__proto__":{"admin":true}}`,
	}
	actions := map[string]string{
		"document search": `"index":"i","collection":"c","body":{}`, "document update": `"index":"i","collection":"c","_id":"x","body":{}`,
		"security searchUsers": `"body":{}`, "auth createToken": `"body":{}`, "realtime publish": `"index":"i","collection":"c","body":{}`,
	}
	for action, usual := range actions {
		controller, name, _ := strings.Cut(action, " ")
		given := `"controller":"` + controller + `","action":"` + name + `",` + usual
		for _, member := range members {
			for _, value := range values {
				text := `{` + without(given, member) + `,"` + member + `":` + value + `,"jwt":"` + n.root + `"}`
				if a := n.Query(text); a.Status >= 500 || a.Envelope == nil {
					t.Errorf("%s: %d %.300s", text[:min(200, len(text))], a.Status, a.Body)
				}
			}
		}
	}
	n.wantProfiles("root", `["admin"]`)
}

// without takes a member out of the inside of an object, all of whose members are texts or {}.
func without(members, name string) string {
	var kept []string
	for m := range strings.SplitSeq(members, ",") {
		if !strings.HasPrefix(m, `"`+name+`":`) {
			kept = append(kept, m)
		}
	}
	return strings.Join(kept, ",")
}
