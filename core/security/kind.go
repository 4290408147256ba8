package security

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/core/storage/mapping"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Kind is what the service stores: each in a collection of its own.
type Kind uint8

// The kinds.
const (
	Users Kind = iota
	Profiles
	Roles
)

// KindOf gives the kind of that name: users, profiles or roles.
func KindOf(name string) (Kind, bool) {
	for _, k := range []Kind{Users, Profiles, Roles} {
		if k.collection().Name == name {
			return k, true
		}
	}
	return 0, false
}

func (k Kind) collection() storage.Collection {
	switch k {
	case Profiles:
		return profilesCollection
	case Roles:
		return rolesCollection
	default:
		return usersCollection
	}
}

// infoMapping is the member of each mapping for who wrote a document and when.
const infoMapping = `"` + metadataKey + `":` + mapping.KuzzleInfoMapping

// specs are what the collections are made with. The mappings are those of a Kuzzle 2; operators may add to them.
var specs = map[storage.Collection]storage.Spec{
	usersCollection: {
		Keywords: []string{"profileIds"},
		Mapping:  jsontext.Value(`{"dynamic":"false","properties":{` + infoMapping + `,"profileIds":{"type":"keyword"}}}`),
	},
	profilesCollection: {
		Keywords: []string{"tags"},
		Mapping: jsontext.Value(`{"dynamic":"false","properties":{` + infoMapping + `,"tags":{"type":"keyword"},"policies":{"properties":{` +
			`"roleId":{"type":"keyword"},"restrictedTo":{"type":"nested","properties":{` +
			`"index":{"type":"keyword"},"collections":{"type":"keyword"}}}}}}}`),
	},
	rolesCollection: {
		Keywords: []string{"tags"},
		Mapping: jsontext.Value(`{"dynamic":"false","properties":{` + infoMapping + `,"tags":{"type":"keyword"},` +
			`"controllers":{"dynamic":"false","properties":{}}}}`),
	},
	configCollection: {},
}

// Search finds what is stored; targets of s are ignored. What is built in and not stored is not found.
func (s *Service) Search(ctx context.Context, k Kind, search storage.Search) (storage.Found, error) {
	search.Targets = []storage.Collection{k.collection()}
	found, err := s.engine.Search(ctx, search)
	return found, searchFailed("search "+k.collection().Name, err)
}

// NextHits gives the next hits of a scroll that Search opened for this kind. A scroll over anything else that the node keeps
// is as good as none.
func (s *Service) NextHits(ctx context.Context, k Kind, scroll string, keep time.Duration) (storage.Found, error) {
	found, err := s.engine.NextHits(ctx, storage.Internal, scroll, keep)
	if err != nil {
		return storage.Found{}, searchFailed("scroll "+k.collection().Name, err)
	}
	for _, hit := range found.Hits {
		if hit.Collection != k.collection() {
			return storage.Found{}, kerror.ServicesStorageUnknownScrollID.New()
		}
	}
	return found, nil
}

// searchFailed keeps what is wrong with a query, which is the client's; that the node misses its own collections is not.
func searchFailed(doing string, err error) error {
	if errors.Is(err, kerror.ServicesStorageUnknownIndex) || errors.Is(err, kerror.ServicesStorageUnknownCollection) {
		return StorageFailed(doing, err)
	}
	return err
}

// Refresh returns once searches see every earlier write, and has what is kept in memory read again: somebody may have
// written around the service.
func (s *Service) Refresh(ctx context.Context, k Kind) error {
	if err := s.Settle(ctx, k, Write{Refresh: storage.RefreshWaitFor}); err != nil {
		return err
	}
	s.rightsChanged(ctx)
	return nil
}

// Settle returns when searches see what was written, if w asks for that: for those who wrote many without waiting.
func (s *Service) Settle(ctx context.Context, k Kind, w Write) error {
	if w.Refresh == storage.RefreshLater {
		return nil
	}
	if err := s.engine.Refresh(ctx, k.collection()); err != nil {
		return StorageFailed("refresh "+k.collection().Name, err)
	}
	return nil
}

// Mapping gives the mapping of a kind, {dynamic, _meta?, properties}, without the fields that the node itself writes.
func (s *Service) Mapping(ctx context.Context, k Kind) (jsontext.Value, error) {
	spec, err := s.engine.Describe(ctx, k.collection())
	if err != nil {
		return nil, StorageFailed("read the mapping of "+k.collection().Name, err)
	}
	m, err := mapping.Parse(spec.Mapping)
	if err != nil {
		return spec.Mapping, nil //nolint:nilerr // somebody added to it in the engine what only that can read
	}
	return m.JSON(false), nil
}

// AddMapping adds fields to the mapping of a kind. Those that are there cannot be changed:
// services.storage.cannot_change_mapping. Nor can what the node itself writes into every document be mapped: a type that does
// not suit it would end all writes.
func (s *Service) AddMapping(ctx context.Context, k Kind, properties jsontext.Value) error {
	fields, err := protocol.ParseArgs(properties, "body.properties.")
	if err != nil {
		return err
	}
	for _, f := range fields.All() {
		if f.Name == metadataKey || strings.HasPrefix(f.Name, metadataKey+".") {
			return kerror.APIAssertForbiddenArgument.New("body.properties." + f.Name)
		}
	}
	more := append(append(jsontext.Value(`{"properties":`), properties...), '}')
	err = s.engine.Ensure(ctx, k.collection(), storage.Spec{Mapping: more})
	return searchFailed("change the mapping of "+k.collection().Name, err)
}
