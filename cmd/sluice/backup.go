package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/backup"
	"github.com/sluicehq/sluice/core/node"
)

func (a *app) backupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup DIR",
		Short: "Copy the data of a running node into a folder",
		Long: `Let the node that runs on the data folder copy its documents and its keys for tokens into
DIR, which must be empty or not there. The node goes on serving; every write that it
acknowledged before is in the copy. It must be called by the user that runs the node,
on the same machine; DIR must be where the node may write.

Where it can, the copy shares files with the data folder: it is quick and small, but lost
with the same disk. Copy DIR to another machine. "sluice restore" makes a data folder of it.
The data folder of a node that is stopped can be copied as it is.

Settings, plugins and sluice.lock are not in the data folder: keep them yourself.`,
		Example: `  sluice backup /backups/monday
  sluice backup --data /var/lib/sluice /backups/monday`,
		Args: cobra.ExactArgs(1),
	}
	settings := a.dataFlags(cmd, "folder of everything the node stores")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := settings()
		if err != nil {
			return err
		}
		report, err := backup.Ask(cmd.Context(), cfg.Server.DataDir, args[0])
		if err != nil {
			return fmt.Errorf("back up: %w", err)
		}
		_, err = fmt.Fprintf(a.out, "backed up %d files, %d bytes, into %s\n", report.Files, report.Bytes, args[0])
		return err
	}
	return cmd
}

func (a *app) restoreCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore DIR",
		Short: "Make a data folder of a backup",
		Long: `Copy the backup in DIR into the data folder, which must be empty or not there, and read all
of it to see that it is whole. No node may run on the data folder. DIR stays as it is.`,
		Example: `  sluice restore /backups/monday
  sluice restore --data /var/lib/sluice /backups/monday`,
		Args: cobra.ExactArgs(1),
	}
	settings := a.dataFlags(cmd, "folder to make")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := settings()
		if err != nil {
			return err
		}
		if err := node.Restore(cmd.Context(), cfg, args[0]); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		_, err = fmt.Fprintf(a.out, "restored %s into %s\n", args[0], cfg.Server.DataDir)
		return err
	}
	return cmd
}

// dataFlags adds the flags that say which data folder is meant, and gives what reads the settings.
func (a *app) dataFlags(cmd *cobra.Command, usage string) func() (*config.Config, error) {
	file := a.configFlag(cmd)
	cmd.Flags().String("data", config.Defaults().Server.DataDir, usage)
	return func() (*config.Config, error) {
		set := map[string]string{}
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if f.Name == "data" {
				set[serveKeys[f.Name]] = f.Value.String()
			}
		})
		return config.Load(config.Sources{File: *file, Env: a.env, Flags: set})
	}
}
