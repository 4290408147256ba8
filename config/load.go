package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Sources are the places settings come from; each wins over those before it. The zero value gives the defaults.
type Sources struct {
	// File is the path of a YAML file; empty = none.
	File string
	// Env is the environment as os.Environ gives it; variables that do not start with SLUICE_ are ignored.
	Env []string
	// Flags are command-line flags by the path of their key, such as "server.port".
	Flags map[string]string
}

// Load gives the defaults with the sources laid over them. It reads all of them to the end: its error joins every mistake
// of every source and of Validate, each a *Mistake that names its source. A file that cannot be read or parsed is an error of
// its own and ends the reading. No Config is given with an error.
func Load(s Sources) (*Config, error) {
	l := loader{config: Defaults(), keys: map[string]key{}, sections: map[string]bool{}, origin: map[string]string{}}
	for _, sec := range sections() {
		l.sections[sec.path] = true
		for _, k := range sec.keys {
			l.keys[k.path] = k
		}
	}
	if s.File != "" {
		if err := l.file(s.File); err != nil {
			return nil, err
		}
	}
	l.environment(s.Env)
	for _, path := range sortedKeys(s.Flags) {
		l.value(path, plain(s.Flags[path]), "command line")
	}
	l.validate()
	if len(l.mistakes) > 0 {
		return nil, errors.Join(l.mistakes...)
	}
	return l.config, nil
}

// loader is one run of Load.
type loader struct {
	config   *Config
	keys     map[string]key
	sections map[string]bool
	origin   map[string]string // where the value of a path was set
	mistakes []error
}

func (l *loader) file(name string) error {
	text, err := os.ReadFile(name) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("read the configuration file: %w", err)
	}
	var document yaml.Node
	var settings map[string]any
	if err := yaml.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("read the configuration file %s: %w", name, err)
	}
	if err := document.Decode(&settings); err != nil {
		return fmt.Errorf("read the configuration file %s: %w", name, err)
	}
	settings, _ = textKeys(settings).(map[string]any)
	l.section("", settings, func(path []string) string {
		if n := lineOf(&document, path); n > 0 {
			return name + " line " + strconv.Itoa(n)
		}
		return name
	}, nil)
	return nil
}

// lineOf gives the line of the last key of path, counted from 1; 0 when it is not found.
func lineOf(n *yaml.Node, path []string) int {
	if n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	if len(path) == 0 {
		return 0
	}
	name, below := path[0], path[1:]
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 { // key, value, key, value, …
		key := n.Content[i]
		switch {
		case key.Value != name:
		case len(below) == 0:
			return key.Line
		default:
			return lineOf(n.Content[i+1], below)
		}
	}
	return 0
}

// section reads one level of the file. parents are the keys above it; source tells where a path stands.
func (l *loader) section(prefix string, settings map[string]any, source func([]string) string, parents []string) {
	for _, name := range sortedKeys(settings) {
		path, at := prefix+name, append(slices.Clone(parents), name)
		inner, isMap := settings[name].(map[string]any)
		switch {
		case strings.Contains(name, "."): // else server.port at the top would pass for port in server
			l.unknown(path, source(at))
		case !l.sections[path] || path == "":
			l.value(path, settings[name], source(at))
		case isMap:
			l.section(path+".", inner, source, at)
		case settings[name] != nil:
			l.mistake(path, "is a section, not a value", "put its keys below it, indented", source(at))
		}
	}
}

// value stores one value. Nothing after the colon, or null, means the default.
func (l *loader) value(path string, raw any, source string) {
	k, ok := l.keys[path]
	if !ok {
		l.unknown(path, source)
		return
	}
	if raw == nil {
		return
	}
	dst := k.in(l.config)
	l.origin[path] = source
	if err := decode(dst, raw); err != nil {
		l.mistake(path, err.Error(), want(dst), source)
	}
}

func (l *loader) unknown(path, source string) {
	known := append(sortedKeys(l.keys), sortedKeys(l.sections)...)
	l.mistake(path, "there is no such key", didYouMean(path, known), source)
}

func (l *loader) mistake(path, problem, want, source string) {
	l.mistakes = append(l.mistakes, &Mistake{Path: path, Problem: problem, Want: want, Source: source})
}

// validate adds what Validate finds, without the keys that could not be read in the first place.
func (l *loader) validate() {
	known := map[string]bool{}
	for _, m := range Mistakes(errors.Join(l.mistakes...)) {
		known[m.Path] = true
	}
	for _, m := range Mistakes(l.config.Validate()) {
		if !known[m.Path] {
			m.Source = l.origin[m.Path]
			l.mistakes = append(l.mistakes, m)
		}
	}
}

func didYouMean(text string, known []string) string {
	name := nearest(text, known)
	switch name {
	case "":
		return "sluice config doc lists all"
	case text:
		return "write it as a section with the key below it, indented"
	default:
		return "did you mean " + name + "?"
	}
}

// textKeys gives value with every map keyed by text: YAML knows numbers and true as keys, settings do not.
func textKeys(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			v[name] = textKeys(inner)
		}
	case map[any]any:
		m := make(map[string]any, len(v))
		for name, inner := range v {
			m[fmt.Sprint(name)] = textKeys(inner)
		}
		return m
	case []any:
		for i, inner := range v {
			v[i] = textKeys(inner)
		}
	}
	return value
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
