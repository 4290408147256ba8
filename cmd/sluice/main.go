// Command sluice is the server and the tools around it. It reads the command line and hands over: settings are config's, the
// node is core/node's. Nothing imports it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/sluicehq/sluice/core/node"
)

// The exit codes.
const (
	exitOK    = 0
	exitError = 1 // it was tried and failed
	exitUsage = 2 // the command line makes no sense
)

// gcPercent lets the heap grow to three times what is in use before it is collected. A node uses some megabytes, so with Go's
// own 100 the collector runs twenty times a second under load; this costs 6 MB more and answers a tenth more requests.
const gcPercent = 200

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first signal asks to stop; with the handler gone, a second one kills

	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Environ(), runNode: node.Run}
	os.Exit(a.run(ctx, os.Args[1:]))
}

// run executes one command line and gives the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.rootCommand() //nolint:contextcheck // the commands take the context of their cobra.Command
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return exitOK
	case a.started:
		fmt.Fprintf(a.err, "sluice: %v\n", err) //nolint:errcheck // there is nobody left to tell
		return exitError
	default:
		fmt.Fprintf(a.err, "sluice: %v\nRun \"%s --help\" to see how it is used.\n", err, cmd.CommandPath()) //nolint:errcheck // as above
		return exitUsage
	}
}
