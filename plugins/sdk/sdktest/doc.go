// Package sdktest runs a plugin inside a test: the same value that the executable serves, over the same protocol, without
// a process.
//
//	p := sdktest.New(t, hello.New(), sdktest.Options{})
//	answer := p.Execute(t.Context(), &protocol.Request{Controller: "hello", Action: "say"})
//
// The node behind it is a function of the test's: Options.Host. What a real node adds (tokens, rights, the check of the
// configuration against its schema) is not there.
package sdktest
