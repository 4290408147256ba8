package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"time"
)

const referenceIntro = `<!-- Made from the package config by go generate ./config; do not edit. -->

# Configuration

Sluice works without any configuration. A setting is looked for in four places, each wins over those before it:

1. the default;
2. the YAML file named by ` + "`--config` or `" + FileVariable + "`" + `;
3. the environment variable;
4. the command-line flag, for the few keys that have one (` + "`sluice serve --help`" + `).

` + "```yaml" + `
server:
  port: 7512
  maxRequestSize: 1MB
security:
  authToken:
    secret: file:/run/secrets/token
plugins:
  dir: ./plugins
` + "```" + `

` + "`sluice config check --config FILE`" + ` names every mistake. An unknown key or ` + "`SLUICE_`" + ` variable is a mistake too; only
` + "`" + FileVariable + "`, `" + testPrefix + "…`" + ` and the variables that Kubernetes makes for services are left alone. A variable set to nothing
is an empty value, not the default; a key in the file without a value is the default.

| type | written as |
|---|---|
| size | ` + "`512KB`, `1MB`, `1.5GB`" + ` or a number of bytes; 1 KB is 1024 bytes |
| duration | ` + "`500ms`, `30s`, `1h30m`" + ` |
| lifetime | ` + "`1h`, `7 days`, `90 min`" + `, a number of milliseconds, or ` + "`-1`" + ` for no end; units from ms to years (365.25 days) |
| list | a YAML list, or one text with commas; in a variable always with commas |
| networks | a list of networks or addresses: ` + "`10.0.0.0/8`, `::1`" + ` |
| secret | the text itself, or ` + "`file:PATH`" + ` for the content of a file; never shown, not in logs either |
| map | a section; in a variable one JSON object, which takes the place of the whole map |
`

// Reference is the documentation of every key, as Markdown. It is what docs/configuration.md holds.
func Reference() string {
	var b strings.Builder
	b.WriteString(referenceIntro)
	defaults := Defaults()
	for _, s := range sections() {
		title := "`" + s.path + "`"
		if s.path == "" {
			title = "Top level"
		}
		fmt.Fprintf(&b, "\n## %s\n\n", title)
		if s.doc != "" {
			fmt.Fprintf(&b, "%s\n\n", s.doc)
		}
		if len(s.keys) == 0 {
			continue
		}
		b.WriteString("| key | type | default | environment variable | meaning |\n|---|---|---|---|---|\n")
		for _, k := range s.keys {
			fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` | %s |\n", k.path, typeName(k.in(defaults)), defaultText(k.in(defaults)), k.env, meaning(k))
		}
	}
	namedReference(&b, "security.local.policies", "What the passwords of some users, or of all, must be like; the name is yours.", defaultPasswordPolicy)
	namedReference(&b, "security.oidc", "One OpenID provider; the name is that of its login strategy.", defaultOIDCProvider)
	return b.String()
}

func meaning(k key) string {
	text := k.field.Tag.Get("doc")
	low, high := k.field.Tag.Get("min"), k.field.Tag.Get("max")
	if r := rangeText(low, high); r != "" && (high != "" || !strings.HasPrefix(low, "0")) { // "at least 0" says nothing
		text += " " + strings.ToUpper(r[:1]) + r[1:] + "."
	}
	if allowed := strings.Fields(k.field.Tag.Get("oneof")); len(allowed) > 0 {
		text += " One of `" + strings.Join(allowed, "`, `") + "`."
	}
	return strings.ReplaceAll(text, "|", `\|`)
}

func typeName(dst any) string {
	switch dst.(type) {
	case *bool:
		return "boolean"
	case *int:
		return "number"
	case *string:
		return "text"
	case *Size:
		return "size"
	case *TTL:
		return "lifetime"
	case *time.Duration:
		return "duration"
	case *Secret:
		return "secret"
	case *[]Secret:
		return "list of secrets"
	case *[]string:
		return "list"
	case *[]netip.Prefix:
		return "networks"
	case *map[string]map[string]Secret:
		return "map of secrets"
	case *map[string]map[string]any, *map[string]string, *map[string][]string, *map[string]OIDCProvider, *map[string]PasswordPolicy:
		return "map"
	default:
		return ""
	}
}

func defaultText(dst any) string {
	var text string
	switch d := dst.(type) {
	case *Secret: // no default, and nothing of it to show
	case *time.Duration:
		text = durationText(*d)
	case *[]string:
		text = strings.Join(*d, ", ")
	default:
		if v := reflect.ValueOf(dst).Elem(); v.Kind() != reflect.Slice && v.Kind() != reflect.Map {
			text = fmt.Sprint(v.Interface())
		}
	}
	if text == "" {
		return "empty"
	}
	return "`" + text + "`"
}
