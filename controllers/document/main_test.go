package document_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/sluicehq/sluice/controllers/controllertest"
	"github.com/sluicehq/sluice/controllers/document"
	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/core/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type scenario controllertest.Scenario

const (
	maxFetch = 4
	maxWrite = 5

	// c is the collection of every test.
	c = `"index":"i","collection":"c"`
	// Metadata of documents that nobody changed, of those written over others, of changed ones and of changes.
	fresh    = `"_kuzzle_info":{"author":"-1","createdAt":1000,"updatedAt":null,"updater":null}`
	replaced = `"_kuzzle_info":{"author":"-1","createdAt":1000,"updatedAt":1000,"updater":"-1"}`
	changes  = `"_kuzzle_info":{"updatedAt":1000,"updater":"-1"}`

	createdInfo  = `generic:document:injectMetadata {"metadata":{"author":"-1","createdAt":1000,"updatedAt":null,"updater":null}}`
	replacedInfo = `generic:document:injectMetadata {"metadata":{"author":"-1","createdAt":1000,"updatedAt":1000,"updater":"-1"}}`
	updatedInfo  = `generic:document:injectMetadata {"metadata":{"updatedAt":1000,"updater":"-1"}}`
	upsertedInfo = `generic:document:injectMetadata {"metadata":{"updatedAt":1000,"updater":"-1"},"defaultMetadata":{"author":"-1","createdAt":1000,"updatedAt":1000,"updater":"-1"}}`
)

func newNode(t *testing.T) *controllertest.Node {
	t.Helper()
	n := controllertest.New(t, true)
	n.Contribute(t, "document", document.Actions(document.Options{
		Engine: n.Engine, Announcer: n.Announcer, Metadata: metadata.Writer{Announcer: n.Announcer, Now: controllertest.Now},
		MaxFetch: maxFetch, MaxWrite: maxWrite,
	}))
	if err := n.Engine.Ensure(t.Context(), storage.Collection{Index: "i", Name: "c"}, storage.Spec{}); err != nil {
		t.Fatal(err)
	}
	return n
}

// withDocument is a node with the document d of version 1.
func withDocument(t *testing.T, source string) *controllertest.Node {
	t.Helper()
	n := newNode(t)
	if _, err := n.Engine.Create(t.Context(), storage.Collection{Index: "i", Name: "c"}, "d", []byte(source), storage.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return n
}
