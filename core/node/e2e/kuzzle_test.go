package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/core/storage/elastic/elastictest"
)

// TestKuzzle: nodes find what a Kuzzle 2.56 left in Elasticsearch, and what they write there is what a Kuzzle would have written.
func TestKuzzle(t *testing.T) {
	nodetest.NeedsEmbedded(t, "it brings a server of its own")
	server := elastictest.Start(t)
	t.Run("found", func(t *testing.T) { testKuzzleFound(t, server) })
	t.Run("made", func(t *testing.T) { testKuzzleMade(t, server) })
	t.Run("document", func(t *testing.T) { testElasticsearchDocument(t, server) })
}

func testKuzzleFound(t *testing.T, server *elastictest.Server) {
	elastictest.LoadKuzzle(t, server.URL)
	var nodes [3]*nodetest.Node
	var starting sync.WaitGroup
	for i := range nodes { // all at the same time
		starting.Go(func() { nodes[i] = startOn(t, server) })
	}
	starting.Wait()
	if t.Failed() {
		t.FailNow()
	}
	root := "Authorization: Bearer " + nodes[0].Login("root", elastictest.KuzzleAccounts["root"], "")
	for name, test := range map[string]func(*testing.T, *nodetest.Node, string){
		"documents": testKuzzleDocuments, "security": testKuzzleSecurity, "keys": testKuzzleKey,
	} {
		t.Run(name, func(t *testing.T) { test(t, nodes[0], root) })
	}
	t.Run("accounts", func(t *testing.T) { testKuzzleAccounts(t, nodes[:]) })
	t.Run("written", func(t *testing.T) { testKuzzleReadsIt(t, server, nodes[1], root) })
	t.Run("left as it was", func(t *testing.T) { testKuzzleMappings(t, server) })
}

func startOn(t *testing.T, server *elastictest.Server) *nodetest.Node {
	t.Helper()
	return nodetest.Start(t, nodetest.Options{Configure: func(c *config.Config) {
		c.Storage.Engine, c.Storage.Elasticsearch.Addresses = "elasticsearch", []string{server.URL}
		c.Security.AuthToken.Secret = config.NewSecret("the one secret of all of the nodes")
	}})
}

// wants calls an action and looks for texts in the result or, with a status other than 200, in the error.
func wants(t *testing.T, n *nodetest.Node, token, envelope string, status int, texts ...string) nodetest.Answer {
	t.Helper()
	var headers []string
	if token != "" {
		headers = append(headers, token)
	}
	a := n.HTTP("POST", "/_query", envelope, headers...)
	if a.Status != status {
		t.Errorf("%s: %d %s", envelope, a.Status, a.Body)
	}
	for _, text := range texts {
		if !strings.Contains(a.Body, text) {
			t.Errorf("%s: %s is not in %s", envelope, text, a.Body)
		}
	}
	return a
}

const inBooks = `"index":"library","collection":"books"`

