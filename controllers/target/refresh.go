package target

import (
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Refresh reads the argument refresh where anything but false asks to wait: document:create and the controller bulk.
func Refresh(req *protocol.Request) storage.Refresh {
	switch string(req.Args.Raw("refresh")) {
	case "", "false", `"false"`:
		return storage.RefreshLater
	}
	return storage.RefreshWaitFor
}

// StrictRefresh reads the argument refresh where it is "wait_for" or "false": every other action on documents.
func StrictRefresh(req *protocol.Request) (storage.Refresh, error) {
	text, err := req.Args.OptString("refresh", "false")
	switch {
	case err != nil:
		return storage.RefreshLater, err
	case text == "wait_for":
		return storage.RefreshWaitFor, nil
	case text != "false":
		return storage.RefreshLater, kerror.ServicesStorageInvalidArgument.New("refresh", `"wait_for", "false"`)
	}
	return storage.RefreshLater, nil
}
