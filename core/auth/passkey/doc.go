// Package passkey is the strategy `passkey`: WebAuthn credentials, which phones, computers and security keys hold, in place of
// passwords. The node keeps public keys only, in a private collection of its own, and verifies what the browser brings.
//
// A ceremony has two steps, begin and finish, and nothing is kept in between: the challenge that begins one is sealed with
// the strategy's own key, says until when and for whom it is good, and is remembered once it was used.
//
// core/node makes it and adds it to the registry of core/auth; nobody else imports it.
package passkey
