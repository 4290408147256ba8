package sdk_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestStartedByHand(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"greeter 1.2.3: Greets.", "greeter/greeter", "sluice plugin pin", "Greeter/main:hello", "document:*"}},
		{[]string{"manifest"}, []string{`"wireName"`, `"document:*"`}},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], c.args...)
		cmd.Env = append(os.Environ(), "SLUICE_TEST_BY_HAND=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v", c.args, err)
		}
		for _, want := range c.want {
			if !strings.Contains(string(out), want) {
				t.Errorf("%v: %q is missing in\n%s", c.args, want, out)
			}
		}
	}
}