func testKuzzleDocuments(t *testing.T, n *nodetest.Node, root string) {
	wants(t, n, root, `{"controller":"index","action":"list"}`, 200, `"indexes":["empty-index","library"]`)
	wants(t, n, root, `{"controller":"collection","action":"list","index":"library"}`, 200, `"name":"books","type":"stored"`, `"name":"loans"`)
	wants(t, n, root, `{"controller":"collection","action":"list","index":"empty-index"}`, 200, `"collections":[]`)
	wants(t, n, root, `{"controller":"collection","action":"getMapping",`+inBooks+`}`, 200,
		`"dynamic":"strict"`, `"_meta":{"shelf":"A"}`, `"loc":{"type":"geo_point"}`, `"authors":{"type":"nested"`)
	wants(t, n, root, `{"controller":"collection","action":"getSettings",`+inBooks+`}`, 200,
		`"analysis.analyzer.fold.filter":["lowercase","asciifolding"]`)
	found := wants(t, n, root, `{"controller":"document","action":"get",`+inBooks+`,"_id":"b3"}`, 200,
		`"author":"root"`, `"createdAt":1795344587710`, `"updatedAt":1795344588339`, `"year":2024`)
	if found.Get("result._version") != 2.0 {
		t.Errorf("the version of b3 is another: %s", found.Body)
	}
	for body, total := range map[string]float64{
		`{}`:                                  25,
		`{"query":{"match":{"title":"été"}}}`: 9,
		`{"query":{"nested":{"path":"authors","query":{"term":{"authors.name":"a3"}}}}}`:                   6,
		`{"query":{"geo_distance":{"distance":"1km","loc":{"lat":43,"lon":3}}}}`:                           1,
		`{"query":{"range":{"_kuzzle_info.updatedAt":{"gte":1795344588000}}}}`:                             1,
		`{"query":{"bool":{"filter":[{"term":{"isbn":"978-7"}},{"term":{"title.raw":"Book number 7"}}]}}}`: 1,
	} {
		a := wants(t, n, root, `{"controller":"document","action":"search",`+inBooks+`,"body":`+body+`}`, 200)
		if a.Get("result.total") != total {
			t.Errorf("%s finds %v, want %v", body, a.Get("result.total"), total)
		}
	}
	wants(t, n, root, `{"controller":"document","action":"create",`+inBooks+`,"body":{"pages":3}}`, 400, "services.storage.strict_mapping_rejection")
	const inLoans = `"index":"library","collection":"loans"`
	wants(t, n, root, `{"controller":"collection","action":"getSpecifications",`+inLoans+`}`, 200, `"fields":{"days":{`)
	wants(t, n, root, `{"controller":"document","action":"create",`+inLoans+`,"body":{"days":"many"}}`, 400, "validation.")
	wants(t, n, root, `{"controller":"document","action":"create",`+inLoans+`,"body":{"days":3,"who":"bob"}}`, 200)
	wants(t, n, root, `{"controller":"document","action":"get",`+inLoans+`,"_id":"l1"}`, 200, `"who":"ann"`)
}

