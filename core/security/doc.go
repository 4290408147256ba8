// Package security knows users, profiles and roles, and decides whether a user may do something.
//
// It stores them through core/storage in the internal index "kuzzle", keeps them in memory in a form made for deciding,
// and fails closed: what cannot be read is not allowed. Who somebody is, is core/auth's question.
//
// core/auth, core/router, core/funnel and the controllers import it.
package security
