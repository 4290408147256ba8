package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Set by the Makefile with -ldflags -X; empty in a plain go build or go install.
var (
	version string
	commit  string
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    `Print the version, the commit it was built from, and the Go version it was built with.`,
		Example: `  sluice version`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v, c := buildVersion()
			_, err := fmt.Fprintf(a.out, "sluice %s (commit %s, %s, %s/%s)\n", v, c, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// buildVersion gives version and commit of this binary.
func buildVersion() (string, string) {
	info, _ := debug.ReadBuildInfo()
	return versionOf(version, commit, info)
}

// versionOf fills in from info, which may be nil, what the build did not say.
func versionOf(version, commit string, info *debug.BuildInfo) (string, string) {
	if info != nil && version == "" && info.Main.Version != "(devel)" {
		version = info.Main.Version
	}
	if info != nil && commit == "" {
		commit = revision(info.Settings)
	}
	return cmp.Or(version, "untagged"), cmp.Or(commit, "unknown")
}

// revision gives the commit that go build noted down, marked when files had changed since.
func revision(settings []debug.BuildSetting) string {
	commit, changed := "", ""
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changes"
		}
	}
	if commit == "" {
		return ""
	}
	return commit + changed
}
