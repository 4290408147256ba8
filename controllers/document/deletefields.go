package document

import (
	"context"
	"errors"
	"strings"

	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// maxFieldRaces is how often deleteFields begins anew because somebody else wrote the document meanwhile.
const maxFieldRaces = 8

// deleteFields takes fields out of a document. It answers {_id, _version}, with source also _source.
func (c controller) deleteFields(ctx context.Context, req *protocol.Request) (any, error) {
	where, f, err := one(req)
	if err != nil {
		return nil, err
	}
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	fields, err := body.Strings("fields")
	if err != nil {
		return nil, err
	}
	var stored storage.Document
	var news announce.News
	for range maxFieldRaces {
		if stored, news, err = c.without(ctx, req, where, fields, f); !errors.Is(err, kerror.ServicesStorageTooManyChanges) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	news.Removed = dotted(fields)
	defer news.Tell(ctx)
	a, err := c.updated(ctx, req, whole(stored))
	if err != nil {
		return nil, err
	}
	if !f.source {
		a.Source = nil
	}
	return a, nil
}

// without reads the document and writes it back without the fields, unless it was written in between.
func (c controller) without(ctx context.Context, req *protocol.Request, where storage.Collection, fields []string, f flags) (storage.Document, announce.News, error) {
	stored, err := c.Engine.Get(ctx, where, req.ID)
	if err != nil {
		return stored, announce.News{}, err
	}
	if f.version != 0 && f.version != stored.Version {
		return stored, announce.News{}, kerror.ServicesStorageTooManyChanges.New(req.ID)
	}
	left, err := dropFields(stored.Source, fields)
	if err != nil {
		return stored, announce.News{}, err
	}
	doc, err := c.changing(ctx, req, left, metadata.MergedIn)
	if err != nil {
		return stored, announce.News{}, err
	}
	op := storage.Op{Kind: storage.OpReplace, ID: req.ID, Source: doc.Source, IfVersion: stored.Version}
	result, news, err := c.do(ctx, req, where, op, f)
	return result.Document, news, err
}

// dotted gives the paths of fields as subscribers see them, without those that lead nowhere: see dropFields.
func dotted(fields []string) []string {
	list := make([]string, 0, len(fields))
	for _, field := range fields {
		if steps := split(field); len(steps) > 0 && steps[0] != metadata.Key {
			list = append(list, strings.Join(steps, "."))
		}
	}
	return list
}
