package storage

// PluginIndex is the internal index that holds what a plugin stores in an index of its own, which is named like the plugin
// unless it says otherwise. Ids of plugins have no underscore, so two plugins never have the same.
func PluginIndex(plugin, index string) string {
	if index == plugin {
		return "plugin-" + plugin
	}
	return "plugin-" + plugin + "_" + index
}
