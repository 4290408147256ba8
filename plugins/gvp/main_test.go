package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/storagetest"
	"github.com/sluicehq/sluice/plugins/sdk/sdktest"
)

// Tests whose comments name rows are those of the acceptance tables of the two methods: over real sockets, against the
// plugin's binary unless they look inside it.

var binaries nodetest.Binaries

func TestMain(m *testing.M) { os.Exit(nodetest.Main(m, &binaries)) }

// Addresses of the test's database of countries, and one that is not in it.
const (
	fromES      = "X-Forwarded-For: 2a02:d5c0::1"
	fromGB      = "X-Forwarded-For: 81.2.69.160"
	fromUnknown = "X-Forwarded-For: 214.1.1.1" // registered, but in no country
	fromPrivate = "X-Forwarded-For: 10.0.0.1"
)

const password = "ana's Secret 1"

// options of a node with the plugin; the zero value has a database of countries, the fixture of this file, and no upstream.
type options struct {
	settings map[string]any
	// outside are settings of connect that need the address of the stand-in.
	outside func(url string) map[string]any
	secrets map[string]string
	// fail is storagetest.Faulty's.
	fail      func(op string, c storage.Collection, id string) error
	configure func(*config.Config)
	node      nodetest.Options
	// restarted says that the data has an administrator already.
	restarted bool
}

// inProcess runs p itself, so that the test can look inside.
func inProcess(t *testing.T, p *plugin, o options) options {
	t.Helper()
	o.node.InProcess = sdktest.InProcess(t, p.describe())
	return o
}

// service is a node with the plugin.
type service struct {
	*nodetest.Node
	engine   storage.Engine
	database string // file of countries
	root     string // header of the administrator
}

func start(t testing.TB, o options) *service {
	t.Helper()
	dir := t.TempDir()
	s := &service{database: filepath.Join(dir, "countries.mmdb")}
	writeFile(t, s.database, countries(t))
	fixture := filepath.Join(dir, "fixture.json")
	writeFile(t, fixture, testFixture())
	settings := map[string]any{
		"fixture": fixture, "watchFiles": "20ms", "geo": map[string]any{"database": s.database},
	}
	maps.Copy(settings, o.settings)
	n := o.node
	if n.InProcess["gvp"] == nil {
		n.PluginDir = binaries.Plugins
	}
	n.Configure = func(c *config.Config) {
		c.Plugins.Config = map[string]map[string]any{"gvp": settings}
		c.Plugins.Required = []string{"gvp"}
		c.Plugins.CallTimeout = time.Minute // a busy machine is no finding
		c.Plugins.Secrets = map[string]map[string]config.Secret{"gvp": {}}
		for name, text := range o.secrets {
			c.Plugins.Secrets["gvp"][name] = config.NewSecret(text)
		}
		c.Server.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		if o.configure != nil {
			o.configure(c)
		}
	}
	n.WrapEngine = func(e storage.Engine) storage.Engine {
		s.engine = e
		return &storagetest.Faulty{Engine: e, Fail: o.fail}
	}
	s.Node = nodetest.Start(t, n)
	if !o.restarted {
		s.Must("POST", "/_createFirstAdmin/root", `{"content":{},"credentials":{"local":{"username":"root","password":"root-Secret-1"}}}`)
	}
	s.root = "Authorization: Bearer " + s.Login("root", "root-Secret-1", "")
	return s
}

// testFixture has the instance 25 of Spain, where a login activates, 26 where it does not, 27 whose tokens last a second, and
// 28 to 30 with other checks of devices. Users are named after what is special about them.
func testFixture() []byte {
	types := []map[string]any{{"code": 1, "name": "box"}, {"code": 2, "name": "phone"}, {"code": 3, "name": "old", "enabled": false}}
	instance := func(id int, more map[string]any) map[string]any {
		i := map[string]any{"id": id, "countries": []string{"ES"}, "deviceTypes": types}
		maps.Copy(i, more)
		return i
	}
	user := func(name string, instance int, more map[string]any, devices ...map[string]any) map[string]any {
		u := map[string]any{"instanceId": instance, "userName": name + "@example.org", "password": password, "uniqueId": "unique-" + name, "devices": devices}
		maps.Copy(u, more)
		return u
	}
	device := func(id string, enabled bool) map[string]any {
		return map[string]any{"deviceId": id, "deviceType": 1, "enabled": enabled}
	}
	b, err := json.Marshal(map[string]any{
		"instances": []any{
			instance(25, map[string]any{"allowLoginBeforeEmailConfirmationFlag": true}),
			instance(26, nil),
			instance(27, map[string]any{"tokenTTL": 1}),
			instance(28, map[string]any{"trustedDeviceCheck": "ifGiven"}),
			instance(29, map[string]any{"trustedDeviceCheck": "off"}),
			instance(30, map[string]any{"geoBlockingEnabled": false}),
			instance(31, map[string]any{"active": false}),
		},
		"users": []any{
			user("ana", 25, nil, device("ana-1", true)),
			user("new", 25, map[string]any{"status": 2}, device("new-1", true)),
			user("new", 26, map[string]any{"status": 2}, device("new-2", true)),
			user("suspended", 25, map[string]any{"status": 3}, device("s-1", true)),
			user("excluded", 25, map[string]any{"status": 4}, device("e-1", true)),
			user("unfinished", 25, map[string]any{"status": 0}, device("u-1", true)),
			user("listed", 25, map[string]any{"geoblockingWhitelist": true}, device("l-1", true)),
			user("bare", 25, nil),
			user("off", 25, nil, device("off-1", false)),
			user("short", 27, nil, device("short-1", true)),
			user("given", 28, nil, device("given-1", true)),
			user("none", 29, nil),
			user("anywhere", 30, nil, device("anywhere-1", true)),
		},
	})
	if err != nil {
		panic(err)
	}
	return b
}

