package pluginhost

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// folders are the places of a host on disk; only this user may enter them.
type folders struct {
	// binaries holds the private copies, a folder a plugin.
	binaries string
	// sockets is short, because the address of a socket ends at 104 bytes.
	sockets string
}

const (
	socketPrefix     = "sluice-"
	maxSocketDirPath = 60
)

// openFolders makes them, and removes what a node that was killed left behind.
func openFolders(dataDir string) (folders, error) {
	base := os.TempDir()
	if len(base)+len(socketPrefix)+10 > maxSocketDirPath {
		base = "/tmp"
	}
	sockets, err := os.MkdirTemp(base, socketPrefix)
	if err != nil {
		return folders{}, fmt.Errorf("make a folder for sockets: %w", err)
	}
	f := folders{binaries: filepath.Join(sockets, "bin"), sockets: sockets}
	if dataDir != "" {
		// Absolute, because a plugin is started in the folder of its copy.
		absolute, err := filepath.Abs(dataDir)
		if err != nil {
			return folders{}, errors.Join(fmt.Errorf("find the data folder: %w", err), os.RemoveAll(sockets))
		}
		f.binaries = filepath.Join(absolute, "plugins", "run")
		if err := sweep(f.binaries); err != nil {
			return folders{}, errors.Join(err, os.RemoveAll(sockets))
		}
	}
	err = os.MkdirAll(f.binaries, 0o700)
	if err == nil {
		err = os.Chmod(f.binaries, 0o700) //nolint:gosec // a folder
	}
	if err == nil {
		err = os.Symlink(sockets, filepath.Join(f.binaries, ".sockets")) // for the sweep after a kill
	}
	if err != nil {
		return folders{}, errors.Join(fmt.Errorf("make a folder for plugins: %w", err), f.remove())
	}
	return f, nil
}

// sweep removes the folder of an earlier host and the sockets it points to. In a copy of a data folder the link may be
// something else, which points nowhere.
func sweep(binaries string) error {
	target, err := os.Readlink(filepath.Join(binaries, ".sockets"))
	if err == nil && strings.HasPrefix(filepath.Base(target), socketPrefix) && ownFolder(target) {
		if err := os.RemoveAll(target); err != nil {
			return fmt.Errorf("remove the sockets of an earlier run: %w", err)
		}
	}
	if err := os.RemoveAll(binaries); err != nil {
		return fmt.Errorf("remove the plugins of an earlier run: %w", err)
	}
	return nil
}

// ownFolder reports whether path is a folder that only this user may enter.
func ownFolder(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Getuid()
}

func (f folders) remove() error {
	return errors.Join(os.RemoveAll(f.binaries), os.RemoveAll(f.sockets))
}

// of makes the folder of one plugin.
func (f folders) of(id string) (string, error) {
	dir := filepath.Join(f.binaries, id)
	return dir, os.Mkdir(dir, 0o700)
}
