package config

import (
	"fmt"
	"reflect"
	"strings"
)

// setNamed stores a map of names to sections of one kind, each of which begins as base. Errors name the section and the key,
// never a secret.
func setNamed[T any](dst *map[string]T, raw any, kind string, base func() T) error {
	named, err := byID(raw)
	if err != nil {
		return err
	}
	all := make(map[string]T, len(named))
	for _, name := range sortedKeys(named) {
		if named[name] == nil {
			continue
		}
		values, ok := named[name].(map[string]any)
		if !ok {
			return fmt.Errorf("%s %q %w", kind, name, errType)
		}
		section := base()
		if err := setKeys(&section, values); err != nil {
			return fmt.Errorf("%s %q: %w", kind, name, err)
		}
		all[name] = section
	}
	*dst = all
	return nil
}

func setKeys[T any](section *T, values map[string]any) error {
	fields := map[string]any{}
	for _, k := range keysOf[T]() {
		fields[k.path] = k.of(section)
	}
	for _, name := range sortedKeys(values) {
		dst, ok := fields[name]
		if !ok {
			return fmt.Errorf("there is no key %q in it; %s", name, didYouMean(name, sortedKeys(fields)))
		}
		if values[name] == nil {
			continue
		}
		if err := decode(dst, values[name]); err != nil {
			return fmt.Errorf("%s: %w; %s", name, err, want(dst))
		}
	}
	return nil
}

// keysOf are the keys of one section of a map, each with the path inside it.
func keysOf[T any]() []key {
	return sectionsOf(reflect.TypeFor[T](), section{}, nil)[0].keys
}

// of gives the field of a section, which is a pointer, as a pointer.
func (k key) of(section any) any {
	return reflect.ValueOf(section).Elem().FieldByIndex(k.index).Addr().Interface()
}

// namedReference describes what stands below each name at the path.
func namedReference[T any](b *strings.Builder, path, doc string, base func() T) {
	fmt.Fprintf(b, "\n## `%s.<name>`\n\n%s\n\n", path, doc)
	b.WriteString("| key | type | default | meaning |\n|---|---|---|---|\n")
	section := base()
	for _, k := range keysOf[T]() {
		dst := k.of(&section)
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", k.path, typeName(dst), defaultText(dst), meaning(k))
	}
}
