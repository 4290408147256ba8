// Package auth answers whose a token is, and makes tokens: it signs, stores, verifies, refreshes and revokes them, knows
// the strategies that logins go through, slows down those who guess, and makes and removes users together with their
// credentials. It remembers which open connections spoke with a token, and tells of them when it ends.
//
// What a user may do is core/security's question. core/funnel and the controllers import this package; strategies are
// its children or live in plugins.
package auth
