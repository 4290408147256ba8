package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"mime"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/strictjson"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

const (
	controller = "Comexposium/userController"
	action     = "checkUserToken"
)

// New is the plugin.
func New() sdk.Plugin {
	p := &plugin{emails: newEmails()}
	return sdk.Plugin{
		ID: "comexposium", WireName: "Comexposium", Version: "1.0.0",
		Description: "Tells whether a token belongs to the account of an e-mail address (Kuzzle 1 route user/checkUserToken).",
		Actions: []sdk.Action{{
			Controller: controller, Name: action,
			Routes: []sdk.Route{{Verb: "POST", Path: "/_plugin/Comexposium/user/checkUserToken"}},
			Auth:   sdk.AuthRequired, Profile: protocol.KuzzleV1, RawBody: true, MaxBodyBytes: int64(strictjson.Standard.MaxBytes),
			Handler: p.checkUserToken,
		}},
		Calls:        []string{"security:getUser", "security:getCredentials"},
		Grants:       []sdk.Grant{{Role: "default", Controller: controller, Action: action}},
		ConfigSchema: []byte(configSchema),
		Start:        p.start,
	}
}

const configSchema = `{
	"type": "object",
	"additionalProperties": false,
	"properties": {
		"checksPerMinute": {
			"type": "object",
			"additionalProperties": false,
			"description": "Bounds on checkUserToken; 0 or absent is no bound, because one backend may ask for many users.",
			"properties": {
				"perUser": {"type": "integer", "minimum": 0},
				"perIP": {"type": "integer", "minimum": 0}
			}
		}
	}
}`

type plugin struct {
	host   *sdk.Host
	emails emails
	limits limits
}

type settings struct {
	ChecksPerMinute struct {
		PerUser int `json:"perUser"`
		PerIP   int `json:"perIP"`
	} `json:"checksPerMinute"`
}

func (p *plugin) start(_ context.Context, host *sdk.Host, config jsontext.Value) error {
	var s settings
	if err := json.Unmarshal(config, &s); err != nil {
		return err
	}
	p.host = host
	var err error
	p.limits, err = newLimits(s.ChecksPerMinute.PerUser, s.ChecksPerMinute.PerIP)
	return err
}

// answer is the result of every outcome that is no HTTP error. Its codes: 0 generic_success, 201, 202.
type answer struct {
	StatusCode int    `json:"statusCode"`
	Message    string `json:"message"`
	Data       any    `json:"data"`
}

type validity struct {
	IsValid bool `json:"isValid"`
}

// checkUserToken answers {isValid}: whether the caller, whose token the node has verified, is the account of body.email. An
// address that nobody has is as invalid as somebody else's, so that the answer does not tell who exists.
func (p *plugin) checkUserToken(ctx context.Context, r *sdk.Request) (any, error) {
	if !p.limits.allow(r.User.ID, r.Connection.ClientIP) {
		return nil, kerror.APIProcessTooManyRequests.New()
	}
	email, err := emailOf(r)
	switch {
	case err != nil:
		return nil, err
	case email == "":
		return answer{201, "Missing credentials", struct{}{}}, nil
	}
	own, err := p.ownEmail(ctx, r.User.ID)
	if err != nil {
		p.host.Logger().ErrorContext(ctx, "the caller's account cannot be read", "user", r.User.ID, "error", err.Error())
		return answer{202, "Internal error", struct{}{}}, nil
	}
	valid := p.emails.same(email, own)
	p.host.Logger().LogAttrs(ctx, slog.LevelDebug, "token checked",
		slog.String("user", r.User.ID), slog.String("email", hex.EncodeToString(p.emails.hmac(email))), slog.Bool("isValid", valid))
	return answer{0, "generic_success", validity{valid}}, nil
}

// emailOf reads body.email; "" when there is no text in it. An error is for the client: the body is no acceptable JSON.
func emailOf(r *sdk.Request) (string, error) {
	if !isJSON(r.ContentType) {
		return "", notJSON()
	}
	body := jsontext.Value(r.RawBody)
	if r.RawBody == nil { // an envelope
		body = r.Body
	}
	if len(bytes.TrimSpace(body)) == 0 || body.Kind() != '{' && body.IsValid() {
		return "", nil
	}
	members, err := strictjson.Standard.Object(body)
	if err != nil {
		return "", notJSON()
	}
	email, err := strictjson.Text(members, "email")
	if err != nil {
		return "", nil //nolint:nilerr // it is missing or no text
	}
	return strings.TrimSpace(email), nil
}

// notJSON says it as Kuzzle 1 does.
func notJSON() error {
	return kerror.Bare(kerror.BadRequestError, "Unable to convert HTTP body to JSON")
}

// isJSON takes bodies without a type, too, as all routes of the node do.
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	media, parameters, err := mime.ParseMediaType(contentType)
	charset := strings.ToLower(cmp.Or(parameters["charset"], "utf-8"))
	return err == nil && media == "application/json" && (charset == "utf-8" || charset == "utf8")
}

// ownEmail gives the account's address: content.email, else the name it logs in with; "" when it has neither.
func (p *plugin) ownEmail(ctx context.Context, user string) (string, error) {
	result, err := p.host.Call(ctx, sdk.Call{Controller: "security", Action: "getUser", ID: user})
	if err != nil {
		return "", err
	}
	var stored struct {
		Source struct {
			Email any `json:"email"`
		} `json:"_source"`
	}
	if err := result.Decode(&stored); err != nil {
		return "", err
	}
	if email, ok := stored.Source.Email.(string); ok && email != "" {
		return email, nil
	}
	return p.loginName(ctx, user)
}

func (p *plugin) loginName(ctx context.Context, user string) (string, error) {
	result, err := p.host.Call(ctx, sdk.Call{
		Controller: "security", Action: "getCredentials", ID: user, Args: map[string]string{"strategy": "local"},
	})
	var refused *kerror.Error
	if errors.As(err, &refused) && refused.Status < 500 {
		return "", nil // the account has no password login
	}
	if err != nil {
		return "", err
	}
	var credentials struct {
		Username string `json:"username"`
	}
	return credentials.Username, result.Decode(&credentials)
}