// countries makes a database as MaxMind's test data have it for these networks.
func countries(t testing.TB) []byte {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "GeoIP2-Country", RecordSize: 24, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for network, in := range map[string][2]string{
		"2a02:d5c0::/29": {"ES", "ES"}, "81.2.69.160/27": {"GB", "US"}, "214.1.1.0/24": {"", "US"},
	} {
		_, prefix, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		record := mmdbtype.Map{"registered_country": mmdbtype.Map{"iso_code": mmdbtype.String(in[1])}}
		if in[0] != "" {
			record["country"] = mmdbtype.Map{"iso_code": mmdbtype.String(in[0])}
		}
		if err := tree.Insert(prefix, record); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	if _, err := tree.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return []byte(b.String())
}

// writeFile puts a file where it is wanted at once, as who replaces a database should.
func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

const loginPath = "/uniapi/LoginUserPassword"

// body is that of a login on a device of type 1.
func body(name string, instance int, secret string) string {
	b, err := json.Marshal(map[string]any{"deviceType": 1, "instanceId": instance, "userName": name + "@example.org", "password": secret})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func (s *service) login(body string, headers ...string) nodetest.Answer {
	s.T.Helper()
	return s.HTTP("POST", loginPath, body, headers...)
}

// token logs a user in from Spain.
func (s *service) token(name string, instance int) string {
	s.T.Helper()
	a := s.login(body(name, instance, password), fromES)
	token, ok := a.Get("Content.Token").(string)
	if !ok {
		s.T.Fatalf("no token: %d %s", a.Status, a.Body)
	}
	return token
}

// admin calls an admin action, which must succeed.
func (s *service) admin(action, body string) nodetest.Answer {
	s.T.Helper()
	return s.Must("POST", "/_query", `{"controller":"gvp-uniapi/admin","action":"`+action+`","body":`+body+`}`, s.root)
}

// stored gives the documents of a collection of the plugin's.
func stored[T any](s *service, collection string) []T {
	s.T.Helper()
	var all []T
	where := storage.Collection{Scope: storage.Internal, Index: storage.PluginIndex("gvp", "gvp"), Name: collection}
	err := s.engine.Scan(s.T.Context(), where, "", func(d storage.Document) bool {
		var v T
		if err := json.Unmarshal(d.Source, &v); err != nil {
			s.T.Errorf("%s/%s: %v", collection, d.ID, err)
		}
		all = append(all, v)
		return true
	})
	if err != nil {
		s.T.Fatal(err)
	}
	return all
}

// rows gives GVP_LogLogin, the oldest first.
func (s *service) rows() []loginRow {
	s.T.Helper()
	return slices.SortedStableFunc(slices.Values(stored[loginRow](s, loginLog)), func(a, b loginRow) int { return cmp.Compare(a.ID, b.ID) })
}

func (s *service) user(name string, instance int64) user {
	s.T.Helper()
	for _, u := range stored[user](s, users) {
		if u.Email == name+"@example.org" && u.InstanceID == instance {
			return u
		}
	}
	s.T.Fatalf("no user %s", name)
	return user{}
}

// one fails the test unless do leaves one row, and gives it.
func (s *service) one(do func()) loginRow {
	s.T.Helper()
	before := len(s.rows())
	do()
	rows := s.rows()
	if len(rows) != before+1 {
		s.T.Fatalf("%d rows of GVP_LogLogin, want one", len(rows)-before)
	}
	return rows[before]
}

// failed fails the test unless the answer is exactly that outcome.
func failed(t *testing.T, a nodetest.Answer, status int, o outcome, detail string) {
	t.Helper()
	want := fmt.Sprintf(`{"StatusCode":%d,"Severity":%d,"StatusMessage":"%s","Content":null}`, o.code, o.severity, failure{outcome: o, detail: detail}.message())
	if a.Status != status || a.Body != want {
		t.Errorf("got  %d %s\nwant %d %s", a.Status, a.Body, status, want)
	}
}

func succeeded(t *testing.T, a nodetest.Answer) {
	t.Helper()
	if a.Status != 200 || !strings.HasPrefix(a.Body, `{"StatusCode":0,"Severity":1,"StatusMessage":"OK","Content":{`) {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
}
