// Package attacks plays the attacker against a real node over real sockets. It holds only tests, a file for each theme; nothing
// imports it.
//
// What fails already in a test of the package that is attacked is not played again here:
//
//   - tokens that are forged, of another algorithm, of none, or lead elsewhere: core/auth TestAlgorithms, TestRefusals, FuzzVerify
//   - subscriptions that outlive a session, a token, a right: core/node TestSubscriptionsEndWith…
//   - guesses of a password, from one address, one network of IPv6 and everywhere: core/auth TestAccountPauses,
//     TestGuessesFromElsewhereLockNobodyOut, TestFloodFromOneNetwork, TestBurstOnOneAccount
//   - slow headers and bodies, huge headers, too many connections: core/network/httpserver TestSlowHeaders, TestSlowBody,
//     TestHugeHeaders, TestTooManyConnections
//   - messages of WebSocket and MQTT that never end, and what they hold: core/network/wsserver TestMessageMustBeCompleteInTime,
//     TestLargeMessagesWaitForRoom; core/network/mqttserver TestPacketMustBeCompleteInTime, FuzzConnection
//   - clients that do not read: core/network/wsserver TestSlowReader, core/network/sseserver TestASlowClientIsCutOff,
//     core/network/mqttserver TestSlowClient
//   - pages of other sites that meet a node which is still open to everybody: core/network TestFromThisMachine,
//     core/network/httpserver TestWideOpenServesLoopbackOnly
//   - expressions and filters that cost too much, within the engine: core/storage/embedded/search/automaton TestRegexpRefuses,
//     core/koncorde TestFiltersThatCostTooMuch
package attacks
