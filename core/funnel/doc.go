// Package funnel is the way of every request to its action and back:
//
//  1. what the envelope must hold
//  2. admission: so many requests run at once, so many wait, the rest gets 503
//  3. pipe request:beforeExecution
//  4. token: whose request is it? The connection is linked to it.
//  5. rights: may this user do this? The answer is the same whether the action exists or not.
//     Actions of the modes AuthPlugin and AuthNone go without 4 and 5: see private.go.
//  6. rate limits of the user and of the action, its bound on the body, version of the SDK
//  7. pipes <controller>:before<Action>, the action, pipes <controller>:after<Action> or :error<Action>
//  8. request:onSuccess or onError, request:afterExecution, the answer, the audit log
//
// Whatever fails before step 7 fails closed: the action does not run. Calls that a plugin or the node makes itself come
// the same way, without admission and token; see protocol.Internal.
//
// core/network and core/pluginhost call it through interfaces of their own; core/node makes it.
package funnel
