package bridge

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/net/http/httpguts"

	"github.com/sluicehq/sluice/core/auth"
	"github.com/sluicehq/sluice/protocol/kerror"
	"github.com/sluicehq/sluice/protocol/pluginv1"
)

// toOutcome reads what a strategy made of a login (VerifyResponse). Whatever is not plainly a user is not one:
//
//	no JSON                                  plugin.strategy.invalid_verify_return
//	neither object nor false, or two in one  plugin.strategy.invalid_verify_resolve
//	a kuid that is no text, or empty         plugin.strategy.invalid_kuid
func toOutcome(strategy string, outcome jsontext.Value) (auth.Outcome, error) {
	name := "Strategy " + strategy
	if !outcome.IsValid() {
		return auth.Outcome{}, kerror.PluginStrategyInvalidVerifyReturn.New(name, "something that is no JSON")
	}
	if outcome.Kind() == 'f' {
		return auth.Outcome{}, nil
	}
	var verified struct {
		KUID       jsontext.Value    `json:"kuid"`
		Message    string            `json:"message"`
		StatusCode int               `json:"statusCode"`
		Headers    map[string]string `json:"headers"`

		More map[string]jsontext.Value `json:",embed"`
	}
	if err := json.Unmarshal(outcome, &verified); err != nil || outcome.Kind() != '{' {
		return auth.Outcome{}, kerror.PluginStrategyInvalidVerifyResolve.Wrap(err, name)
	}
	somebody := verified.KUID != nil && verified.KUID.Kind() != 'n'
	if verified.StatusCode != 0 || verified.Headers != nil {
		redirect := &auth.Redirect{StatusCode: verified.StatusCode, Headers: verified.Headers, More: verified.More}
		if err := checkRedirect(redirect); err != nil || somebody {
			return auth.Outcome{}, kerror.PluginStrategyInvalidVerifyResolve.Wrap(err, name)
		}
		return auth.Outcome{Redirect: redirect}, nil
	}
	if !somebody {
		return auth.Outcome{Message: verified.Message}, nil
	}
	var kuid string
	if json.Unmarshal(verified.KUID, &kuid) != nil || kuid == "" {
		return auth.Outcome{}, kerror.PluginStrategyInvalidKuid.New(name, string(verified.KUID))
	}
	return auth.Outcome{KUID: kuid}, nil
}

// checkRedirect refuses what HTTP could not send.
func checkRedirect(r *auth.Redirect) error {
	if r.StatusCode < 200 || r.StatusCode > 599 {
		return fmt.Errorf("status %d", r.StatusCode)
	}
	for name, value := range r.Headers {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return fmt.Errorf("the header %q is none", name)
		}
	}
	return nil
}

// optionalMethods are those that a manifest declares.
var optionalMethods = []pluginv1.StrategyMethod{
	pluginv1.StrategyMethod_STRATEGY_METHOD_INFO, pluginv1.StrategyMethod_STRATEGY_METHOD_BY_ID,
	pluginv1.StrategyMethod_STRATEGY_METHOD_SEARCH, pluginv1.StrategyMethod_STRATEGY_METHOD_HOLDER,
}

func checkStrategies(m *pluginv1.Manifest) error {
	var problems []error
	seen := map[string]bool{}
	for _, s := range m.GetStrategies() {
		if !namePattern.MatchString(s.GetName()) {
			problems = append(problems, fmt.Errorf("strategy %q: a name consists of letters, digits, dashes and underscores", s.GetName()))
		}
		if seen[s.GetName()] {
			problems = append(problems, fmt.Errorf("two strategies %q", s.GetName()))
		}
		seen[s.GetName()] = true
		if slices.Contains(s.GetFields(), "") {
			problems = append(problems, fmt.Errorf("strategy %q: a field without a name", s.GetName()))
		}
		for _, method := range s.GetMethods() {
			if !slices.Contains(optionalMethods, method) {
				problems = append(problems, fmt.Errorf("strategy %q: %v is no optional method that this node knows", s.GetName(), method))
			}
		}
	}
	return errors.Join(problems...)
}
