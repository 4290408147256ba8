package config

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// errType is a value of another type than the key has.
var errType = errors.New("has the wrong type")

// plain is a value from the environment or a flag, which only comes as text: "7512" is a number there. In a file it is not.
type plain string

// decode stores raw, a value of the file or a plain one, in dst, a pointer to a field of Config. On an error dst keeps what
// it had; the error shows the value unless it may be secret.
func decode(dst, raw any) error {
	switch d := dst.(type) {
	case *bool:
		return set(d, raw, strconv.ParseBool)
	case *int:
		return set(d, raw, strconv.Atoi)
	case *string:
		return setText(d, raw, asText)
	case *Size:
		if n, ok := raw.(int); ok {
			raw = strconv.Itoa(n)
		}
		return setText(d, raw, ParseSize)
	case *TTL:
		if n, ok := raw.(int); ok {
			raw = strconv.Itoa(n)
		}
		return setText(d, raw, ParseTTL)
	case *time.Duration:
		if raw == 0 {
			raw = "0"
		}
		return setText(d, raw, parseDuration)
	case *Secret:
		return setSecret(d, raw)
	case *[]Secret:
		return setSecrets(d, raw)
	case *[]string:
		return setList(d, raw, asText)
	case *[]netip.Prefix:
		return setList(d, raw, parsePrefix)
	case *map[string]string:
		return setByID(d, raw, func(dst *string, raw any) error {
			return setText(dst, raw, asText)
		})
	case *map[string][]string:
		return setByID(d, raw, func(dst *[]string, raw any) error {
			return setList(dst, raw, asText)
		})
	case *map[string]map[string]any:
		return setPlugins(d, raw, func(dst *any, raw any) error { *dst = raw; return nil })
	case *map[string]map[string]Secret:
		return setPlugins(d, raw, func(dst *Secret, raw any) error { return setSecret(dst, raw) })
	case *map[string]OIDCProvider:
		return setNamed(d, raw, "provider", defaultOIDCProvider)
	case *map[string]PasswordPolicy:
		return setNamed(d, raw, "policy", defaultPasswordPolicy)
	default:
		return fmt.Errorf("config has no reader for %T", dst)
	}
}

// set stores a value that YAML knows as such; only a plain text is parsed.
func set[T any](dst *T, raw any, parse func(string) (T, error)) error {
	switch v := raw.(type) {
	case T:
		*dst = v
		return nil
	case plain:
		parsed, err := parse(string(v))
		if err != nil {
			return show(string(v))
		}
		*dst = parsed
		return nil
	default:
		return show(raw)
	}
}

// setText stores a value that is text in the file too.
func setText[T any](dst *T, raw any, parse func(string) (T, error)) error {
	var text string
	switch v := raw.(type) {
	case string:
		text = v
	case plain:
		text = string(v)
	default:
		return show(raw)
	}
	parsed, err := parse(text)
	if err != nil {
		return err
	}
	*dst = parsed
	return nil
}

// asText parses what is text anyway.
func asText(s string) (string, error) { return s, nil }

// setSecret stores a secret: the text itself, or file:PATH for what that file holds, without the line end.
func setSecret(dst *Secret, raw any) error {
	var text string
	if err := setText(&text, raw, asText); err != nil {
		return errType
	}
	if path, ok := strings.CutPrefix(text, "file:"); ok {
		content, err := os.ReadFile(path) //nolint:gosec // the operator names the file
		if err != nil {
			return fmt.Errorf("its file cannot be read: %w", err)
		}
		text = strings.TrimRight(string(content), "\r\n")
		if text == "" {
			return fmt.Errorf("its file %s is empty", path)
		}
	}
	*dst = NewSecret(text)
	return nil
}

// setSecrets stores a list of secrets, each as setSecret takes it, or a text with commas between them.
func setSecrets(dst *[]Secret, raw any) error {
	var texts []string
	if err := setList(&texts, raw, asText); err != nil {
		return errType
	}
	list := make([]Secret, len(texts))
	for i, text := range texts {
		if err := setSecret(&list[i], text); err != nil {
			return fmt.Errorf("number %d: %w", i+1, err)
		}
	}
	*dst = list
	return nil
}

