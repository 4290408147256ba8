package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node"
)

func (a *app) configCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Name every mistake in the configuration",
		Long: `Read the settings as "sluice serve" would, from the file and from the SLUICE_ variables of
this environment, and name every mistake, one a line. Prints ok when there is none. No
node is started.`,
		Example: `  sluice config check --config sluice.yaml`,
		Args:    cobra.NoArgs,
	}
	file := a.configFlag(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		cfg, err := config.Load(config.Sources{File: *file, Env: a.env})
		mistakes := config.Mistakes(err)
		if len(mistakes) == 0 && err != nil {
			return err
		}
		for _, m := range mistakes {
			if _, err := fmt.Fprintln(a.out, m); err != nil {
				return err
			}
		}
		if n := len(mistakes); n > 0 {
			return fmt.Errorf("the configuration has mistakes: %d; \"sluice config doc\" explains every setting", n)
		}
		if err := node.Check(cfg); err != nil {
			return err
		}
		_, err = fmt.Fprintln(a.out, "ok")
		return err
	}
	return cmd
}
