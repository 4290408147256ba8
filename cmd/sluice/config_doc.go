package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sluicehq/sluice/config"
)

func (a *app) configDocCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "doc",
		Short:   "Explain every setting, as Markdown",
		Long:    `Print every setting with its type, default, environment variable and meaning, as Markdown.`,
		Example: `  sluice config doc | less`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(a.out, config.Reference())
			return err
		},
	}
}
