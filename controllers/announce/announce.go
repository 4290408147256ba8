// Package announce fires the events of the controllers of stored documents, in the form in which pipes and hooks get them,
// and reads what pipes made of them; and it tells subscribers of documents that were written. The controllers of stored documents import it.
package announce

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/events"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Announcer fires events to those who listen now.
type Announcer struct {
	Bus      *events.Bus
	Snapshot func() *router.Snapshot
}

// The events of documents. Their payload is the request and, as Data, a list of documents, which pipes may change but
// neither lengthen, shorten nor reorder: []Doc, or the same as JSON once a plugin has changed it.
const (
	BeforeWrite  = "generic:document:beforeWrite"
	AfterWrite   = "generic:document:afterWrite"
	BeforeUpdate = "generic:document:beforeUpdate"
	AfterUpdate  = "generic:document:afterUpdate"
	BeforeGet    = "generic:document:beforeGet"
	AfterGet     = "generic:document:afterGet"
	BeforeDelete = "generic:document:beforeDelete"
	AfterDelete  = "generic:document:afterDelete"
)

// Doc is a document as pipes see it. What it does not have is left out: before a read, all but the id.
type Doc struct {
	ID     string         `json:"_id,omitzero"`
	Source jsontext.Value `json:"_source,omitzero"`
}

// Docs fires an event of documents and gives them as the pipes left them. Of what a plugin stores for itself nobody is told.
func (a Announcer) Docs(ctx context.Context, req *protocol.Request, event string, docs []Doc) ([]Doc, error) {
	if req.OwnStorage() {
		return docs, nil
	}
	payload := events.Payload{Request: req, Data: docs}
	if err := a.Bus.Fire(ctx, a.Snapshot().Events, event, &payload); err != nil {
		return nil, err
	}
	var changed []Doc
	switch data := payload.Data.(type) {
	case []Doc:
		changed = data
	case jsontext.Value: // out of a plugin
		if err := json.Unmarshal(data, &changed); err != nil {
			return nil, kerror.PluginRuntimeUnexpectedError.Wrap(err, "a pipe on "+event+" answered without documents")
		}
	}
	if len(changed) != len(docs) {
		return nil, kerror.PluginRuntimeUnexpectedError.New(
			fmt.Sprintf("a pipe on %s answered with %d documents in place of %d", event, len(changed), len(docs)))
	}
	for _, doc := range changed {
		if doc.Source != nil && doc.Source.Kind() != '{' {
			return nil, kerror.PluginRuntimeUnexpectedError.New("a pipe on " + event + " answered with a document that is no object")
		}
	}
	return changed, nil
}

// Doc is Docs for one document.
func (a Announcer) Doc(ctx context.Context, req *protocol.Request, event string, doc Doc) (Doc, error) {
	docs, err := a.Docs(ctx, req, event, []Doc{doc})
	if err != nil {
		return Doc{}, err
	}
	return docs[0], nil
}

// The events of indexes and collections, told once the change is made.
const (
	IndexCreated      = "core:storage:index:create:after"
	IndexDeleted      = "core:storage:index:delete:after"
	IndexesDeleted    = "core:storage:index:mDelete:after"
	CollectionCreated = "core:storage:collection:create:after"
	CollectionDeleted = "core:storage:collection:delete:after"
)

// place is what an event of indexes or collections is about.
type place struct {
	Index      string   `json:"index,omitzero"`
	Indexes    []string `json:"indexes,omitzero"`
	Collection string   `json:"collection,omitzero"`
	Scope      string   `json:"scope"`
}

// Index fires IndexCreated or IndexDeleted.
func (a Announcer) Index(ctx context.Context, event, index string) error {
	return a.place(ctx, event, place{Index: index, Scope: storage.Public.String()})
}

// Indexes fires IndexesDeleted.
func (a Announcer) Indexes(ctx context.Context, event string, indexes []string) error {
	return a.place(ctx, event, place{Indexes: indexes, Scope: storage.Public.String()})
}

// Collection fires CollectionCreated or CollectionDeleted, of public collections.
func (a Announcer) Collection(ctx context.Context, event string, c storage.Collection) error {
	if c.Scope != storage.Public {
		return nil
	}
	return a.place(ctx, event, place{Index: c.Index, Collection: c.Name, Scope: c.Scope.String()})
}

func (a Announcer) place(ctx context.Context, event string, p place) error {
	return a.Bus.Fire(ctx, a.Snapshot().Events, event, &events.Payload{Data: p})
}