// setList stores a list, or a text with commas between the values. An empty text is the empty list.
func setList[T any](dst *[]T, raw any, parse func(string) (T, error)) error {
	var texts []string
	switch v := raw.(type) {
	case []any:
		for _, item := range v {
			text, ok := item.(string)
			if !ok {
				return show(item)
			}
			texts = append(texts, text)
		}
	case string:
		texts = strings.Split(v, ",")
	case plain:
		texts = strings.Split(string(v), ",")
	default:
		return show(raw)
	}
	list := make([]T, 0, len(texts))
	for _, text := range texts {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		item, err := parse(text)
		if err != nil {
			return show(text)
		}
		list = append(list, item)
	}
	*dst = list
	return nil
}

// setPlugins stores a map of plugin id to its named values. Errors name the plugin and the name, never a value.
func setPlugins[T any](dst *map[string]map[string]T, raw any, setValue func(*T, any) error) error {
	plugins, err := byID(raw)
	if err != nil {
		return err
	}
	all := make(map[string]map[string]T, len(plugins))
	for _, id := range sortedKeys(plugins) {
		if plugins[id] == nil {
			continue
		}
		values, ok := plugins[id].(map[string]any)
		if !ok {
			return fmt.Errorf("plugin %q %w", id, errType)
		}
		all[id] = make(map[string]T, len(values))
		for _, name := range sortedKeys(values) {
			var value T
			if err := setValue(&value, values[name]); err != nil {
				return fmt.Errorf("%q of plugin %q %w", name, id, err)
			}
			all[id][name] = value
		}
	}
	*dst = all
	return nil
}

// setByID stores a map of plugin id to one value.
func setByID[T any](dst *map[string]T, raw any, setValue func(*T, any) error) error {
	plugins, err := byID(raw)
	if err != nil {
		return err
	}
	all := make(map[string]T, len(plugins))
	for _, id := range sortedKeys(plugins) {
		if plugins[id] == nil {
			continue
		}
		var value T
		if err := setValue(&value, plugins[id]); err != nil {
			return fmt.Errorf("plugin %q: %w", id, err)
		}
		all[id] = value
	}
	*dst = all
	return nil
}

// byID reads a map by plugin id. As plain text it is one JSON object.
func byID(raw any) (map[string]any, error) {
	if text, ok := raw.(plain); ok {
		var parsed map[string]any
		if err := yaml.Unmarshal([]byte(text), &parsed); err != nil { // JSON is YAML
			return nil, errType
		}
		raw = textKeys(parsed)
	}
	plugins, ok := raw.(map[string]any)
	if !ok {
		return nil, errType
	}
	return plugins, nil
}

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(strings.TrimSpace(text))
	if err != nil {
		return 0, show(text)
	}
	return d, nil
}

// parsePrefix reads a network, or one address as the network of itself.
func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err
}

func show(value any) error {
	switch v := value.(type) {
	case string:
		return fmt.Errorf("%q does not fit", v)
	case []any:
		return errors.New("a list does not fit")
	case map[string]any, map[any]any:
		return errors.New("a section does not fit")
	default:
		return fmt.Errorf("%v does not fit", v)
	}
}

// want says what a value of dst, a pointer to a field of Config, looks like.
func want(dst any) string {
	switch dst.(type) {
	case *bool:
		return "give true or false"
	case *int:
		return "give a whole number, without quotes"
	case *string:
		return "give a text, in quotes when it looks like a number"
	case *Size:
		return `give a size such as "512KB" or "1MB", or a number of bytes`
	case *TTL:
		return `give a lifetime such as "1h" or "7 days", a number of milliseconds, or -1 for no end`
	case *time.Duration:
		return `give a duration with its unit, such as "500ms", "30s" or "1h30m"`
	case *Secret:
		return `give the secret as text (in quotes), or "file:PATH" of a readable file that holds it`
	case *[]Secret:
		return `give a list of secrets, each as text (in quotes) or "file:PATH" of a readable file that holds it`
	case *[]string:
		return "give a list of texts, or one text with commas"
	case *[]netip.Prefix:
		return `give a list of networks or addresses such as "10.0.0.0/8" or "::1"`
	case *map[string]string:
		return "give one text a plugin id"
	case *map[string][]string:
		return "give one list of texts a plugin id"
	case *map[string]map[string]any:
		return "give one section a plugin id, with that plugin's settings inside"
	case *map[string]map[string]Secret:
		return `give one section a plugin id, with name: "secret" or name: "file:PATH" inside`
	case *map[string]OIDCProvider:
		return "give one section a provider, under the name that its strategy has, with issuer, clientId and redirectUrl inside"
	case *map[string]PasswordPolicy:
		return "give one section a policy, under a name of your choice"
	default:
		return ""
	}
}
