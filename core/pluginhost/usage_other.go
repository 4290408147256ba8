//go:build !linux

package pluginhost

// usageOf knows nothing here.
func usageOf(int) (usage, bool) { return usage{}, false }