func testKuzzleSecurity(t *testing.T, n *nodetest.Node, root string) {
	for kind, action := range map[string]string{"roles": "getRole", "profiles": "getProfile", "users": "getUser"} {
		for id, doc := range elastictest.Kuzzle(t)["%kuzzle."+kind].Documents {
			got := wants(t, n, root, `{"controller":"security","action":"`+action+`","_id":"`+id+`"}`, 200).Get("result._source")
			if want := any(object(t, doc.Source)); !reflect.DeepEqual(got, want) {
				t.Errorf("%s of %s answers %v, want %v", action, id, got, want)
			}
		}
	}
	wants(t, n, root, `{"controller":"server","action":"adminExists"}`, 200, `"exists":true`)
	wants(t, n, root, `{"controller":"security","action":"createFirstAdmin","_id":"me","body":{"credentials":{"local":{"username":"me","password":"x"}}}}`,
		412, "api.process.admin_exists")
	wants(t, n, "", `{"controller":"security","action":"createFirstAdmin","_id":"me","body":{"credentials":{"local":{"username":"me","password":"x"}}}}`, 401)
	wants(t, n, "", `{"controller":"document","action":"get",`+inBooks+`,"_id":"b3"}`, 401, "security.rights.unauthorized")
	wants(t, n, "", `{"controller":"server","action":"publicApi"}`, 200)
	ann := "Authorization: Bearer " + n.Login("ann@example.org", elastictest.KuzzleAccounts["ann@example.org"], "")
	wants(t, n, ann, `{"controller":"document","action":"get",`+inBooks+`,"_id":"b3"}`, 200)
	wants(t, n, ann, `{"controller":"document","action":"get","index":"library","collection":"loans","_id":"l1"}`, 403, "security.rights.forbidden")
	wants(t, n, ann, `{"controller":"auth","action":"getCurrentUser"}`, 200, `"email":"ann@example.org"`)
	wants(t, n, root, `{"controller":"security","action":"searchUsers","body":{"query":{"term":{"profileIds":"default"}}}}`, 200, `"total":3`)
	wants(t, n, root, `{"controller":"security","action":"searchProfiles","body":{"roles":["reader"]}}`, 200, `"_id":"readers"`)
	wants(t, n, root, `{"controller":"security","action":"getCredentials","strategy":"local","_id":"ann"}`, 200, `"username":"ann@example.org"`)
	wants(t, n, root, `{"controller":"security","action":"searchUsersByCredentials","strategy":"local","body":{"query":{"term":{"kuid":"u-hash512"}}}}`,
		200, `"kuid":"u-hash512"`)
	wants(t, n, root, `{"controller":"security","action":"deleteRole","_id":"reader"}`, 412)
	hmac := "Authorization: Bearer " + n.Login("u-hmac256", elastictest.KuzzleAccounts["u-hmac256"], "")
	for range 500 { // the rate limit that Kuzzle stored is 10 a second
		if a := n.HTTP("GET", "/_me", "", hmac); a.Status == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("the rate limit of the profile does not hold")
}

// The API key was shown once, by Kuzzle, and is signed with the secret that stands beside it.
func testKuzzleKey(t *testing.T, n *nodetest.Node, root string) {
	key := "Authorization: Bearer " + elastictest.KuzzleKey
	wants(t, n, key, `{"controller":"auth","action":"getCurrentUser"}`, 200, `"_id":"root"`)
	wants(t, n, key+"x", `{"controller":"auth","action":"getCurrentUser"}`, 401, "security.token.invalid")
	found := wants(t, n, root, `{"controller":"auth","action":"searchApiKeys","body":{}}`, 200, `"description":"ci key"`)
	hits, ok := found.Get("result.hits").([]any)
	if !ok || len(hits) != 1 {
		t.Fatal(found.Body)
	}
	id, _ := hits[0].(map[string]any)["_id"].(string)
	wants(t, n, root, `{"controller":"auth","action":"deleteApiKey","_id":"`+id+`"}`, 200)
	wants(t, n, key, `{"controller":"auth","action":"getCurrentUser"}`, 401, "security.token.invalid")
}

// Every account logs in with its old password and no other, on any of the nodes.
func testKuzzleAccounts(t *testing.T, nodes []*nodetest.Node) {
	for name, password := range elastictest.KuzzleAccounts {
		for i, n := range nodes {
			credentials := `{"username":"` + name + `","password":"`
			if a := n.HTTP("POST", "/_login/local", credentials+password+`x"}`); a.Status != http.StatusUnauthorized {
				t.Errorf("%s on node %d, with another password: %d %s", name, i, a.Status, a.Body)
			}
			a := n.HTTP("POST", "/_login/local", credentials+password+`"}`)
			if a.Status != http.StatusOK || a.Get("result._id") != strings.TrimSuffix(name, "@example.org") {
				t.Errorf("%s on node %d: %d %s", name, i, a.Status, a.Body)
			}
		}
	}
}

// testKuzzleReadsIt makes everything that the dump holds again, by another name and through a node, and compares how it is stored.
func testKuzzleReadsIt(t *testing.T, server *elastictest.Server, n *nodetest.Node, root string) {
	dump := elastictest.Kuzzle(t)
	books := dump["&library.books"]
	spec := `{"mappings":` + string(books.Mappings) + `,"settings":{"analysis":{"analyzer":{"fold":{"filter":["lowercase","asciifolding"],"type":"custom","tokenizer":"standard"}}}}}`
	content := object(t, books.Documents["b3"].Source)
	delete(content, "_kuzzle_info")
	book, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	for _, envelope := range []string{
		`{"controller":"index","action":"create","index":"made"}`,
		`{"controller":"collection","action":"create","index":"made","collection":"books","body":` + spec + `}`,
		`{"controller":"collection","action":"create","index":"made","collection":"loans","body":{"mappings":{"dynamic":"true"}}}`,
		`{"controller":"document","action":"create","index":"made","collection":"books","_id":"b0","body":` + string(book) + `}`,
		`{"controller":"document","action":"create","index":"made","collection":"books","_id":"b3","body":` + string(book) + `}`,
		`{"controller":"document","action":"update","index":"made","collection":"books","_id":"b3","body":{"year":2024}}`,
		`{"controller":"document","action":"create","index":"made","collection":"loans","_id":"l1","body":{"who":"ann","days":14,"open":true}}`,
		`{"controller":"collection","action":"updateSpecifications","index":"made","collection":"loans","body":{"strict":false,"fields":{"days":{"mandatory":false,"type":"integer"}}}}`,
		`{"controller":"security","action":"createRole","_id":"made","body":{"controllers":{"document":{"actions":{"search":true,"get":true}},"auth":{"actions":{"*":true}}}}}`,
		`{"controller":"security","action":"createProfile","_id":"made","body":{"policies":[{"roleId":"reader","restrictedTo":[{"index":"library","collections":["books"]}]}],"rateLimit":50}}`,
		`{"controller":"security","action":"createUser","_id":"made","body":{"content":{"profileIds":["readers"],"email":"made@example.org"},"credentials":{"local":{"username":"made","password":"made-Secret-1"}}}}`,
		`{"controller":"auth","action":"createApiKey","_id":"made","body":{"description":"a key"}}`,
		`{"controller":"security","action":"updateRole","_id":"default","body":{"controllers":{"auth":{"actions":{"logout":true}}}}}`,
	} {
		wants(t, n, root, envelope, 200)
	}
	for _, pair := range [][4]string{ // what was made, what Kuzzle made
		{"&made.books", "b0", "&library.books", "b0"},
		{"&made.books", "b3", "&library.books", "b3"},
		{"&made.loans", "l1", "&library.loans", "l1"},
		{"%kuzzle.validations", "made#loans", "%kuzzle.validations", "library#loans"},
		{"%kuzzle.roles", "made", "%kuzzle.roles", "reader"},
		{"%kuzzle.profiles", "made", "%kuzzle.profiles", "readers"},
		{"%kuzzle.users", "made", "%kuzzle.users", "ann"},
		{"%kuzzle.api-keys", "made", "%kuzzle.api-keys", "5bed9e7c-6495-482c-8227-7b6dc7df805a"},
	} {
		var made struct {
			Version int64           `json:"_version"`
			Source  json.RawMessage `json:"_source"`
		}
		answer := server.Do("GET", "/@"+url.PathEscape(pair[0])+"/_doc/"+url.PathEscape(pair[1]), "")
		if err := json.Unmarshal([]byte(answer), &made); err != nil {
			t.Fatal(err)
		}
		theirs := dump[pair[2]].Documents[pair[3]]
		if got, want := shape(object(t, made.Source)), shape(object(t, theirs.Source)); got != want {
			t.Errorf("%s %s is stored as\n%s, in Kuzzle it is\n%s", pair[0], pair[1], got, want)
		}
		if made.Version != theirs.Version {
			t.Errorf("%s %s has version %d, in Kuzzle it is %d", pair[0], pair[1], made.Version, theirs.Version)
		}
	}
	indexes := indexesOf(t, server)
	for made, theirs := range map[string]string{"&made.books": "&library.books", "&made.loans": "&library.loans"} {
		if got, want := withoutOwn(indexes[made].Mappings), object(t, dump[theirs].Mappings); !reflect.DeepEqual(got, want) {
			t.Errorf("the mapping of %s is\n%v, in Kuzzle it is\n%v", made, got, want)
		}
	}
	for _, name := range []string{"&made.books", "&made.loans", "&made._kuzzle_keep"} {
		if aliases := indexes[name].Aliases; len(aliases) != 1 || aliases["@"+name] == nil {
			t.Errorf("%s has the aliases %v", name, aliases)
		}
	}
}

// own are the fields that a node adds to collections of Kuzzle's, beside those that are its engine's.
var own = map[string][]string{
	"%kuzzle.api-keys": {"fingerprint"},
	"%plugin-kuzzle-plugin-auth-passport-local.users": {"username"},
}

// testKuzzleMappings: all that Kuzzle made has the mapping that it had, but for what is added to it.
func testKuzzleMappings(t *testing.T, server *elastictest.Server) {
	indexes := indexesOf(t, server)
	for name, theirs := range elastictest.Kuzzle(t) {
		got := without(withoutOwn(indexes[name].Mappings), own[name])
		if want := object(t, theirs.Mappings); !reflect.DeepEqual(got, want) {
			t.Errorf("the mapping of %s is\n%v, it was\n%v", name, got, want)
		}
		if aliases := indexes[name].Aliases; len(aliases) != 1 || aliases["@"+name] == nil {
			t.Errorf("%s has the aliases %v", name, aliases)
		}
	}
}

// testKuzzleMade: the collections that a node makes on an empty Elasticsearch are those that Kuzzle would make.
func testKuzzleMade(t *testing.T, server *elastictest.Server) {
	elastictest.Empty(t, server.URL)
	startOn(t, server)
	indexes, dump := indexesOf(t, server), elastictest.Kuzzle(t)
	missing := map[string][]string{"%kuzzle.api-keys": {"hash", "token"}} // of old versions; Kuzzle adds them
	for _, name := range []string{"%kuzzle.users", "%kuzzle.profiles", "%kuzzle.roles", "%kuzzle.validations", "%kuzzle.api-keys"} {
		got := without(withoutOwn(indexes[name].Mappings), own[name])
		want := without(withoutOwn(object(t, dump[name].Mappings)), missing[name])
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the mapping of %s is\n%v, in Kuzzle it is\n%v", name, got, want)
		}
	}
}

