package elastic

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// cause is how Elasticsearch tells an error, of a request or of one document of many.
type cause struct {
	Type     string  `json:"type"`
	Reason   string  `json:"reason"`
	Index    string  `json:"index"`
	CausedBy *cause  `json:"caused_by"`
	Root     []cause `json:"root_cause"`
}

// status is the one that Elasticsearch leaves out where it tells the error of one document of many that were read.
func (c *cause) status() int {
	if c.Type == "no_shard_available_action_exception" {
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// shards is the part of an answer that tells how many of those asked had none.
type shards struct {
	Failed int `json:"failed"`
}

// err is not nil when an answer lacks what some shards hold.
func (s shards) err() error {
	if s.Failed == 0 {
		return nil
	}
	return notConnected(fmt.Errorf("%d shards did not answer", s.Failed), noShard)
}

// noShard says to clients that a part of Elasticsearch is away.
const noShard = "Elasticsearch has no shard that could do this."

// failure is a refusal by Elasticsearch.
type failure struct {
	status int
	cause
}

func newFailure(status int, body []byte) *failure {
	var answer struct {
		Error jsontext.Value `json:"error"`
	}
	f := &failure{status: status}
	_ = json.Unmarshal(body, &answer, jsontext.AllowInvalidUTF8(true)) // a proxy need not answer in JSON
	if answer.Error.Kind() != '{' || json.Unmarshal(answer.Error, &f.cause, jsontext.AllowInvalidUTF8(true)) != nil {
		f.Type, f.Reason = "unknown", http.StatusText(status)
	}
	return f
}

func (f *failure) Error() string {
	return fmt.Sprintf("Elasticsearch answered %d: %s", f.status, f.text())
}

// text is the reason with what lies below it, each said once.
func (f *failure) text() string {
	var parts []string
	add := func(c *cause) {
		for ; c != nil; c = c.CausedBy {
			if c.Reason != "" && !strings.Contains(strings.Join(parts, ": "), c.Reason) {
				parts = append(parts, c.Reason)
			}
		}
	}
	for i := range f.Root {
		add(&f.Root[i])
	}
	if len(parts) == 0 {
		add(&f.cause)
	}
	if len(parts) == 0 {
		parts = append(parts, f.Type)
	}
	return strings.Join(parts, ": ")
}

// noIndex reports whether an address did not exist: then nothing was done.
func (f *failure) noIndex() bool {
	return f.Type == "index_not_found_exception" || f.Type == "alias_not_found_exception" ||
		f.Type == "aliases_not_found_exception" || f.status == http.StatusNotFound && f.Type == "unknown"
}

func (f *failure) conflict() bool { return f.status == http.StatusConflict }

// blocked reports whether a block of the index or of the cluster is in the way, for which an operator must do something.
func (f *failure) blocked() bool { return f.Type == "cluster_block_exception" }

// busy reports whether Elasticsearch did nothing because it has too much to do. A full disk has the same status.
func (f *failure) busy() bool { return f.status == http.StatusTooManyRequests && !f.blocked() }

// away reports whether the whole cluster cannot serve, or a proxy before it, and not the shards of some index only.
func (f *failure) away() bool {
	return f.unavailable() && (f.Type == "unknown" || f.blocked() || f.Type == "master_not_discovered_exception")
}

// floodStage is in the text of the block that a full disk leads to.
const floodStage = "flood-stage watermark"

// block gives the error for a block, with what to do about it.
func (f *failure) block() error {
	if strings.Contains(f.text(), floodStage) {
		return kerror.ServicesStorageUnexpectedError.Wrap(f, "the disk of Elasticsearch is nearly full (flood stage), so that it only "+
			"lets this collection be read. Free disk space there, or add some: it lifts the block by itself then")
	}
	return kerror.ServicesStorageUnexpectedError.Wrap(f, "an operator has blocked this in Elasticsearch, and must lift the block there: "+f.text())
}

// severalValues is in the text of what Elasticsearch takes for an error of its own: a document in several groups of a collapse.
const severalValues = "the grouping field must be single valued"

// public gives the error for the client when nothing is known about the refusal.
func (f *failure) public() error {
	switch {
	case f.busy():
		return kerror.ServicesStorageTooManyOperations.Wrap(f, "Elasticsearch")
	case f.away():
		return notConnected(f, "")
	case f.unavailable():
		return notConnected(f, noShard)
	case f.blocked():
		return f.block()
	case f.status == http.StatusUnauthorized:
		return kerror.ServicesStorageUnexpectedError.Wrap(f, "Elasticsearch does not take the credentials of this node: its operator must "+
			"check storage.elasticsearch.apiKey, or username and password")
	case strings.Contains(f.text(), severalValues):
		return kerror.ServicesStorageUnexpectedBadRequest.Wrap(f, "collapse: a document has several values in the field, and belongs to one group only")
	case f.status == http.StatusBadRequest || f.status == http.StatusRequestEntityTooLarge:
		return kerror.ServicesStorageUnexpectedBadRequest.Wrap(f, f.text())
	case f.status == http.StatusNotFound:
		return kerror.ServicesStorageUnexpectedNotFound.Wrap(f, f.text())
	}
	return kerror.ServicesStorageUnexpectedError.Wrap(f, f.text())
}

func unexpected(text string, err error) error {
	return kerror.ServicesStorageUnexpectedError.Wrap(fmt.Errorf("%s: %w", text, err), text)
}

func notFound(c storage.Collection, id string) error {
	return kerror.ServicesStorageNotFound.New(id, c.Index, c.Name)
}

func unknownCollection(c storage.Collection) error {
	return kerror.ServicesStorageUnknownCollection.New(c.Index, c.Name)
}

func tooManyChanges(id string) error { return kerror.ServicesStorageTooManyChanges.New(id) }

// public turns what client.do gives into an error for the client.
func public(err error) error {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.public()
	}
	return err
}

// isNoIndex reports whether err is a failure of which noIndex holds.
func isNoIndex(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.noIndex()
}
