package bulk

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// operation is an action line with the document line that belongs to it.
type operation struct {
	// name is "index", "create", "update" or "delete".
	name string
	op   storage.Op
	// sent is the document line, nil for delete.
	sent jsontext.Value
}

// stamps are the metadata of documents that are created and of those that are changed.
type stamps struct{ created, updated jsontext.Value }

var kinds = map[string]storage.OpKind{
	"index": storage.OpPut, "create": storage.OpCreate, "update": storage.OpUpdate, "delete": storage.OpDelete,
}

// parse reads the lines. One that cannot be understood refuses them all, since what follows it could mean anything.
func parse(lines []jsontext.Value, s stamps) ([]operation, error) {
	var operations []operation
	for i := 0; i < len(lines); i++ {
		where := place(i)
		o, err := action(lines[i], where)
		if err != nil {
			return nil, err
		}
		if o.name != "delete" {
			if i++; i == len(lines) {
				return nil, kerror.APIAssertMissingArgument.New(place(i))
			}
			if err := o.document(lines[i], place(i), s); err != nil {
				return nil, err
			}
		}
		operations = append(operations, o)
	}
	return operations, nil
}

func place(line int) string { return "body.bulkData[" + strconv.Itoa(line) + "]" }

// action reads {<name>: {_id?}}. _index is overridden by the target of the request.
func action(line jsontext.Value, where string) (operation, error) {
	members, err := object(line, where)
	if err != nil {
		return operation{}, err
	}
	all := members.All()
	if len(all) != 1 {
		return operation{}, kerror.APIAssertInvalidArgument.New(where, "index, create, update, delete")
	}
	o := operation{name: all[0].Name}
	kind, known := kinds[o.name]
	if !known {
		return o, kerror.APIAssertInvalidArgument.New(where, "index, create, update, delete")
	}
	about, err := object(all[0].Value, where+"."+o.name)
	if err != nil {
		return o, err
	}
	if about.Has("_routing") || about.Has("routing") {
		return o, kerror.ServicesStorageNoRouting.New()
	}
	o.op.Kind = kind
	if o.name == "index" || o.name == "create" {
		o.op.ID, err = about.OptString("_id", "")
		o.op.ID = orNew(o.op.ID)
	} else {
		o.op.ID, err = about.String("_id")
	}
	return o, err
}

// document reads the line that follows an action.
func (o *operation) document(line jsontext.Value, where string, s stamps) error {
	members, err := object(line, where)
	if err != nil {
		return err
	}
	o.sent = line
	if o.name != "update" {
		o.op.Source, err = metadata.In(line, s.created)
		return err
	}
	for _, script := range []string{"script", "_script"} {
		if members.Has(script) {
			return kerror.ServicesStorageInvalidQueryKeyword.New(script)
		}
	}
	return o.update(members, s)
}

// update reads {doc, upsert?, doc_as_upsert?}.
func (o *operation) update(members protocol.Args, s stamps) error {
	changes, err := members.Object("doc")
	if err != nil {
		return err
	}
	absent, err := members.OptObject("upsert")
	if err != nil {
		return err
	}
	if same, err := members.Bool("doc_as_upsert"); err != nil {
		return err
	} else if same {
		absent = changes
	}
	if absent != nil {
		o.op.Kind = storage.OpUpsert
		if o.op.Default, err = metadata.In(absent, s.created); err != nil {
			return err
		}
	}
	o.op.Source, err = metadata.In(changes, s.updated)
	return err
}

func object(value jsontext.Value, where string) (protocol.Args, error) {
	if value.Kind() != '{' {
		return protocol.Args{}, kerror.APIAssertInvalidType.New(where, "object")
	}
	return protocol.ParseArgs(value, where+".")
}

// outcome is what became of an operation.
type outcome struct {
	ID     string         `json:"_id"`
	Status int            `json:"status"`
	Source jsontext.Value `json:"_source,omitzero"`
	Error  *reason        `json:"error,omitzero"`
}

type reason struct {
	Type   string `json:"type"`
	Reason string `json:"reason"`
}

// success is the answer for an operation that was done.
func (o operation) success(created bool) map[string]outcome {
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return map[string]outcome{o.name: {ID: o.op.ID, Status: status}}
}

// failure is the answer for an operation that was not, with the status and the type of error that Elasticsearch gives;
// shown is err as clients see it.
func (o operation) failure(err error, shown *kerror.Error) map[string]outcome {
	out := outcome{ID: o.op.ID, Status: shown.Status, Source: o.sent, Error: &reason{Type: shown.ID, Reason: shown.Message}}
	switch {
	case errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists):
		out.Status, out.Error.Type = http.StatusConflict, "version_conflict_engine_exception"
	case errors.Is(err, kerror.ServicesStorageNotFound) && o.name == "delete":
		out.Error = nil
	case errors.Is(err, kerror.ServicesStorageNotFound):
		out.Error.Type = "document_missing_exception"
	case errors.Is(err, kerror.ServicesStorageStrictMappingRejection):
		out.Error.Type = "strict_dynamic_mapping_exception"
	}
	return map[string]outcome{o.name: out}
}
