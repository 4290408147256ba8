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
// Tests run the same value in their own process: see sdktest.
//
// The package imports protocol and its children, go-plugin, gRPC and protobuf; plugins import it and protocol.
package sdk
