package document

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/core/storage"
)

// answer is a document as actions show it; each shows some of the members.
type answer struct {
	ID      string         `json:"_id"`
	Source  jsontext.Value `json:"_source,omitzero"`
	Version int64          `json:"_version,omitzero"`
	Created *bool          `json:"created,omitzero"`
	Result  string         `json:"result,omitzero"`
	Status  int            `json:"status,omitzero"`
}

func whole(d storage.Document) answer {
	return answer{ID: d.ID, Source: d.Source, Version: d.Version}
}

// doc is the part that pipes see.
func (a answer) doc() announce.Doc { return announce.Doc{ID: a.ID, Source: a.Source} }

// with is the answer after pipes have changed the document.
func (a answer) with(d announce.Doc) answer {
	a.ID, a.Source = d.ID, d.Source
	return a
}
