package collection

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const (
	shards   = "number_of_shards"
	replicas = "number_of_replicas"
	// defaultShards is how many there are when nobody says.
	defaultShards = "1"
	// usual are what most collections are given.
	usual = shards + ", " + replicas + ", refresh_interval, max_result_window, analysis"
	// embeddedEngine is the type of the engine that keeps one copy of everything.
	embeddedEngine = "embedded"
)

// settingNames are the settings that a collection can be given, and settingGroups those that hold others. What they do is for
// the engine to say: the embedded one keeps them and needs none.
var (
	settingNames = []string{
		"auto_expand_replicas", "codec", "default_pipeline", "final_pipeline", "gc_deletes", "hidden", "load_fixed_bitset_filters_eagerly",
		"max_docvalue_fields_search", "max_inner_result_window", "max_ngram_diff", "max_refresh_listeners", "max_regex_length",
		"max_rescore_window", "max_result_window", "max_script_fields", "max_shingle_diff", "max_slices_per_scroll", "max_terms_count",
		replicas, "number_of_routing_shards", shards, "priority", "refresh_interval", "routing_partition_size", "soft_deletes",
	}
	settingGroups = []string{
		"allocation", "analysis", "analyze", "blocks", "highlight", "indexing", "lifecycle", "mapping", "merge", "query", "queries",
		"query_string", "routing", "search", "similarity", "soft_deletes", "sort", "store", "translog", "unassigned",
	}
)

// getSettings answers the settings of a collection as Elasticsearch does: every value is a text, or a list of them. What only
// Elasticsearch keeps about an index, its uuid and when it was made, is left out.
func (c controller) getSettings(ctx context.Context, req *protocol.Request) (any, error) {
	where, err := target.Collection(req)
	if err != nil {
		return nil, err
	}
	spec, err := c.Engine.Describe(ctx, where)
	if err != nil {
		return nil, err
	}
	info, err := c.Engine.Info(ctx)
	if err != nil {
		return nil, err
	}
	shown := map[string]any{shards: defaultShards, "provided_name": "&" + where.Index + "." + where.Name}
	if info.Type == embeddedEngine {
		shown[replicas] = "0"
	}
	stored, err := flatten(spec.Settings)
	if err != nil {
		return nil, err
	}
	for _, s := range stored {
		if s.value.Kind() != 'n' {
			shown[s.name] = s.shown()
		}
	}
	return shown, nil
}

// setting is one of the settings, by its name with dots and without the "index." that it may begin with.
type setting struct {
	name  string
	value jsontext.Value
}

// shown is the value as Elasticsearch writes it.
func (s setting) shown() any {
	var list []jsontext.Value
	if s.value.Kind() != '[' || json.Unmarshal(s.value, &list) != nil {
		return text(s.value)
	}
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = text(v)
	}
	return texts
}

// text gives a scalar as text.
func text(v jsontext.Value) string {
	var s string
	if json.Unmarshal(v, &s) == nil && v.Kind() == '"' {
		return s
	}
	return string(bytes.TrimSpace(v))
}

// flatten gives settings in the order they came, the last of a name only.
func flatten(settings jsontext.Value) ([]setting, error) {
	var list []setting
	if settings == nil {
		return nil, nil
	}
	err := flattenInto(&list, "", settings)
	return list, err
}

func flattenInto(list *[]setting, name string, v jsontext.Value) error {
	if v.Kind() != '{' {
		name = strings.TrimPrefix(name, "index.")
		*list = append(slices.DeleteFunc(*list, func(s setting) bool { return s.name == name }), setting{name, v})
		return nil
	}
	members, err := protocol.ParseArgs(v, "")
	if err != nil {
		return err
	}
	for _, m := range members.All() {
		inner := m.Name
		if name != "" {
			inner = name + "." + inner
		}
		if err := flattenInto(list, inner, m.Value); err != nil {
			return err
		}
	}
	return nil
}

// checkSettings refuses what is no setting of a collection, and numbers that are none.
func checkSettings(settings jsontext.Value) error {
	list, err := flatten(settings)
	if err != nil {
		return err
	}
	for _, s := range list {
		switch {
		case s.known():
		case slices.Contains(settingGroups, s.name):
			return kerror.APIAssertInvalidArgument.New("settings."+s.name, "an object, or null to take away all that is in it")
		default:
			return kerror.APIAssertUnexpectedArgument.New("settings."+s.name, "the settings of an Elasticsearch index, such as "+usual)
		}
		if err := s.checkNumber(); err != nil {
			return err
		}
	}
	return nil
}

func (s setting) known() bool {
	group, _, grouped := strings.Cut(s.name, ".")
	return slices.Contains(settingNames, s.name) || slices.Contains(settingGroups, group) && (grouped || s.value.Kind() == 'n')
}

// checkNumber looks at the settings that are answered as numbers.
func (s setting) checkNumber() error {
	least := 0
	switch s.name {
	case shards:
		least = 1
	case replicas:
	default:
		return nil
	}
	if n, err := strconv.Atoi(text(s.value)); s.value.Kind() != 'n' && (err != nil || n < least || n > 1024) {
		return kerror.APIAssertInvalidArgument.New("settings."+s.name, "a whole number from "+strconv.Itoa(least)+" to 1024")
	}
	return nil
}

// changed gives the settings that a collection has after it was given more, under names with dots. How many shards there are is
// fixed when a collection is made.
func changed(where storage.Collection, stored, given jsontext.Value) (jsontext.Value, error) {
	if given == nil {
		return nil, nil
	}
	all, err := flatten(stored)
	if err != nil {
		return nil, err
	}
	more, err := flatten(given)
	if err != nil {
		return nil, err
	}
	if has, wants := shardsOf(all), shardsOf(more); wants != has && slices.ContainsFunc(more, setting.isShards) {
		return nil, kerror.ServicesStorageWrongEsStaticSettingsForCollectionRecreation.New(where.Name, where.Index, where.Scope.String(), shards, wants, has)
	}
	return merged(all, more), nil
}

// merged gives settings with others in their place; null takes one away, with all that are in it.
func merged(all, more []setting) jsontext.Value {
	for _, s := range more {
		if s.isShards() && slices.ContainsFunc(all, setting.isShards) { // the same, perhaps written in another way
			continue
		}
		all = slices.DeleteFunc(all, func(old setting) bool {
			return old.name == s.name || s.value.Kind() == 'n' && strings.HasPrefix(old.name, s.name+".")
		})
		if s.value.Kind() != 'n' {
			all = append(all, s)
		}
	}
	var result protocol.Args
	for _, s := range all {
		result.Set(s.name, s.value)
	}
	return result.JSON()
}

func (s setting) isShards() bool { return s.name == shards }

// shardsOf is how many shards settings ask for.
func shardsOf(list []setting) string {
	if i := slices.IndexFunc(list, setting.isShards); i >= 0 && list[i].value.Kind() != 'n' {
		return text(list[i].value)
	}
	return defaultShards
}
