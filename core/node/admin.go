package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"github.com/go-json-experiment/json"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/auth/local"
	"github.com/sluicehq/sluice/core/backup"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// adminProfile is the profile of administrators.
const adminProfile = "admin"

// Administrator is the user that CreateAdmin makes.
type Administrator struct {
	// Username is the name to log in with, and the id of a user who is made.
	Username, Password string
	// Reset gives them to a user who is there already, with the profile admin, and ends his sessions.
	Reset bool
	// Standard stores the standard roles and profiles over those that are there.
	Standard bool
}

// CreateAdmin makes an administrator on the data of a node that is stopped: the way back when nobody can log in who may do
// everything. done says what was done, a sentence each, also when it failed half-way; it can be repeated.
func CreateAdmin(ctx context.Context, o Options, a Administrator) (done []string, err error) {
	if err := checkStopped(ctx, o.Config.Server.DataDir); err != nil {
		return nil, err
	}
	n := &Node{options: o}
	defer func() { err = errors.Join(err, n.Stop(context.WithoutCancel(ctx))) }()
	if err := n.openStorage(ctx); err != nil {
		return nil, err
	}
	if err := n.openAccounts(ctx, nil); err != nil {
		return nil, err
	}
	if a.Standard {
		if err := n.users.WriteStandard(ctx, security.Write{}); err != nil {
			return nil, err
		}
		done = append(done, "stored the standard roles and profiles admin, default and anonymous")
	}
	kuid, err := n.putAdmin(ctx, a)
	if err != nil {
		return done, err
	}
	if a.Reset {
		done = append(done, fmt.Sprintf("the user %q has the profile admin and logs in as %q with the new password; his sessions have ended, his API keys stay", kuid, a.Username))
	} else {
		done = append(done, fmt.Sprintf("made the user %q with the profile admin, who logs in as %q", kuid, a.Username))
	}
	return done, n.checkAdmin(ctx, kuid)
}

// checkStopped fails while a node runs on the data folder, and when files of this process would shut out the node that comes next.
func checkStopped(ctx context.Context, dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("look at the data folder: %w (name it with --data, or the settings with --config)", err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to the user with the id %d: run this command as that user, or the node cannot read what it writes (sudo -u '#%[2]d' …)", dir, owner.Uid)
	}
	if backup.Served(ctx, dir) {
		return fmt.Errorf("a node runs on %s: stop it first", dir)
	}
	return nil
}

// putAdmin gives the id of the user who is an administrator now.
func (n *Node) putAdmin(ctx context.Context, a Administrator) (kuid string, err error) {
	credentials, err := json.Marshal(map[string]string{"username": a.Username, "password": a.Password})
	if err != nil {
		return "", err
	}
	kuid, err = n.named(ctx, a.Username)
	switch {
	case err != nil:
		return "", err
	case kuid == "" && a.Reset:
		return "", fmt.Errorf("there is no user %q: leave out --reset to make him", a.Username)
	case kuid == "":
		stored, err := n.tokens.CreateUser(ctx, nil, auth.NewUser{
			ID: a.Username, Content: []byte(`{"profileIds":["` + adminProfile + `"]}`),
			Credentials: []protocol.Arg{{Name: local.Name, Value: credentials}},
		})
		return stored.ID, err
	case !a.Reset:
		return "", fmt.Errorf("there is a user %q already: --reset gives him the new password and the profile admin", a.Username)
	}
	return kuid, n.resetAdmin(ctx, kuid, credentials)
}

// named gives the user who logs in by that name, else the one who has it as his id, "" for nobody. Credentials whose user was
// deleted count for nothing.
func (n *Node) named(ctx context.Context, username string) (string, error) {
	strategy, err := n.tokens.Strategies().Get(local.Name)
	if err != nil {
		return "", err
	}
	candidates := []string{username}
	if names, ok := strategy.Strategy.(auth.Holder); ok {
		wanted, err := json.Marshal(map[string]string{"username": username})
		if err != nil {
			return "", err
		}
		holder, err := names.Holder(ctx, nil, wanted)
		if err != nil {
			return "", err
		}
		candidates = []string{holder, username}
	}
	for _, kuid := range candidates {
		if kuid == "" || kuid == protocol.AnonymousID {
			continue
		}
		if _, err := n.users.ReadUser(ctx, kuid); !errors.Is(err, kerror.SecurityUserNotFound) {
			return kuid, err
		}
	}
	return "", nil
}

// resetAdmin makes an administrator of a user. Whoever knew the password before is logged out last.
func (n *Node) resetAdmin(ctx context.Context, kuid string, credentials []byte) error {
	stored, err := n.users.ReadUser(ctx, kuid)
	if err != nil {
		return err
	}
	var content struct {
		ProfileIDs []string `json:"profileIds"`
	}
	if err := json.Unmarshal(stored.Source, &content); err != nil {
		return fmt.Errorf("read the user %q: %w", kuid, err)
	}
	if !slices.Contains(content.ProfileIDs, adminProfile) {
		content.ProfileIDs = append(content.ProfileIDs, adminProfile)
		partial, err := json.Marshal(content)
		if err != nil {
			return err
		}
		if _, err := n.users.UpdateUser(ctx, kuid, partial, security.Change{}); err != nil {
			return err
		}
	}
	has, err := n.tokens.HasCredentials(ctx, nil, kuid, local.Name)
	if err != nil {
		return err
	}
	set := n.tokens.CreateCredentials
	if has {
		set = n.tokens.UpdateCredentials
	}
	if _, err := set(ctx, nil, kuid, local.Name, credentials); err != nil {
		return err
	}
	return n.tokens.RevokeAll(ctx, kuid)
}

// checkAdmin fails when the roles of the profile admin are not what they were.
func (n *Node) checkAdmin(ctx context.Context, kuid string) error {
	user, err := n.users.User(ctx, kuid)
	if err != nil {
		return err
	}
	for _, action := range []string{"createOrReplaceRole", "createOrReplaceProfile", "updateUser"} {
		if !n.users.Allowed(user, &protocol.Request{Controller: "security", Action: action}, security.Grants{}) {
			return fmt.Errorf("the profile admin was changed and does not allow security:%s: add --standard to store the standard roles and profiles again", action)
		}
	}
	return nil
}
