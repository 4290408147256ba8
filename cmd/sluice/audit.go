package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluicehq/sluice/core/audit"
)

func (a *app) auditVerifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify FILE...",
		Short: "Check that nobody changed the audit log",
		Long: `Check that every line of the audit log follows the one before: each holds the hash of that
line. Give the files oldest first, compressed or not, as the shell sorts them.

It finds lines that were changed, taken out or put in between. It does not find that the
last line was changed or the end cut off, nor that all lines from one on were written anew by
somebody who knows how: keep the hash that it prints, or the lines, where the node cannot write.`,
		Example: `  sluice audit verify data/audit/audit*.log*`,
		Args:    cobra.MinimumNArgs(1),
	}
	cmd.RunE = func(_ *cobra.Command, files []string) error {
		report, err := audit.Verify(files...)
		if err != nil {
			return err
		}
		for _, problem := range report.Problems {
			if _, err := fmt.Fprintln(a.out, problem); err != nil {
				return err
			}
		}
		if n := len(report.Problems); n > 0 {
			return fmt.Errorf("the audit log was changed, or files are missing or not in order; places: %d", n)
		}
		return a.whole(report)
	}
	return cmd
}

// whole says what was checked.
func (a *app) whole(r audit.Report) error {
	if r.Lines == 0 {
		_, err := fmt.Fprintln(a.out, "there is no line in it")
		return err
	}
	if r.Continues {
		if _, err := fmt.Fprintln(a.out, "the first line follows an older file, which was not given"); err != nil {
			return err
		}
	}
	if r.Torn > 0 {
		if _, err := fmt.Fprintf(a.out, "lines that a crash cut short: %d\n", r.Torn); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.out, "ok: %d lines, %s to %s, last hash %s\n",
		r.Lines, r.First.Format(time.RFC3339), r.Last.Format(time.RFC3339), r.Head)
	return err
}
