// Package metadata is the member _kuzzle_info of every public document: who wrote it and when. What a plugin stores for itself
// has none. Clients never set it; the
// actions that write documents do. The controllers of stored documents import it.
package metadata

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Key is the name of the member.
const Key = mapping.KuzzleInfo

// Mapping is what every public collection says of it.
var Mapping = jsontext.Value(mapping.KuzzleInfoMapping)

// Writer makes the metadata of documents that are about to be written. Each method fires announce.InjectMetadata, once for
// all documents of a request.
type Writer struct {
	Announcer announce.Announcer
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

type created struct {
	Author    *string `json:"author"`
	CreatedAt int64   `json:"createdAt"`
	UpdatedAt *int64  `json:"updatedAt"`
	Updater   *string `json:"updater"`
}

type published struct {
	Author    *string `json:"author"`
	CreatedAt int64   `json:"createdAt"`
}

type updated struct {
	UpdatedAt int64   `json:"updatedAt"`
	Updater   *string `json:"updater"`
}

// Created is that of a new document, which nobody has changed yet.
func (w Writer) Created(ctx context.Context, req *protocol.Request) (jsontext.Value, error) {
	by, now := w.who(req)
	return w.one(ctx, req, created{Author: by, CreatedAt: now})
}

// Published is that of a message that is not stored; pipes do not see it.
func (w Writer) Published(req *protocol.Request) (jsontext.Value, error) {
	by, now := w.who(req)
	return json.Marshal(published{by, now})
}

// Replaced is that of a document written anew over whatever was there: all four are the caller and now.
func (w Writer) Replaced(ctx context.Context, req *protocol.Request) (jsontext.Value, error) {
	by, now := w.who(req)
	return w.one(ctx, req, created{by, now, &now, by})
}

// Updated is what a change adds to the metadata there is.
func (w Writer) Updated(ctx context.Context, req *protocol.Request) (jsontext.Value, error) {
	by, now := w.who(req)
	return w.one(ctx, req, updated{now, by})
}

// Upserted is Updated for a document that exists and Replaced for one that is created.
func (w Writer) Upserted(ctx context.Context, req *protocol.Request) (announce.Metadata, error) {
	by, now := w.who(req)
	return w.inject(ctx, req, updated{now, by}, created{by, now, &now, by})
}

// Imported is Created and Updated at once.
func (w Writer) Imported(ctx context.Context, req *protocol.Request) (fresh, changed jsontext.Value, err error) {
	by, now := w.who(req)
	m, err := w.inject(ctx, req, updated{now, by}, created{Author: by, CreatedAt: now})
	return m.Default, m.Metadata, err
}

// who writes, and when. Calls from inside the node may have no user.
func (w Writer) who(req *protocol.Request) (by *string, now int64) {
	if req.User != nil {
		by = &req.User.ID
	}
	if w.Now == nil {
		return by, time.Now().UnixMilli()
	}
	return by, w.Now().UnixMilli()
}

func (w Writer) one(ctx context.Context, req *protocol.Request, info any) (jsontext.Value, error) {
	m, err := w.inject(ctx, req, info, nil)
	return m.Metadata, err
}

func (w Writer) inject(ctx context.Context, req *protocol.Request, info, absent any) (announce.Metadata, error) {
	var m announce.Metadata
	if req.OwnStorage() {
		return m, nil
	}
	var err error
	if m.Metadata, err = json.Marshal(info); err != nil {
		return m, err
	}
	if absent != nil {
		if m.Default, err = json.Marshal(absent); err != nil {
			return m, err
		}
	}
	return w.Announcer.Metadata(ctx, req, m)
}

// In gives source with info as its metadata, in place of any it came with; nil leaves it as it is.
func In(source, info jsontext.Value) (jsontext.Value, error) {
	if info == nil {
		return source, nil
	}
	members, err := protocol.ParseArgs(source, "body.")
	if err != nil {
		return nil, kerror.APIAssertInvalidType.Wrap(err, "body", "object")
	}
	members.Set(Key, info)
	return members.JSON(), nil
}

// MergedIn gives source with the members of info written over those of its metadata.
func MergedIn(source, info jsontext.Value) (jsontext.Value, error) {
	if info == nil {
		return source, nil
	}
	members, err := protocol.ParseArgs(source, "body.")
	if err != nil {
		return nil, err
	}
	earlier, err := members.OptObject(Key)
	if err != nil || earlier == nil { // none that can be read
		members.Set(Key, info)
		return members.JSON(), nil //nolint:nilerr // what nobody can read is written anew
	}
	merged, err := Overridden(earlier, info)
	if err != nil {
		return nil, err
	}
	members.Set(Key, merged)
	return members.JSON(), nil
}

// Overridden gives the object base with the members of over in place of its own of the same name.
func Overridden(base, over jsontext.Value) (jsontext.Value, error) {
	members, err := protocol.ParseArgs(base, "")
	if err != nil {
		return nil, err
	}
	more, err := protocol.ParseArgs(over, "")
	if err != nil {
		return nil, err
	}
	for _, m := range more.All() {
		members.Set(m.Name, m.Value)
	}
	return members.JSON(), nil
}
