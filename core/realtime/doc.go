// Package realtime tells clients what happens: it holds who subscribed to what, finds the rooms that a document falls into,
// and hands every subscriber of them one message for each of his channels.
//
//	Service.Subscribe   filter → room → channel; the answer goes out before the first message
//	Service.Changed     documents were written → rooms they are in, rooms they left → messages
//	Service.Publish     a message that is not stored → rooms → messages
//
// # Words
//
// A room is a filter on a collection (see [koncorde.RoomID]); it lives as long as somebody is in it, or a while longer when
// its messages can be asked for again. A channel is a room together with what of it a subscriber wants to hear: its name is
// what clients find in `room` of a message. A connection is in a room once, on any number of its channels.
//
// # Order
//
// All subscribers of a room get its messages in one order. Changes of a document are told in the order of the calls of Changed;
// controllers call it in the order of the writes.
//
// # Users who come and go
//
// Who comes hears of himself when he asked for it; who goes does not. When the last one goes nobody is told, now or later, not
// even who was away and comes back: the room does not remember it, or the client that went would hear of itself when it
// resumes. While somebody stays the message is remembered as any other: a client that comes back on a new connection finds its
// own leave among what it missed, as the room cannot know that it is the same. It then hears its own `in`, whose count holds.
//
// # What is lost
//
// Messages are handed to an outbox, which never waits: a client that does not read loses them and is told (see the outbox of
// its protocol). A client that was away gets what it missed when it subscribed with Options.Resumable, as long as the room
// remembers; it is told when it does not: after too long, too much, a restart, or when it asks for another channel. A client
// whose answer to subscribe takes so long that thousands of messages wait for it is closed, rather than left with a gap that
// it does not know of. A pipe may change, redirect or stop a message; one that fails stops it and is logged.
//
// It knows no sockets and no storage. core/network implements [Outbox]; controllers tell it what was written; core/node joins
// them.
package realtime
