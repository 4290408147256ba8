// Package local is the strategy `local`: a user name and a password, hashed with Argon2id and kept in a private
// collection of its own. It answers a wrong password and an unknown name alike, and takes as long for both.
//
// core/node makes it and adds it to the registry of core/auth; nobody else imports it.
package local
