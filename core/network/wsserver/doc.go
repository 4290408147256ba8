// Package wsserver speaks WebSocket: one envelope a message, and one answer with room = requestId to each.
//
// # Goroutines
//
// A connection has one goroutine that reads, for as long as it lives. While requests run there are at most
// Options.MaxInFlight that execute, and while answers wait to be sent one that writes; they end when nothing is left to do,
// so that an idle connection costs one goroutine with a small stack, a read buffer of 1 KiB, and no write buffer.
// Notifications of all connections are written by as many goroutines as there are processors, see broadcaster; who makes
// notifications is held back by Server.Pace while too many wait, for maxPace at most. A client that does not take at once what
// is written holds nobody back: a goroutine of its own waits for it.
//
// # Bounds
//
//   - Requests: MaxInFlight run, as many more wait, of at most twice Base.MaxRequestBytes together. When that is full too
//     the connection is not read for stallTime, which slows the client down; after that, until there is room, further
//     requests are read and answered api.process.overloaded. So a ping is answered within about stallTime even while
//     every request hangs: official clients give up after 2 s.
//   - Answers and notifications: OutboxMessages and OutboxBytes may wait for the client. One more, and the client is slow:
//     what waits is dropped and counted, and the connection is closed with 1011. The client comes back and subscribes
//     again. With DropWhenSlow further notifications are dropped instead, and the client is told how many once it has read
//     what waits; answers close it all the same. A single message larger than OutboxBytes passes when nothing else waits.
//   - Unfinished messages: those above network.UncountedBytes wait for room in Base.Unfinished, for MessageTimeout at most.
//   - Time: the client has WriteTimeout to take what is written, Base.MessageTimeout to send a message that it has begun, and is
//     closed after IdleTimeout of silence.
//
// # Order
//
// Requests of one connection run at the same time: their answers come in any order, and who needs an order awaits the
// answer, as official clients do. Messages passed to Deliver arrive in the order of the calls, after every answer that was
// queued before.
//
// core/node imports it.
package wsserver
