package elastic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const (
	// connectPause lies between two trials to connect.
	connectPause = time.Second
	// tellPause lies between two messages about them.
	tellPause = 10 * time.Second
)

// connect waits until Elasticsearch answers and can read what nodes keep for themselves, and gives its version. What waiting
// does not change, such as wrong credentials, is an error at once.
func (c *client) connect(ctx context.Context, o Options) (version string, err error) {
	begin := time.Now()
	for told := begin.Add(-tellPause); ; {
		version, err = c.greet(ctx)
		if !errors.Is(err, kerror.ServicesStorageNotConnected) || time.Since(begin)+connectPause > o.StartTimeout {
			break
		}
		if time.Since(told) >= tellPause {
			told = time.Now()
			o.Logger.Warn("waiting for Elasticsearch", "at", o.place(), "reason", reason(err), "longest", o.StartTimeout)
		}
		if !wait(ctx, connectPause) {
			return "", ctx.Err()
		}
	}
	if err != nil {
		return "", fmt.Errorf("connect to Elasticsearch at %s: %w (%s)", o.place(), err, reason(err))
	}
	return version, nil
}

// greet asks who is there.
func (c *client) greet(ctx context.Context) (version string, err error) {
	var root struct {
		Version struct {
			Number string `json:"number"`
		} `json:"version"`
	}
	if err := c.do(ctx, request{method: http.MethodGet, probe: true}, &root); err != nil {
		return "", public(err)
	}
	if !strings.HasPrefix(root.Version.Number, "8.") {
		return "", kerror.ServicesStorageVersionMismatch.New(root.Version.Number)
	}
	status, err := c.health(ctx, aliases(storage.Internal, ""), true)
	if err == nil && status == "red" {
		return "", notConnected(errors.New("it is red: the internal collections cannot be read yet"), "")
	}
	return root.Version.Number, public(err)
}

// reason is what lies below an error, which is for the operator.
func reason(err error) string {
	if cause := errors.Unwrap(err); cause != nil {
		err = cause
	}
	return err.Error()
}

// place tells where Elasticsearch is looked for, without the passwords that may stand in addresses.
func (o *Options) place() string {
	if o.CloudID != "" {
		name, _, _ := strings.Cut(o.CloudID, ":")
		return "the deployment " + name + " of Elastic Cloud"
	}
	var list []string
	for _, a := range o.Addresses {
		if u, err := url.Parse(a); err == nil {
			list = append(list, u.Redacted())
		}
	}
	return strings.Join(list, ", ")
}
