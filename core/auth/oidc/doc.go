// Package oidc is login with an OpenID provider: one strategy for each provider in the settings, under the name it has there.
// The first call of auth:login sends the client to the provider; the one with the code that comes back logs it in. It is the
// authorization code flow with PKCE, a state and a nonce (OpenID Connect Core 1.0, RFC 7636, RFC 9700).
//
// Who somebody is, is decided by the pair of issuer and subject alone. No e-mail address ever leads to an account.
//
// core/node makes the strategies and adds them to the registry of core/auth; nobody else imports it.
package oidc
