package pluginhost

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/protocol/pluginv1"
)

// settingsFor gives what a plugin is configured with as JSON, checked against its schema.
func settingsFor(m *pluginv1.Manifest, settings map[string]any) ([]byte, error) {
	if settings == nil {
		settings = map[string]any{}
	}
	text, err := json.Marshal(settings, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encode plugins.config.%s: %w", m.GetId(), err)
	}
	if len(m.GetConfigSchema()) == 0 {
		return text, nil
	}
	schema, err := compile(m.GetConfigSchema())
	if err != nil {
		return nil, fmt.Errorf("its config schema is wrong, tell its author: %w", err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if err := schema.Validate(value); err != nil {
		return nil, fmt.Errorf("plugins.config.%s does not fit its schema: %w", m.GetId(), err)
	}
	return text, nil
}

func compile(schema []byte) (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(nothingElse{})
	if err := c.AddResource(schemaURL, document); err != nil {
		return nil, err
	}
	return c.Compile(schemaURL)
}

const schemaURL = "plugin:///config.json"

// nothingElse keeps a schema from reading files and the network.
type nothingElse struct{}

func (nothingElse) Load(url string) (any, error) {
	return nil, fmt.Errorf("a schema may not refer to %s", url)
}

// secretsFor gives the secrets that the manifest names.
func secretsFor(m *pluginv1.Manifest, set map[string]config.Secret) (map[string]string, error) {
	given := map[string]string{}
	var missing []error
	for _, s := range m.GetSecrets() {
		value := set[s.GetName()]
		switch {
		case value.IsSet():
			given[s.GetName()] = value.Reveal()
		case s.GetRequired():
			missing = append(missing, fmt.Errorf("the secret plugins.secrets.%s.%s is not set: %s", m.GetId(), s.GetName(), s.GetDescription()))
		}
	}
	return given, errors.Join(missing...)
}

var _ jsonschema.URLLoader = nothingElse{}
