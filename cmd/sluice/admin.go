package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/sluicehq/sluice/core/node"
)

// maxPasswordFile is more than the strategy takes as a password.
const maxPasswordFile = 4096

func (a *app) adminCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create USERNAME",
		Short: "Make an administrator while the node is stopped",
		Long: `Make a user with the profile admin and a password (the strategy local) in the data folder,
or in the Elasticsearch of the settings. It is the way back when no administrator can log in
any more, because he was deleted or his password is lost. Stop the node first, and every
other node that shares its Elasticsearch; run it as the user that runs the node.

The password is asked for, or read from the standard input or from --password-file; one line
end after it does not count.

With --reset a user who is there already, whose name to log in or whose id is USERNAME, gets
the new password and the profile admin. His other profiles and his API keys stay, his
sessions end. With --standard the roles and profiles admin, default and anonymous are stored
again as they are at first: use it when they were changed and admin does not allow enough.`,
		Example: `  sluice admin create root
  sluice admin create root --reset --data /var/lib/sluice --password-file /run/secrets/root`,
		Args: cobra.ExactArgs(1),
	}
	settings := a.dataFlags(cmd, "folder of everything the node stores")
	reset := cmd.Flags().Bool("reset", false, "give a user who is there already the new password and the profile admin")
	standard := cmd.Flags().Bool("standard", false, "store the standard roles and profiles over those that are there")
	file := cmd.Flags().String("password-file", "", "file with the password (default: the standard input)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := settings()
		if err != nil {
			return err
		}
		password, err := a.password(cmd.Context(), *file)
		if err != nil {
			return err
		}
		o := node.Options{Config: cfg, Logger: slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelWarn}))}
		done, err := node.CreateAdmin(cmd.Context(), o, node.Administrator{Username: args[0], Password: password, Reset: *reset, Standard: *standard})
		for _, line := range done {
			if _, err := fmt.Fprintln(a.out, line); err != nil {
				return err
			}
		}
		if err != nil {
			return fmt.Errorf("make an administrator: %w", err)
		}
		return nil
	}
	return cmd
}

// password reads one from a file, or asks for it twice where somebody types it.
func (a *app) password(ctx context.Context, file string) (string, error) {
	var text []byte
	var err error
	switch {
	case file != "":
		text, err = readPasswordFile(file)
	case isTerminal(a.in):
		text, err = a.askTwice(ctx)
	default:
		text, err = io.ReadAll(io.LimitReader(a.in, maxPasswordFile))
	}
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	if len(text) == 0 {
		return "", errors.New("the password is empty: type it, pipe it into this command or name its file with --password-file")
	}
	return string(text), nil
}

func readPasswordFile(name string) ([]byte, error) {
	f, err := os.Open(name) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	return io.ReadAll(io.LimitReader(f, maxPasswordFile))
}

func (a *app) askTwice(ctx context.Context) ([]byte, error) {
	first, err := a.ask(ctx, "Password: ")
	if err != nil {
		return nil, err
	}
	again, err := a.ask(ctx, "Again: ")
	if err == nil && !bytes.Equal(first, again) {
		err = errors.New("the two are not the same")
	}
	return first, err
}

// ask reads one line without showing it. When ctx ends the terminal is as it was before.
func (a *app) ask(ctx context.Context, prompt string) ([]byte, error) {
	restore, err := hideTyping(a.in)
	if err != nil {
		return nil, err
	}
	defer restore()
	if _, err := fmt.Fprint(a.err, prompt); err != nil {
		return nil, err
	}
	defer fmt.Fprintln(a.err) //nolint:errcheck // the line end that was not shown
	type line struct {
		text []byte
		err  error
	}
	typed := make(chan line, 1)
	go func() { // ends with the process when nobody types
		text := make([]byte, maxPasswordFile) // a terminal gives one line at a time
		n, err := a.in.Read(text)
		typed <- line{text[:n], err}
	}()
	select {
	case l := <-typed:
		return l.text, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
