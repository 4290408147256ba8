package main

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/upstream"
	"github.com/sluicehq/sluice/protocol"
)

// auditRow says who did what to whom, without saying whom to those who do not know it already.
type auditRow struct {
	At         int64  `json:"at"`
	Actor      string `json:"actor"`
	Action     string `json:"action"`
	Subject    string `json:"subject"` // HMAC
	Outcome    string `json:"outcome"`
	Correlator string `json:"correlator"`
}

// audited leaves a row for each call. Without it the call fails, and may be repeated.
func (p *plugin) audited(name string, do sdk.Handler) sdk.Handler {
	return func(ctx context.Context, r *sdk.Request) (any, error) {
		result, err := do(ctx, r)
		row := auditRow{
			At: millis(time.Now()), Actor: actorOf(r), Action: name, Subject: p.subjectOf(r), Outcome: "ok",
			Correlator: upstream.Correlator(r.Connection.Header.Get(upstream.CorrelatorHeader)),
		}
		if err != nil {
			row.Outcome = protocol.AsError(err).ID
		}
		_, auditErr := p.host.Store(audit).Put(ctx, uuid.Must(uuid.NewV7()).String(), row)
		if err != nil {
			return nil, err
		}
		return result, auditErr
	}
}

func actorOf(r *sdk.Request) string {
	switch {
	case r.Internal != nil && r.Internal.Plugin != "":
		return "plugin " + r.Internal.Plugin
	case r.User != nil:
		return "user " + r.User.ID
	}
	return ""
}

// subjectOf names whom an admin action is about.
func (p *plugin) subjectOf(r *sdk.Request) string {
	var about struct {
		UserID     string `json:"userId"`
		DeviceID   string `json:"deviceId"`
		AuraID     string `json:"auraId"`
		UserName   string `json:"userName"`
		InstanceID int64  `json:"instanceId"`
		ID         int64  `json:"id"`
	}
	_ = json.Unmarshal(r.Body, &about) // what cannot be read was refused
	switch {
	case about.UserID != "":
		return p.ids.of("audit", about.UserID)
	case about.UserName != "":
		return p.ids.of("audit", p.ids.user(about.InstanceID, normalUserName(about.UserName)))
	case about.DeviceID != "":
		return p.ids.of("audit", p.ids.device(about.DeviceID))
	case about.AuraID != "":
		return p.ids.of("audit", p.ids.aura(about.AuraID))
	}
	return p.ids.of("audit", number(about.ID))
}
