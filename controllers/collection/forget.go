package collection

import (
	"context"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/validation"
)

// Listeners let the specification of a collection go with it, whoever deletes it: a collection made later under the same
// name is not held to rules that nobody gave it.
func Listeners(specifications *validation.Validator) events.Listeners {
	forget := events.PipeFunc(func(ctx context.Context, _ string, p *events.Payload) error {
		data, err := json.Marshal(p.Data)
		if err != nil {
			return err
		}
		var gone struct {
			Index      string   `json:"index"`
			Indexes    []string `json:"indexes"`
			Collection string   `json:"collection"`
		}
		if err := json.Unmarshal(data, &gone); err != nil {
			return err
		}
		if gone.Collection != "" {
			return specifications.Delete(ctx, gone.Index, gone.Collection)
		}
		return specifications.DeleteIndexes(ctx, append(gone.Indexes, gone.Index))
	})
	return events.Listeners{Pipes: map[string]events.Pipe{
		announce.CollectionDeleted: forget, announce.IndexDeleted: forget, announce.IndexesDeleted: forget,
	}}
}
