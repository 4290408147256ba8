package main

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluicehq/sluice/config"
	"github.com/sluicehq/sluice/core/node"
	"github.com/sluicehq/sluice/core/pluginhost/catalog"
	"github.com/sluicehq/sluice/core/spelling"
)

func (a *app) configCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Name every mistake in the configuration",
		Long: `Read the settings as "sluice serve" would, from the file and from the SLUICE_ variables of
this environment, and name every mistake, one a line. Prints ok when there is none. No
node is started, and no plugin: whether a plugin takes its own settings shows when it
starts.`,
		Example: `  sluice config check --config sluice.yaml
  sluice config check --config sluice.yaml --plugins /opt/sluice/plugins`,
		Args: cobra.NoArgs,
	}
	file := a.configFlag(cmd)
	dir := cmd.Flags().String("plugins", "", "folder with one folder a plugin, where serve is given it too")
	cmd.RunE = func(*cobra.Command, []string) error {
		flags := map[string]string{}
		if *dir != "" {
			flags[serveKeys["plugins"]] = *dir
		}
		cfg, err := config.Load(config.Sources{File: *file, Env: a.env, Flags: flags})
		mistakes := config.Mistakes(err)
		if len(mistakes) == 0 && err != nil {
			return err
		}
		if err == nil {
			if mistakes, err = a.unknownPlugins(cfg.Plugins); err != nil {
				return err
			}
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

// unknownPlugins finds settings of plugins that are not in the plugins folder, most often because an id is misspelt. Without a
// folder it only says that nobody has looked.
func (a *app) unknownPlugins(p config.Plugins) ([]*config.Mistake, error) {
	found, err := catalog.Find(p.Dir)
	if err != nil {
		return nil, err
	}
	installed := make([]string, len(found))
	for i, f := range found {
		installed[i] = f.ID
	}
	var mistakes []*config.Mistake
	for setting, ids := range namedPlugins(p) {
		for _, id := range ids {
			if p.Dir == "" {
				_, err := fmt.Fprintln(a.err, "sluice: plugins.dir is empty, so nobody has looked whether there are the plugins that settings name; give --plugins")
				return nil, err
			}
			if !slices.Contains(installed, id) {
				mistakes = append(mistakes, &config.Mistake{
					Path:    setting,
					Problem: fmt.Sprintf("there is no plugin %q in %s. %s", id, p.Dir, cmp.Or(spelling.Hint(id, installed), "There are: "+strings.Join(installed, ", "))),
				})
			}
		}
	}
	return mistakes, nil
}

// namedPlugins gives the settings that name plugins, each with the ids in it.
func namedPlugins(p config.Plugins) iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		_ = yield("plugins.required", p.Required) &&
			yield("plugins.mounts", slices.Sorted(maps.Keys(p.Mounts))) &&
			yield("plugins.hosts", slices.Sorted(maps.Keys(p.Hosts))) &&
			yield("plugins.listen", slices.Sorted(maps.Keys(p.Listen))) &&
			yield("plugins.storage", slices.Sorted(maps.Keys(p.Storage))) &&
			yield("plugins.config", slices.Sorted(maps.Keys(p.Config))) &&
			yield("plugins.secrets", slices.Sorted(maps.Keys(p.Secrets)))
	}
}
