package security

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// checkedProfile is what has to be looked up of a profile whose shape is right.
type checkedProfile struct {
	roles  []string
	places []place
}

// place is what a policy is restricted to; no collections are all.
type place struct {
	index       string
	collections []string
}

// checkProfile says what is wrong with the body of a profile as far as the body alone tells: its shape, and for the profile
// anonymous whether it has the role anonymous. Policies hold nothing but what the API knows: a restriction that is misspelt
// must not be no restriction.
func checkProfile(id string, body jsontext.Value) (checkedProfile, error) {
	var p checkedProfile
	root, err := protocol.ParseArgs(body, "body.")
	if err != nil {
		return p, err
	}
	policies, err := objects(root.Raw("policies"), "body.policies")
	if err != nil {
		return p, err
	}
	if len(policies) == 0 {
		return p, kerror.APIAssertEmptyArgument.New("body.policies")
	}
	for i, policy := range policies {
		if err := p.policy(policy, "body.policies["+strconv.Itoa(i)+"]."); err != nil {
			return p, err
		}
	}
	if raw := root.Raw("rateLimit"); raw != nil {
		var limit int
		if err := json.Unmarshal(raw, &limit); err != nil || limit < 0 {
			return p, kerror.APIAssertInvalidType.New("body.rateLimit", "integer that is not negative")
		}
	}
	if id == anonymousID && !slices.Contains(p.roles, anonymousID) {
		return p, kerror.SecurityProfileMissingAnonymousRole.New()
	}
	return p, nil
}

// policy looks at one policy.
func (p *checkedProfile) policy(raw jsontext.Value, prefix string) error {
	members, err := onlyMembers(raw, prefix, "roleId", "restrictedTo")
	if err != nil {
		return err
	}
	role, err := members.String("roleId")
	if err != nil {
		return err
	}
	p.roles = append(p.roles, role)
	if members.Raw("restrictedTo") == nil {
		return nil
	}
	places, err := objects(members.Raw("restrictedTo"), prefix+"restrictedTo")
	if err != nil {
		return err
	}
	for i, raw := range places {
		if err := p.place(raw, prefix+"restrictedTo["+strconv.Itoa(i)+"]."); err != nil {
			return err
		}
	}
	return nil
}

func (p *checkedProfile) place(raw jsontext.Value, prefix string) error {
	members, err := onlyMembers(raw, prefix, "index", "collections")
	if err != nil {
		return err
	}
	var one place
	if one.index, err = members.String("index"); err != nil {
		return err
	}
	if one.index == "" {
		return kerror.APIAssertEmptyArgument.New(prefix + "index")
	}
	if members.Raw("collections") != nil {
		if one.collections, err = members.Strings("collections"); err != nil {
			return err
		}
	}
	p.places = append(p.places, one)
	return nil
}

// objects gives the elements of a required array.
func objects(raw jsontext.Value, label string) ([]jsontext.Value, error) {
	if raw == nil {
		return nil, kerror.APIAssertMissingArgument.New(label)
	}
	var list []jsontext.Value
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, kerror.APIAssertInvalidType.Wrap(err, label, "array")
	}
	for i, element := range list {
		if element.Kind() != '{' {
			return nil, kerror.APIAssertInvalidType.New(label+"["+strconv.Itoa(i)+"]", "object")
		}
	}
	return list, nil
}

// onlyMembers reads an object that must not hold anything else than what is allowed.
func onlyMembers(object jsontext.Value, prefix string, allowed ...string) (protocol.Args, error) {
	members, err := protocol.ParseArgs(object, prefix)
	if err != nil {
		return members, err
	}
	for _, m := range members.All() {
		if !slices.Contains(allowed, m.Name) {
			return members, kerror.APIAssertUnexpectedArgument.New(prefix+m.Name, strings.Join(allowed, ", "))
		}
	}
	return members, nil
}

// exist looks up the roles of a profile, and with strict the places of its restrictions too.
func (s *Service) exist(ctx context.Context, p checkedProfile, strict bool) error {
	slices.Sort(p.roles)
	if _, err := s.ReadRoles(ctx, slices.Compact(p.roles)); err != nil || !strict || len(p.places) == 0 {
		return err
	}
	collections, err := s.engine.List(ctx, storage.Public)
	if err != nil {
		return StorageFailed("list the collections", err)
	}
	indexes, err := s.engine.Indexes(ctx, storage.Public)
	if err != nil {
		return StorageFailed("list the indexes", err)
	}
	for _, one := range p.places {
		if !slices.Contains(indexes, one.index) {
			return kerror.ServicesStorageUnknownIndex.New(one.index)
		}
		for _, name := range one.collections {
			if !slices.Contains(collections, storage.Collection{Scope: storage.Public, Index: one.index, Name: name}) {
				return kerror.ServicesStorageUnknownCollection.New(one.index, name)
			}
		}
	}
	return nil
}
