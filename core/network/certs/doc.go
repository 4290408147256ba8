// Package certs has the certificates that the node shows its clients: from files, which are read again when they change, or
// from an authority that speaks ACME. What is said over TLS is not its business, but for the challenges of that authority.
//
// core/node imports it.
package certs
