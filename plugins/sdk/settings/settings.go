// Package settings holds types for the configuration of plugins, which arrives as JSON.
//
// Plugins import it; it imports nothing.
package settings

import (
	"fmt"
	"time"
)

// Duration is a time.Duration that is written as in the configuration of the node: "30s", "15m", "1h30m". It is never
// negative.
type Duration struct{ time.Duration }

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	read, err := time.ParseDuration(string(text))
	if err != nil || read < 0 {
		return fmt.Errorf(`%q is no duration such as "30s" or "15m"`, text)
	}
	d.Duration = read
	return nil
}
