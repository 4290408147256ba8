package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// TestOfficialSDKInRealtime runs realtime.mjs.
func TestOfficialSDKInRealtime(t *testing.T) { onEachEngine(t, "realtime.mjs") }

// TestOfficialSDKComesBack runs reconnect.mjs, whose lines "kill", "stop" and "start" say what is to become of the node.
func TestOfficialSDKComesBack(t *testing.T) {
	n, port := startForSDK(t)
	script := exec.CommandContext(t.Context(), "node", "reconnect.mjs", port)
	var complaints bytes.Buffer
	script.Stderr = &complaints
	lines, err := script.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	done, err := script.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := script.Start(); err != nil {
		t.Fatal(err)
	}
	for said := bufio.NewScanner(lines); said.Scan(); {
		switch line := said.Text(); line {
		case "kill":
			if err := n.Cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := n.Wait(10 * time.Second); err != nil {
				t.Fatal(err)
			}
		case "stop":
			stop(t, n)
		case "start":
			n = binaries.Serve(t, append(n.Cmd.Args[2:], "--port", port)...)
		default:
			t.Log(line)
			continue
		}
		if _, err := fmt.Fprintln(done, "done"); err != nil {
			t.Log(err) // the script tells why it ended
		}
	}
	if err := script.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &complaints)
	}
}
