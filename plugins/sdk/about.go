package sdk

import (
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

// about tells somebody who started the executable by hand what it is.
func about(w io.Writer, p Plugin, args []string) error {
	m, err := p.manifest()
	if err != nil {
		return err
	}
	if len(args) == 1 && args[0] == "manifest" {
		_, err = fmt.Fprintln(w, protojson.Format(m))
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s\n\n", m.GetId(), m.GetVersion(), m.GetDescription())
	fmt.Fprintf(&b, "This is a plugin of Sluice; it runs only inside a node. Put the executable into the plugins folder\n"+
		"(setting plugins.dir) as %s/%s and trust it with: sluice plugin pin <folder>/%s/%s\n", m.GetId(), m.GetId(), m.GetId(), m.GetId())
	list(&b, "Actions", len(m.GetActions()), func(i int) string {
		a := m.GetActions()[i]
		line := a.GetController() + ":" + a.GetName()
		for _, r := range a.GetRoutes() {
			line += "  " + r.GetVerb() + " " + m.GetMount() + r.GetPath()
		}
		return line
	})
	list(&b, "Changes or stops (pipes)", len(m.GetPipes()), func(i int) string { return m.GetPipes()[i] })
	list(&b, "Is told of (hooks)", len(m.GetHooks()), func(i int) string { return m.GetHooks()[i] })
	list(&b, "Ways to log in (strategies)", len(m.GetStrategies()), func(i int) string { return m.GetStrategies()[i].GetName() })
	list(&b, "Calls", len(m.GetCalls()), func(i int) string { return m.GetCalls()[i] })
	list(&b, "Triggers", len(m.GetTriggers()), func(i int) string { return m.GetTriggers()[i] })
	list(&b, "Stores", len(m.GetCollections()), func(i int) string {
		c := m.GetCollections()[i]
		return codec.IndexOf(m, c) + "/" + c.GetName()
	})
	list(&b, "Grants (role: action)", len(m.GetGrants()), func(i int) string {
		g := m.GetGrants()[i]
		return g.GetRole() + ": " + g.GetController() + ":" + g.GetAction()
	})
	list(&b, "Secrets", len(m.GetSecrets()), func(i int) string {
		s := m.GetSecrets()[i]
		return s.GetName() + "  " + s.GetDescription()
	})
	b.WriteString("\nThe argument \"manifest\" prints all of it as JSON.\n")
	_, err = io.WriteString(w, b.String())
	return err
}

func list(b *strings.Builder, title string, n int, line func(int) string) {
	if n == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	for i := range n {
		fmt.Fprintf(b, "  %s\n", line(i))
	}
}
