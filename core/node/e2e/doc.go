// Package e2e tries the binaries as users do: the README's commands, the official SDK, signals, kill -9. It holds tests
// only, and the package.json and scripts of the SDK.
package e2e
