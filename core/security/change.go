package security

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Change is a Write that reads first.
type Change struct {
	Write
	// Retries is how often a change that lost a race is tried again.
	Retries int
}

// create stores a new document; services.storage.document_already_exists when the id is taken.
func (s *Service) create(ctx context.Context, k Kind, id string, body jsontext.Value, w Write) (Stored, error) {
	source, err := s.stamp(body, nil, w)
	if err != nil {
		return Stored{}, err
	}
	defer s.rightsChanged(ctx) // a profile may have named the role, a user the profile, before there was one
	doc, err := s.engine.Create(ctx, k.collection(), id, source, w.options())
	switch {
	case errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists):
		return Stored{}, err
	case err != nil:
		return Stored{}, writeFailed("store "+k.collection().Name+" "+id, err)
	}
	return Stored{doc.ID, doc.Source}, nil
}

// change stores what next makes of a document. What is not stored yet begins as absent gives it, or fails with its error.
// services.storage.too_many_changes when others were faster each time.
func (s *Service) change(ctx context.Context, k Kind, id string, c Change, absent func() (jsontext.Value, error), next func(earlier jsontext.Value) (jsontext.Value, error)) (Stored, error) {
	for left := max(c.Retries, 0); ; left-- {
		stored, err := s.changeOnce(ctx, k, id, c.Write, absent, next)
		switch {
		case !lostRace(err):
			return stored, err
		case left == 0:
			return Stored{}, kerror.ServicesStorageTooManyChanges.Wrap(err, id)
		}
	}
}

func (s *Service) changeOnce(ctx context.Context, k Kind, id string, w Write, absent func() (jsontext.Value, error), next func(earlier jsontext.Value) (jsontext.Value, error)) (Stored, error) {
	doc, err := s.engine.Get(ctx, k.collection(), id)
	fresh := errors.Is(err, kerror.ServicesStorageNotFound)
	earlier := doc.Source
	switch {
	case fresh:
		if earlier, err = absent(); err != nil {
			return Stored{}, err
		}
	case err != nil:
		return Stored{}, StorageFailed("read "+k.collection().Name+" "+id, err)
	}
	body, err := next(earlier)
	if err != nil {
		return Stored{}, err
	}
	source, err := s.stamp(body, doc.Source, w)
	if err != nil {
		return Stored{}, err
	}
	if fresh {
		doc, err = s.engine.Create(ctx, k.collection(), id, source, w.options())
	} else {
		o := w.options()
		o.IfVersion = doc.Version
		doc, err = s.engine.Replace(ctx, k.collection(), id, source, o)
	}
	switch {
	case err == nil:
		return Stored{doc.ID, doc.Source}, nil
	case lostRace(err):
		return Stored{}, err
	default:
		return Stored{}, writeFailed("store "+k.collection().Name+" "+id, err)
	}
}

// lostRace reports whether somebody else changed, made or deleted the document in between.
func lostRace(err error) bool {
	return errors.Is(err, kerror.ServicesStorageTooManyChanges) ||
		errors.Is(err, kerror.ServicesStorageDocumentAlreadyExists) || errors.Is(err, kerror.ServicesStorageNotFound)
}

// merged gives the object base with the members of over in place of its own of the same name.
func merged(base, over jsontext.Value) (jsontext.Value, error) {
	members, err := protocol.ParseArgs(base, "body.")
	if err != nil {
		return nil, err
	}
	more, err := protocol.ParseArgs(over, "body.")
	if err != nil {
		return nil, err
	}
	for _, m := range more.All() {
		members.Set(m.Name, m.Value)
	}
	return members.JSON(), nil
}
