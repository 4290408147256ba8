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
// Tests run the same value in their own process: see sdktest. github.com/sluicehq/sluice/plugins/comexposium is a whole
// plugin.
//
// The package imports protocol and its children, go-plugin, gRPC and protobuf; plugins import it and protocol.
package sdk
