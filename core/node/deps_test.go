package node_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sluicehq/sluice/"

// layers are the rows of the dependency rule, lowest first: a package imports packages of lower rows, its parent, and its
// siblings below the same parent.
var layers = [][]string{
	{"protocol"},
	{"config"},
	{"core/events", "core/koncorde", "core/secrets", "core/metrics", "core/logs", "core/spelling", "core/backup", "core/audit"},
	{"core/storage", "core/cache"},
	{"core/security", "core/validation", "core/migrate"},
	{"core/auth", "core/realtime"},
	{"core/router"},
	{"core/funnel", "core/openapi"},
	{"core/network", "core/pluginhost", "core/console", "core/cluster"},
	{"controllers"},
	{"core/node"},
	{"cmd"},
}

// bans hold whatever the rows say; each with its reason.
var bans = []struct {
	from, to, reason string
	tests            bool // holds for test files too
}{
	{"plugins", "core", "plugin authors get the wire and the SDK; core is promised to nobody", false},
	{"plugins", "config", "a plugin is configured through Start, not through the node's settings", false},
	{"plugins", "controllers", "a plugin calls actions through its host", false},
	{"protocol", "config", "whoever speaks the protocol must not inherit the node's settings", true},
	{"protocol", "plugins", "the words on the wire do not know the SDK", true},
	{"core", "plugins", "the host knows plugins by their protocol only", false},
	{"core", "cmd", "the command line is a way in, not a library", true},
}

// sdkAllows is all that a plugin author pulls in with plugins/sdk, by module path; a line more is a decision.
var sdkAllows = []string{
	"github.com/sluicehq/sluice/", "github.com/hashicorp/", "google.golang.org/", "github.com/go-json-experiment/json",
	"github.com/golang/protobuf", "github.com/fatih/color", "github.com/mattn/", "github.com/oklog/run", "golang.org/x/",
}

type goPackage struct {
	ImportPath   string
	Standard     bool
	Doc          string
	Imports      []string
	Deps         []string
	TestImports  []string
	XTestImports []string
}

func TestDependencyRule(t *testing.T) {
	for _, p := range list(t, "./...") {
		from := local(p.ImportPath)
		for _, imported := range p.Imports {
			to := local(imported)
			if to == "" {
				continue
			}
			if ban := banned(from, to, false); ban != "" {
				t.Errorf("%s imports %s: %s", from, to, ban)
			} else if !allowed(from, to) {
				t.Errorf("%s imports %s, which is not below it", from, to)
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if to := local(imported); to != "" {
				if ban := banned(from, to, true); ban != "" {
					t.Errorf("the tests of %s import %s: %s", from, to, ban)
				}
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range list(t, "./...") {
		if len(strings.Fields(p.Doc)) < 4 {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		last := p.ImportPath[strings.LastIndexByte(p.ImportPath, '/')+1:]
		if slices.Contains([]string{"util", "utils", "common", "helpers", "types", "models"}, last) {
			t.Errorf("%s: a package is named after what it is about", p.ImportPath)
		}
	}
}

func TestWhatPluginAuthorsInherit(t *testing.T) {
	for _, p := range list(t, "-deps", "./plugins/sdk") {
		if !p.Standard && !slices.ContainsFunc(sdkAllows, func(prefix string) bool { return strings.HasPrefix(p.ImportPath, prefix) }) {
			t.Errorf("plugins/sdk pulls in %s", p.ImportPath)
		}
	}
}

func banned(from, to string, inTest bool) string {
	for _, b := range bans {
		if (!inTest || b.tests) && within(from, b.from) && within(to, b.to) {
			return b.reason
		}
	}
	return ""
}

// allowed reports whether from may import to by the rows. Generators and test programs stand outside them.
func allowed(from, to string) bool {
	if strings.Contains(from, "/gen") || strings.Contains(from, "/testdata") {
		return true
	}
	a, b := row(from), row(to)
	if within(from, "plugins") {
		return within(to, "plugins") || within(to, "protocol")
	}
	if a < 0 || b < 0 {
		return false
	}
	return b < a || a == b && family(from) == family(to)
}

func row(path string) int {
	return slices.IndexFunc(layers, func(names []string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return within(path, name) })
	})
}

// family is what siblings share: core/storage for core/storage/query.
func family(path string) string {
	parts := strings.SplitN(path, "/", 3)
	if parts[0] == "core" && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// local is the path inside the module, "" for other modules.
func local(importPath string) string {
	path, ok := strings.CutPrefix(importPath, module)
	if !ok {
		return ""
	}
	return path
}

func list(t *testing.T, args ...string) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Standard,Doc,Imports,Deps,TestImports,XTestImports"}, args...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
