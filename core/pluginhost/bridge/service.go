package bridge

import (
	"errors"
	"fmt"
	"math"
	"mime"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/net/http/httpguts"

	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/pluginv1"
	"github.com/sluicehq/sluice/protocol/pluginv1/codec"
)

var (
	mountPattern   = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)
	triggerPattern = regexp.MustCompile(`^[A-Za-z0-9-]+:[A-Za-z0-9_-]+$`)
	mediaPattern   = regexp.MustCompile(`^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+$`)
)

// eventScopes are those of the node's own events, beside the controllers: nobody else speaks in their name.
var eventScopes = []string{
	"request", "generic", "core", "kuzzle", "http", "protocol", "connection", "notify", "hook", "pipe", "plugin", "room", "log",
	"backend", "services",
}

// service is nil for a plugin without raw routes and without a mount.
func service(m *pluginv1.Manifest, mount string) *router.Service {
	raw := func(a *pluginv1.Action) bool { return a.GetProfile() == protocol.Raw.String() }
	if mount == "" && !slices.ContainsFunc(m.GetActions(), raw) {
		return nil
	}
	s := &router.Service{Mount: mount, Refusals: protocol.Refusals{}}
	for _, r := range m.GetRefusals() {
		s.Refusals[int(r.GetStatus())] = protocol.Refusal{
			Body: r.GetBody(), ContentType: r.GetContentType(), Status: int(r.GetAnswerStatus()), Header: codec.ToHeader(r.GetHeaders()),
		}
	}
	return s
}

// CheckMount says what is wrong with a mount; "" is none.
func CheckMount(mount string) error {
	if mount != "" && (!mountPattern.MatchString(mount) || strings.Contains(mount+"/", "/./") || strings.Contains(mount+"/", "/../")) {
		return fmt.Errorf("mount %q: want a path such as /name, of letters, digits, dots, dashes and underscores, without a slash at its end", mount)
	}
	return nil
}

func checkMount(m *pluginv1.Manifest) error { return CheckMount(m.GetMount()) }

func checkRateLimit(r *pluginv1.RateLimit) error {
	if r == nil {
		return nil
	}
	if _, known := pluginv1.RateLimit_Per_name[int32(r.GetPer())]; !known {
		return fmt.Errorf("rate limit per %v is unknown to this node", r.GetPer())
	}
	if perSecond := r.GetPerSecond(); !(perSecond > 0) || math.IsInf(perSecond, 0) || r.GetBurst() == 0 || r.GetBurst() > math.MaxInt32 {
		return errors.New("a rate limit needs more than 0 calls a second, and a burst of at least 1")
	}
	return nil
}

func checkContentTypes(types []string) error {
	for _, t := range types {
		if !mediaPattern.MatchString(t) {
			return fmt.Errorf("content type %q: want <type>/<subtype> in small letters, without parameters", t)
		}
	}
	return nil
}

func checkRefusals(m *pluginv1.Manifest) error {
	var problems []error
	seen := map[int32]bool{}
	for _, r := range m.GetRefusals() {
		if err := checkRefusal(r); err != nil {
			problems = append(problems, fmt.Errorf("refusal of status %d: %w", r.GetStatus(), err))
		}
		if seen[r.GetStatus()] {
			problems = append(problems, fmt.Errorf("two refusals of status %d", r.GetStatus()))
		}
		seen[r.GetStatus()] = true
	}
	return errors.Join(problems...)
}

const maxRefusalBytes = 64 << 10

func checkRefusal(r *pluginv1.Refusal) error {
	switch {
	case r.GetStatus() != 0 && (r.GetStatus() < 400 || r.GetStatus() > 599):
		return errors.New("want a status from 400 to 599, or 0 for the rest")
	case r.GetAnswerStatus() != 0 && (r.GetAnswerStatus() < 200 || r.GetAnswerStatus() > 599):
		return errors.New("want an answer status from 200 to 599, or 0 to leave it")
	case len(r.GetBody()) > maxRefusalBytes:
		return fmt.Errorf("the body is larger than %d bytes", maxRefusalBytes)
	}
	for _, h := range r.GetHeaders() {
		if !httpguts.ValidHeaderFieldName(h.GetName()) || slices.ContainsFunc(h.GetValues(), func(v string) bool { return !httpguts.ValidHeaderFieldValue(v) }) {
			return fmt.Errorf("the header %q is none", h.GetName())
		}
	}
	if r.GetContentType() != "" {
		media, _, err := mime.ParseMediaType(r.GetContentType())
		if err != nil || media != "application/json" {
			return err
		}
	}
	if body := protocol.FillRefusal(r.GetBody(), 500, "text", "id"); !jsontext.Value(body).IsValid() {
		return errors.New("the body is no JSON once its placeholders are filled in; $message and $requestId bring their quotes")
	}
	return nil
}

// nodesOwn begins the names of what were plugins of Kuzzle: their storage, credentials among it, is the node's.
const nodesOwn = "kuzzle-plugin-"

func checkCollections(m *pluginv1.Manifest) error {
	var problems []error
	if len(m.GetCollections()) > 0 && strings.HasPrefix(m.GetId(), nodesOwn) {
		problems = append(problems, fmt.Errorf("the storage of names that begin with %s belongs to the node; choose another id", nodesOwn))
	}
	seen := map[[2]string]bool{}
	for _, c := range m.GetCollections() {
		index := codec.IndexOf(m, c)
		if !storage.ValidName(index) || !storage.ValidName(c.GetName()) {
			problems = append(problems, fmt.Errorf("collection %s/%s: the name is not valid; use small letters, digits, - and _", index, c.GetName()))
		}
		if key := [2]string{index, c.GetName()}; seen[key] {
			problems = append(problems, fmt.Errorf("collection %s/%s is there twice", index, c.GetName()))
		} else {
			seen[key] = true
		}
		if v := jsontext.Value(c.GetMapping()); len(v) > 0 && (v.Kind() != '{' || !v.IsValid()) {
			problems = append(problems, fmt.Errorf("collection %s/%s: the mapping is no JSON object", index, c.GetName()))
		}
	}
	return errors.Join(problems...)
}

func checkTriggers(m *pluginv1.Manifest) error {
	var problems []error
	for _, event := range m.GetTriggers() {
		if !triggerPattern.MatchString(event) {
			problems = append(problems, fmt.Errorf("trigger %q: want <scope>:<name>", event))
			continue
		}
		scope := TriggerScope(event)
		if slices.ContainsFunc(slices.Concat(native, eventScopes), func(s string) bool { return strings.EqualFold(s, scope) }) {
			problems = append(problems, fmt.Errorf("trigger %q: events of %s are the node's own", event, scope))
		}
	}
	return errors.Join(problems...)
}

// TriggerScope is the part of an event that says whose it is.
func TriggerScope(event string) string {
	scope, _, _ := strings.Cut(event, ":")
	return scope
}
