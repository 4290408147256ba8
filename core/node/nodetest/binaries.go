package nodetest

import (
	"bufio"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Binaries are built as make build does, for the tests of one package.
type Binaries struct {
	// Dir holds sluice, and Plugins one folder a plugin with sluice.lock beside them.
	Dir     string
	Sluice  string
	Plugins string
}

// Main builds the binaries, runs the tests of a package and gives the exit code for os.Exit:
//
//	var binaries nodetest.Binaries
//
//	func TestMain(m *testing.M) { os.Exit(nodetest.Main(m, &binaries)) }
func Main(m *testing.M, b *Binaries) int {
	flag.Parse()
	if fuzzing() {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "sluice-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(context.Background(), "make", "--no-print-directory", "build", "BIN="+dir)
	cmd.Dir = Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "make build: %v\n%s", err, out)
		return 1
	}
	*b = Binaries{Dir: dir, Sluice: filepath.Join(dir, "sluice"), Plugins: filepath.Join(dir, "plugins")}
	return m.Run()
}

// fuzzing reports whether this process fuzzes, which every worker of the fuzzer does in a process of its own: fuzz targets do
// without the binaries.
func fuzzing() bool {
	return flag.Lookup("test.fuzz").Value.String() != "" || flag.Lookup("test.fuzzworker").Value.String() == "true"
}

// Root is the folder of the repository.
func Root() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		panic("no caller")
	}
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// Process is a node that runs as users run it.
type Process struct {
	Client
	Cmd *exec.Cmd
	// Log is what it wrote to its standard error, Out to its standard output.
	Log, Out *Log
	exited   chan error
}

var listens = regexp.MustCompile(`listens on (https?)://(\S+)`)

// Serve runs `sluice serve` with more arguments on a free port, until the test ends, and waits until it is ready.
func (b Binaries) Serve(t testing.TB, args ...string) *Process {
	t.Helper()
	return b.ServeIn(t, "", args...)
}

// ServeIn is Serve in a working folder.
func (b Binaries) ServeIn(t testing.TB, folder string, args ...string) *Process {
	t.Helper()
	p := &Process{Log: &Log{}, Out: &Log{}, exited: make(chan error, 1)}
	p.Cmd = exec.CommandContext(t.Context(), b.Sluice, append([]string{"serve", "--port", "0"}, args...)...)
	p.Cmd.Dir = folder
	// A node that a test kills leaves its folder for sockets to the next one on the same data, which tests seldom start.
	p.Cmd.Env = append(os.Environ(), "SLUICE_LIMITS_LOGINS_PER_SECOND=1000", "TMPDIR="+b.Dir)
	p.Cmd.Env = append(p.Cmd.Env, engineSettings(t, folder, args)...)
	p.Cmd.Stderr = p.Log
	out, err := p.Cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan [2]string, 1) // scheme and address
	go func() {
		lines := bufio.NewReader(io.TeeReader(out, p.Out))
		for {
			line, err := lines.ReadString('\n')
			if m := listens.FindStringSubmatch(line); m != nil {
				address <- [2]string{m[1], m[2]}
			}
			if err != nil {
				p.exited <- p.Cmd.Wait()
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = p.Cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		if err := p.Wait(30 * time.Second); err != nil {
			t.Errorf("sluice: %v", err)
		}
		if t.Failed() {
			t.Logf("log of the node:\n%s", p.Log)
		}
	})
	var scheme string
	select {
	case a := <-address:
		scheme, p.Client = a[0], Client{T: t, Address: a[1]}
	case err := <-p.exited:
		p.exited <- err
		t.Fatalf("sluice ended: %v\n%s", err, p.Log)
	case <-time.After(30 * time.Second):
		t.Fatalf("sluice is not ready\n%s", p.Log)
	}
	probe := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	if resp, err := probe.Get(scheme + "://" + p.Address + "/_ready"); err != nil {
		t.Fatal(err)
	} else if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK {
		t.Fatalf("/_ready answers %s", resp.Status)
	}
	return p
}

// Wait waits until the process has ended, and gives an error when it failed or takes longer than limit. A process that was
// killed by SIGKILL has not failed: the test did that.
func (p *Process) Wait(limit time.Duration) error {
	select {
	case err := <-p.exited:
		p.exited <- err
		if err != nil && !strings.Contains(err.Error(), "signal: killed") {
			return err
		}
		return nil
	case <-time.After(limit):
		return fmt.Errorf("still running after %s", limit)
	}
}