// testElasticsearchDocument replays docs/elasticsearch.md with its first settings, over the server of the test.
func testElasticsearchDocument(t *testing.T, server *elastictest.Server) {
	needs(t, "curl")
	elastictest.LoadKuzzle(t, server.URL)
	const file, shown = "docs/elasticsearch.md", "http://127.0.0.1:9200"
	text, err := os.ReadFile(filepath.Join(nodetest.Root(), filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	settings := regexp.MustCompile("(?s)```yaml\n(# sluice.yaml\n.*?)```").FindSubmatch(text)
	if settings == nil || !strings.Contains(string(settings[1]), shown) {
		t.Fatal("the document has no settings to start with")
	}
	path := filepath.Join(t.TempDir(), "sluice.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(string(settings[1]), shown, server.URL, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	transcript := readTranscript(t, file)
	for i, e := range transcript {
		transcript[i].command = strings.ReplaceAll(e.command, shown, server.URL)
	}
	replay(t, strings.Replace(serveLine(t, transcript), "sluice.yaml", path, 1), transcript)
	passwords := "%plugin-kuzzle-plugin-auth-passport-local.users"
	back := server.Do("GET", "/@"+url.PathEscape(passwords)+"/_source/root", "")
	if !reflect.DeepEqual(object(t, json.RawMessage(back)), object(t, elastictest.Kuzzle(t)[passwords].Documents["root"].Source)) {
		t.Errorf("gone back, the credentials of root are %s", back)
	}
}

type index struct {
	Aliases  map[string]any
	Mappings map[string]any
}

func indexesOf(t *testing.T, server *elastictest.Server) map[string]index {
	t.Helper()
	var all map[string]index
	if err := json.Unmarshal([]byte(server.Do("GET", "/_all", "")), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// withoutOwn gives a mapping without what the engine adds to it.
func withoutOwn(mapping map[string]any) map[string]any {
	for _, name := range []string{"_meta", "properties"} {
		if part, ok := mapping[name].(map[string]any); ok {
			delete(part, "_sluice")
			if len(part) == 0 {
				delete(mapping, name)
			}
		}
	}
	return mapping
}

func without(mapping map[string]any, fields []string) map[string]any {
	if properties, ok := mapping["properties"].(map[string]any); ok {
		for _, field := range fields {
			delete(properties, field)
		}
	}
	return mapping
}

func object(t *testing.T, text json.RawMessage) map[string]any {
	t.Helper()
	v := map[string]any{}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// shape says of a value which members it has and of what kind they are. Who wrote it may be a user or nobody.
func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var all strings.Builder
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if member := v[name]; name == "author" || name == "updater" && v["updatedAt"] != nil {
				if _, text := member.(string); text || member == nil {
					all.WriteString(name + " user\n")
					continue
				}
			}
			all.WriteString(name + " " + shape(v[name]) + "\n")
		}
		return "{\n" + all.String() + "}"
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, shape(item))
		}
		return "[" + strings.Join(all, ",") + "]"
	case nil:
		return "null"
	default:
		return reflect.TypeOf(v).String()
	}
}
