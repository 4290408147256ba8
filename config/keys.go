package config

import (
	"reflect"
	"strings"
	"unicode"
)

// key is one setting, described by the tags of its field.
type key struct {
	path  string // "server.maxRequestSize"
	env   string // "SLUICE_SERVER_MAX_REQUEST_SIZE"
	field reflect.StructField
	index []int
}

// in gives the field of c as a pointer.
func (k key) in(c *Config) any {
	return reflect.ValueOf(c).Elem().FieldByIndex(k.index).Addr().Interface()
}

// section is a group of keys. The top level has the path "".
type section struct {
	path string
	doc  string
	keys []key
}

// sections gives every section in the order of the structs, a section before those inside it.
func sections() []section {
	return sectionsOf(reflect.TypeFor[Config](), section{}, nil)
}

func sectionsOf(t reflect.Type, s section, index []int) []section {
	var inner []section
	for i := range t.NumField() {
		f := t.Field(i)
		path := strings.TrimPrefix(s.path+"."+f.Tag.Get("config"), ".")
		at := append(append([]int(nil), index...), i)
		if isSection(f.Type) {
			inner = append(inner, sectionsOf(f.Type, section{path: path, doc: f.Tag.Get("doc")}, at)...)
		} else {
			s.keys = append(s.keys, key{path: path, env: envName(path), field: f, index: at})
		}
	}
	return append([]section{s}, inner...)
}

// isSection tells a section from a value such as Secret, whose fields are its own affair.
func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() > 0 && t.Field(0).Tag.Get("config") != ""
}

// keys gives every key in the order of the structs.
func keys() []key {
	var all []key
	for _, s := range sections() {
		all = append(all, s.keys...)
	}
	return all
}

// envPrefix starts the name of every environment variable of Sluice.
const envPrefix = "SLUICE_"

// envName turns "server.maxRequestSize" into "SLUICE_SERVER_MAX_REQUEST_SIZE". A capital starts a word after a small letter,
// unless it ends the name: "memoryKiB" gives MEMORY_KIB.
func envName(path string) string {
	var b strings.Builder
	b.WriteString(envPrefix)
	runes := []rune(path)
	for i, r := range runes {
		last := i == len(runes)-1 || runes[i+1] == '.'
		switch {
		case r == '.':
			b.WriteByte('_')
			continue
		case unicode.IsUpper(r) && !unicode.IsUpper(runes[i-1]) && !last:
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}
