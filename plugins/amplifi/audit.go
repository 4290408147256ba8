package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/sluicehq/sluice/plugins/sdk"
)

// auditLine is a document of afi_audit, which is only ever added to: who did what to whom, the subject as an HMAC.
type auditLine struct {
	At          timestamp `json:"at"`
	Actor       string    `json:"actor"`
	Action      string    `json:"action"`
	SubjectHMAC string    `json:"subjectHmac"`
	Outcome     string    `json:"outcome"`
	Correlator  string    `json:"correlator"`
}

// audit writes a line about what an administrator has asked for. When that fails, it is logged: what was done is done.
func (p *plugin) audit(ctx context.Context, r *sdk.Request, subject string, err error) {
	h := hmac.New(sha256.New, p.auditKey)
	h.Write([]byte(subject))
	line := auditLine{
		At: timestampOf(time.Now()), Action: r.Action, SubjectHMAC: hex.EncodeToString(h.Sum(nil)), Outcome: "ok", Correlator: r.RequestID,
	}
	if r.User != nil {
		line.Actor = r.User.ID
	}
	if err != nil {
		line.Outcome = "failed"
	}
	if _, err := p.audits.Create(ctx, "", line); err != nil {
		p.host.Logger().ErrorContext(ctx, "an audit line could not be written",
			"action", line.Action, "actor", line.Actor, "subject", line.SubjectHMAC, "outcome", line.Outcome, "error", err.Error())
	}
}

// loadAuditKey gives the key of the HMACs, which is made when the plugin starts for the first time.
func (p *plugin) loadAuditKey(ctx context.Context) ([]byte, error) {
	keys := p.host.Store(keysCollection)
	var stored struct {
		Key []byte `json:"key"`
	}
	_, err := read(ctx, keys, "audit", &stored)
	if !isNotFound(err) {
		return stored.Key, err
	}
	stored.Key = make([]byte, sha256.Size)
	_, _ = rand.Read(stored.Key) // never fails: the runtime ends the process instead
	if _, err := keys.Create(ctx, "audit", stored); isTaken(err) {
		_, err = read(ctx, keys, "audit", &stored) // another node was faster
		return stored.Key, err
	} else if err != nil {
		return nil, err
	}
	return stored.Key, nil
}
