// Package sdk makes a Go program a plugin.
//
// A plugin is a value that says what it is and holds the functions behind it, and a main that serves it:
//
//	func main() { sdk.Serve(hello.New()) }
//
//	func New() sdk.Plugin {
//		return sdk.Plugin{
//			ID: "hello", Version: "1.0.0", Description: "Says hello.",
//			Actions: []sdk.Action{{
//				Controller: "hello", Name: "say",
//				Routes:  []sdk.Route{{Verb: "GET", Path: "/_/hello/:name"}},
//				Handler: func(ctx context.Context, r *sdk.Request) (any, error) {
//					name, err := r.Args.String("name")
//					if err != nil {
//						return nil, err
//					}
//					return map[string]string{"text": "Hello, " + name}, nil
//				},
//			}},
//		}
//	}
//
// The node starts the executable, asks what it is, calls Plugin.Start, and then calls actions, pipes and hooks, many at
// once. Before it ends the process it lets the calls finish and calls Plugin.Stop. When the node dies, the plugin exits.
//
// # From nothing to a running plugin
//
// A module of its own requires github.com/sluicehq/sluice. Build it without cgo, name executable and folder after the ID, and
// pin it, after each build that you trust; with --dev a node runs it unpinned, but never with a wrong pin:
//
//	CGO_ENABLED=0 go build -o plugins/hello/hello .
//	sluice plugin pin plugins/hello/hello
//	sluice serve --plugins plugins
//
// # Configuration, calls and errors
//
// Start gets the plugin's part of the setting plugins.config as JSON, checked against ConfigSchema; jsontext is
// github.com/go-json-experiment/json/jsontext, and a jsontext.Value is bytes of JSON:
//
//	Start: func(ctx context.Context, host *sdk.Host, config jsontext.Value) error {
//		return json.Unmarshal(config, &settings)
//	},
//	Calls: []string{"security:getUser"}, // all that host.Call may do
//
// An error that a client should see is a row of the catalogue, or one without id; any other is a fault of the plugin, answered
// with 500 and logged:
//
//	return nil, kerror.APIAssertMissingArgument.New("body.email")
//	return nil, kerror.Bare(kerror.ForbiddenError, "Only on weekdays.")
//
// # Services: routes that answer in a form of their own
//
// An action of the profile protocol.Raw answers over its routes with its result alone: own body, own status, own headers. Over
// WebSocket and POST /_query the same action answers in an envelope. What the node refuses before the plugin sees it (no
// JSON, too large, too often, another verb, plugin down) it answers as Plugin.Refusals say:
//
//	Mount: "/amplifi", // the route below is PUT /amplifi/token, and PUT /token on a host of the plugin's own
//	Refusals: []sdk.Refusal{{Body: `{"success":false,"errorCode":"internalError","message":$message}`}},
//	Actions: []sdk.Action{{
//		Controller: "amplifi/token", Name: "create", Routes: []sdk.Route{{Verb: "PUT", Path: "/token"}},
//		Profile: protocol.Raw, Auth: sdk.AuthPlugin, MaxBodyBytes: 64 << 10,
//		RateLimit: sdk.RateLimit{PerSecond: 0.5, Burst: 30},
//		Handler: func(ctx context.Context, r *sdk.Request) (any, error) {
//			r.Reply.SetHeader("Cache-Control", "no-store")
//			return refused{Code: "invalidCredentials"}, sdk.ServiceError("amplifi", "invalidCredentials", 1, 401, "Wrong credentials.")
//		},
//	}},
//
// With AuthPlugin and AuthNone the node looks at no token and decides no rights: headers and arguments come untouched, and
// other plugins learn no more of such a request than that it is there.
//
// # Ways to log in
//
// A strategy answers auth:login, and keeps what it needs to know its users:
//
//	Strategies: []sdk.Strategy{{
//		Name: "badge", Fields: []string{"number", "pin"}, Account: "number",
//		Verify: func(ctx context.Context, l *sdk.Login) (sdk.Outcome, error) {
//			kuid, err := badges.owner(ctx, l.Field("number"), l.Field("pin"))
//			return sdk.Outcome{KUID: kuid, Message: "Wrong badge or PIN."}, err
//		},
//		Exists: badges.exists, Validate: badges.validate, Create: badges.create, Update: badges.update, Delete: badges.delete,
//	}},
//
// # Storage, events, health
//
// Collections of a plugin's own are reached by nobody else and exist when Start is called; a write can be tied to the version
// that was read:
//
//	Collections: []sdk.Collection{{Name: "users", Mapping: []byte(`{"properties":{"name":{"type":"keyword"}}}`)}},
//	...
//	doc, err := host.Store("users").Get(ctx, "ann")
//	_, err = host.Store("users").Update(ctx, "ann", change, sdk.IfVersion(doc.Version)) // services.storage.too_many_changes
//
// host.Trigger fires events of Plugin.Triggers to the pipes and hooks of other plugins, host.Call calls their actions, and
// host.Degraded says that something does not work for now.
//
// Tests run the same value in their own process: see sdktest. github.com/sluicehq/sluice/plugins/comexposium is a whole
// plugin.
//
// The package imports protocol and its children, go-plugin, gRPC and protobuf; plugins import it and protocol.
package sdk
