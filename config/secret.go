package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "***"

// Secret is a text that must not be seen. Printed, logged or marshalled it is ***; only Reveal gives it. The zero value is
// the empty secret. Comparing two secrets with == compares where they were made, not what they say.
type Secret struct {
	// A pointer, because fmt calls no method of a value in an unexported field but prints what it holds.
	value *string
}

// NewSecret hides value.
func NewSecret(value string) Secret { return Secret{value: &value} }

// Reveal gives the text itself. Do not keep or print it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsSet reports whether the secret is not empty.
func (s Secret) IsSet() bool { return s.Reveal() != "" }

// Reveal gives the texts of secrets. Do not keep or print them.
func Reveal(secrets []Secret) []string {
	texts := make([]string, len(secrets))
	for i, s := range secrets {
		texts[i] = s.Reveal()
	}
	return texts
}

// String is ***.
func (s Secret) String() string { return redacted }

// GoString is ***.
func (s Secret) GoString() string { return redacted }

// Format writes *** for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText gives ***.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON gives "***".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue is ***.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

var (
	_ fmt.Formatter          = Secret{}
	_ fmt.GoStringer         = Secret{}
	_ encoding.TextMarshaler = Secret{}
	_ json.Marshaler         = Secret{}
	_ slog.LogValuer         = Secret{}
)
