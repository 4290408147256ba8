package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/sluicehq/sluice/core/audit"
	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/core/pluginhost"
	"github.com/sluicehq/sluice/core/pluginhost/catalog"
)

// openAudit opens the audit log, once the storage has seen that no other node runs on the data folder. It is closed after all
// parts that have something to record. A node that cannot open it does not start: whoever wants none says so.
func (n *Node) openAudit(context.Context) error {
	c := n.options.Config
	if !c.Audit.Enabled {
		return nil
	}
	var maxAge time.Duration
	if !c.Audit.MaxAge.IsInfinite() {
		maxAge = time.Duration(c.Audit.MaxAge)
	}
	var err error
	n.audit, err = audit.Open(audit.Options{
		File: audit.FileOptions{
			Path: c.Audit.File(c.Server.DataDir), MaxBytes: int64(c.Audit.MaxSize), MaxAge: maxAge, MaxFiles: c.Audit.MaxFiles,
			Compress: c.Audit.Compress, Sync: c.Audit.Sync,
		},
		Refusals: c.Audit.Refusals, Required: c.Audit.Required, Logger: n.options.Logger, Metrics: n.metrics,
	})
	if err != nil {
		return fmt.Errorf("%w (setting audit.path; audit.enabled: false does without)", err)
	}
	n.onStop(n.closeAudit)
	return nil
}

// auditStart records that the node begins, with what it was told, or that it could not. What fails before the log is open, such
// as a port that is taken, is in no log.
func (n *Node) auditStart(ctx context.Context, outcome audit.Outcome) {
	if n.audit == nil {
		return
	}
	c := n.options.Config
	file, err := filepath.Abs(n.options.ConfigFile)
	if err != nil || n.options.ConfigFile == "" {
		file = n.options.ConfigFile
	}
	facts := map[string]string{
		"node": n.id, "version": n.options.Version, "configFile": file, "dev": strconv.FormatBool(c.Dev),
		"address": n.listener.Addr().String(), "dataDir": c.Server.DataDir,
	}
	if n.tokens != nil {
		n.keyFacts(ctx, facts)
	}
	n.audit.Record(ctx, audit.Event{Event: audit.NodeStart, Outcome: outcome, Facts: facts})
}

// keyFacts adds the ids of the key that signs tokens and of all that verify them: nobody records what becomes of the keys while
// no node runs, so it shows when the next one starts.
func (n *Node) keyFacts(ctx context.Context, facts map[string]string) {
	keys, err := auth.ListKeys(TokenOptions(n.options.Config))
	if err != nil {
		n.options.Logger.ErrorContext(ctx, "the keys of tokens are not in the audit log", "error", err)
		return
	}
	verify := make([]string, 0, len(keys))
	for _, k := range keys {
		if k.Signs {
			facts["signs"] = k.ID
		}
		verify = append(verify, k.ID)
	}
	facts["verify"] = strings.Join(verify, " ")
}

// closeAudit records the end of the node, which comes last.
func (n *Node) closeAudit(ctx context.Context) error {
	n.audit.Record(ctx, audit.Event{Event: audit.NodeStop, Outcome: audit.Success, Facts: map[string]string{"node": n.id}})
	if err := n.audit.Close(); err != nil {
		return fmt.Errorf("close the audit log: %w", err)
	}
	return nil
}

// auditKeys records that other keys sign or verify tokens. The command that changed them is a process of its own.
func (n *Node) auditKeys(ctx context.Context, signs string, verify, removed int) {
	n.audit.Record(ctx, audit.Event{Event: audit.Keys, Outcome: audit.Success, Facts: map[string]string{
		"signs": signs, "verify": strconv.Itoa(verify), "removed": strconv.Itoa(removed),
	}})
}

// auditPatience is how long a plugin, or a login that made a user, may be held up by an audit log that cannot be written.
const auditPatience = time.Second

// auditPlugin records a change in the life of a plugin. Why it failed is in the log: the text may be the plugin's own.
func (n *Node) auditPlugin(s pluginhost.Status, cause error) {
	e := audit.Event{Event: audit.Plugin, Outcome: audit.Success, Plugin: s.ID, Facts: map[string]string{
		"state": string(s.State), "version": s.Version, "pinned": strconv.FormatBool(s.Pinned),
	}}
	switch {
	case errors.Is(cause, catalog.ErrNotPinned):
		e.Outcome, e.Error = audit.Refused, catalog.ErrNotPinned.Error()
	case errors.Is(cause, catalog.ErrChanged):
		e.Outcome, e.Error = audit.Refused, catalog.ErrChanged.Error()
	case cause != nil:
		e.Outcome = audit.Failed
	}
	ctx, cancel := context.WithTimeout(context.Background(), auditPatience)
	defer cancel()
	n.audit.Record(ctx, e)
}
