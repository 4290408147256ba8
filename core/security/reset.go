package security

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// A reset writes the standard roles and profiles once there is a first administrator. That is several writes after the one
// that makes the administrator, and a node that dies in between must not stay open to everybody with an administrator
// whose making cannot be repeated. So:
//
//  1. PlanReset notes for whom a reset is planned.
//  2. The administrator is stored.
//  3. FinishReset writes the standard and removes the note.
//
// Cut off before 2, there is no administrator and the note means nothing: the creation is repeated. Cut off after it, the
// next Open finishes the reset, or the next FirstAdmin.
var (
	configCollection = storage.Collection{Scope: storage.Internal, Index: "kuzzle", Name: "config"}
	resetID          = "security.reset"
)

// plannedReset is the note.
type plannedReset struct {
	// Admin is the kuid of the administrator to be.
	Admin string `json:"admin"`
}

// PlanReset notes that FinishReset has to write the standard as soon as there is a user kuid. It takes the place of an
// earlier plan.
func (s *Service) PlanReset(ctx context.Context, kuid string) error {
	source, err := json.Marshal(plannedReset{kuid})
	if err != nil {
		return err
	}
	if _, _, err := s.engine.Put(ctx, configCollection, resetID, source, storage.WriteOptions{}); err != nil {
		return StorageFailed("plan the reset of rights", err)
	}
	return nil
}

// ForgetReset drops the plan, if there is one.
func (s *Service) ForgetReset(ctx context.Context) error {
	err := s.engine.Delete(ctx, configCollection, resetID, storage.WriteOptions{})
	if err != nil && !errors.Is(err, kerror.ServicesStorageNotFound) {
		return StorageFailed("drop the plan to reset rights", err)
	}
	return nil
}

// FinishReset does what was planned, and nothing when there is no plan or its user is not there. It can be repeated.
func (s *Service) FinishReset(ctx context.Context, w Write) error {
	doc, err := s.engine.Get(ctx, configCollection, resetID)
	if errors.Is(err, kerror.ServicesStorageNotFound) {
		return nil
	}
	if err != nil {
		return StorageFailed("look for a planned reset of rights", err)
	}
	var plan plannedReset
	if err := json.Unmarshal(doc.Source, &plan); err != nil {
		return fmt.Errorf("read the planned reset of rights: %w", err)
	}
	if _, err := s.ReadUser(ctx, plan.Admin); errors.Is(err, kerror.SecurityUserNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if err := s.WriteStandard(ctx, w); err != nil {
		return err
	}
	return s.ForgetReset(ctx)
}

// WriteStandard stores the standard roles and profiles over what is there. Anonymous comes last: should a write before it
// fail, anonymous can still log in and the administrator can go on from there.
func (s *Service) WriteStandard(ctx context.Context, w Write) error {
	for _, id := range standardIDs {
		if _, err := s.put(ctx, rolesCollection, id, jsontext.Value(standardSecurity.roles[id]), w); err != nil {
			return err
		}
		if _, err := s.put(ctx, profilesCollection, id, jsontext.Value(standardSecurity.profiles[id]), w); err != nil {
			return err
		}
	}
	return nil
}

var standardIDs = []string{adminID, defaultID, anonymousID}
