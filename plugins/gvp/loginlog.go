package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/sluicehq/sluice/plugins/sdk"
)

const (
	// logTimeout is for writes that outlast the client, such as those of the log.
	logTimeout = 2 * time.Second
	// maxWaitingRows bounds the rows of failed attempts that could not be written yet. One more is dropped and counted.
	maxWaitingRows = 1000
	firstRetry     = 100 * time.Millisecond
	longestRetry   = 5 * time.Second
)

// attempt is one call of a login, and what is known of it so far.
type attempt struct {
	id          string
	started     time.Time
	ids         ids
	ip          string
	country     string
	countryErr  error
	credentials credentials
	userID      string // "" until the password was right
	deviceID    string // "" until one was chosen
	sessionID   string // "" without success
}

func (p *plugin) newAttempt(r *sdk.Request) *attempt {
	a := &attempt{id: uuid.Must(uuid.NewV7()).String(), started: time.Now(), ids: p.ids, ip: r.Connection.ClientIP}
	a.country, a.countryErr = p.geo.country(a.ip)
	return a
}

// loginRow is a row of GVP_LogLogin.
type loginRow struct {
	ID           string `json:"id"`
	At           int64  `json:"at"`
	Method       string `json:"method"`
	InstanceID   int64  `json:"instanceId"`
	DeviceType   int64  `json:"deviceType"`
	DeviceID     string `json:"deviceId"`
	UserID       string `json:"userId,omitempty"`
	UserNameHMAC string `json:"userNameHmac"`
	IP           string `json:"ip"`
	Country      string `json:"country"`
	Success      bool   `json:"success"`
	StatusCode   int    `json:"statusCode"`
	SessionID    string `json:"sessionId"`
	DurationMS   int64  `json:"durationMs"`
}

func (a *attempt) row(o outcome, code int) loginRow {
	r := loginRow{
		ID: a.id, At: millis(a.started), Method: "LoginUserPassword", InstanceID: a.credentials.instanceID,
		DeviceType: a.credentials.deviceType, DeviceID: a.deviceID, UserID: a.userID, IP: a.ip, Country: a.country,
		Success: o == okay, StatusCode: code, SessionID: a.sessionID, DurationMS: time.Since(a.started).Milliseconds(),
	}
	if r.DeviceID == "" {
		r.DeviceID = a.credentials.deviceID
	}
	if a.credentials.userName != "" {
		r.UserNameHMAC = a.ids.userName(a.credentials.userName)
	}
	return r
}

// logins writes GVP_LogLogin: one row an attempt, by an id of its own, so that a row may be written again when nobody knows
// whether it arrived.
type logins struct {
	host    *sdk.Host
	metrics *metrics
	waiting chan loginRow
	// unwritten counts the rows that wait, with the one that is being retried.
	unwritten atomic.Int64
}

func newLogins(host *sdk.Host, m *metrics) *logins {
	l := &logins{host: host, metrics: m, waiting: make(chan loginRow, maxWaitingRows)}
	m.waitingRows(func() float64 { return float64(l.unwritten.Load()) })
	return l
}

// write writes a row once, even when the client has gone.
func (l *logins) write(ctx context.Context, row loginRow) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
	defer cancel()
	_, err := l.host.Store(loginLog).Put(ctx, row.ID, row)
	if err != nil {
		l.metrics.rowFailures.Inc()
	}
	return err
}

// keep writes the row of an attempt that failed, sooner or later: what the client is told does not depend on it.
func (l *logins) keep(ctx context.Context, row loginRow) {
	err := l.write(ctx, row)
	if err == nil {
		return
	}
	select {
	case l.waiting <- row:
		l.unwritten.Add(1)
		l.host.Logger().WarnContext(ctx, "a row of GVP_LogLogin was not written and waits", "error", err.Error())
	default:
		l.metrics.rowsDropped.Inc()
		l.host.Logger().ErrorContext(ctx, "a row of GVP_LogLogin is lost: too many wait", "error", err.Error())
	}
}

// run writes the rows that wait until ctx ends, and then once more what still waits, as long as logTimeout.
func (l *logins) run(ctx context.Context) {
	for {
		select {
		case row := <-l.waiting:
			l.retry(ctx, row)
			l.unwritten.Add(-1)
		case <-ctx.Done():
			l.flush(ctx)
			return
		}
	}
}

// retry writes a row again until it is written or ctx ends.
func (l *logins) retry(ctx context.Context, row loginRow) {
	for delay := firstRetry; l.write(ctx, row) != nil; delay = min(2*delay, longestRetry) {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			l.last(ctx, row)
			return
		}
	}
}

func (l *logins) flush(ctx context.Context) {
	for end := time.Now().Add(logTimeout); time.Now().Before(end); {
		select {
		case row := <-l.waiting:
			l.last(ctx, row)
		default:
			return
		}
	}
}

// last writes a row for the last time.
func (l *logins) last(ctx context.Context, row loginRow) {
	if err := l.write(ctx, row); err != nil {
		l.metrics.rowsDropped.Inc()
		l.host.Logger().ErrorContext(ctx, "a row of GVP_LogLogin is lost", "error", err.Error())
	}
}
