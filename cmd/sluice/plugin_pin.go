package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/sluicehq/sluice/core/pluginhost/catalog"
)

func (a *app) pluginPinCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pin FILE...",
		Short: "Trust plugin files as they are now",
		Long: `Write the SHA-256 of each FILE to the lock file. A node runs a plugin only while its file
is the one that was pinned; pin it again after every change that you trust.

The lock file is sluice.lock in the plugins folder, which is two levels above FILE:
plugins/<id>/<file>. Its lines are those of sha256sum, so this checks it too:
  cd plugins && sha256sum -c sluice.lock`,
		Example: `  sluice plugin pin plugins/gvp/gvp
  sluice plugin pin --lock /etc/sluice/sluice.lock /opt/sluice/plugins/*/*`,
		Args: cobra.MinimumNArgs(1),
	}
	lock := cmd.Flags().String("lock", "", "lock file to write (default sluice.lock in the plugins folder)")
	cmd.RunE = func(_ *cobra.Command, files []string) error {
		for _, file := range files {
			if err := a.pin(file, *lock); err != nil {
				return fmt.Errorf("pin %s: %w", file, err)
			}
		}
		return nil
	}
	return cmd
}

// pin writes the sum of file into the lock file at lockPath, by default the one of its plugins folder.
func (a *app) pin(file, lockPath string) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if lockPath == "" {
		lockPath = filepath.Join(filepath.Dir(filepath.Dir(file)), "sluice.lock")
	}
	if id := filepath.Base(filepath.Dir(file)); filepath.Base(file) != id {
		return fmt.Errorf("a plugin is an executable in a folder of its own name, such as %s", filepath.Join(filepath.Dir(file), id))
	}
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o111 == 0 {
		return errors.New("it is not executable")
	}
	sum, err := catalog.HashFile(file)
	if err != nil {
		return err
	}
	name, err := catalog.LockName(lockPath, file)
	if err != nil {
		return err
	}
	lock, err := catalog.ReadLock(lockPath)
	if err != nil {
		return err
	}
	if err := lock.Pin(name, sum); err != nil {
		return err
	}
	if err := catalog.WriteLock(lockPath, lock); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "pinned %s in %s\n", name, lockPath)
	return err
}
