// Package sseserver speaks Server-Sent Events: one subscription a stream, to clients that have nothing but HTTP, such as the
// EventSource of browsers.
//
// # A stream
//
// The subscription is an ordinary request, realtime:subscribe, made of the query. When it is refused, its answer is the answer.
// Otherwise the stream begins with the event subscribed, whose data is the answer, and each message follows as an event
// without a name. A subscription is always one that can be resumed: events carry ids, a client that comes back names the last
// one, and gets what it missed or, after subscribed, the event gap.
//
// The stream ends when the subscription does, as when the token has ended or the right is gone: with a notice of the node, when
// somebody closes the connection, and at the latest with the next heartbeat. An EventSource then comes back by itself, is
// refused, and stays away.
//
// # Bounds
//
//   - Messages: OutboxMessages and OutboxBytes may wait for the client. One more, and the client is slow: what waits is
//     dropped and counted, and the connection is cut. The client comes back and resumes. A single message larger than
//     OutboxBytes passes when nothing else waits.
//   - Time: the client has WriteTimeout to take what is written. Comments, one in Heartbeat, keep proxies from closing the
//     connection and show that a client has gone.
//   - Memory: an idle stream costs the two goroutines and the buffers of its HTTP connection, about 28 KiB.
//
// core/node imports it.
package sseserver
