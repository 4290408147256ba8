// Package mqttserver speaks MQTT 3.1.1 on a port of its own: a client publishes envelopes on the topic of requests, gets their
// answers on the topic of responses, and notifications on the topic that is named like their channel.
//
// Bytes are read and written with the packets of mochi-mqtt; its broker is not used. A broker hands messages to whoever
// subscribed to a topic, while here a notification goes to a connection that the node put on the channel, through that
// connection's own outbox; the broker also allocates what a packet announces before it came, and panics on some malformed
// packets of version 5.
//
// # Topics
//
//   - Request topic: clients publish on it, and cannot subscribe to it.
//   - Response topic: the answer goes to the client that asked, if it subscribed. With Options.Broadcast, which is for
//     development, everybody who subscribed gets it.
//   - A channel: a notification goes to the clients that are on the channel by realtime:subscribe and subscribed to the
//     topic. Who only subscribes to the topic, by guessing its name, gets nothing.
//   - All others: what a client publishes goes to those who subscribed, with Options.AllowPubSub. Nobody can publish on the
//     response topic, on a channel, or on a topic that begins with $. Who publishes where he may not is disconnected.
//
// Wildcards are refused: SUBACK says 0x80 for them, as for the request topic and for one topic too many.
//
// # What of MQTT there is
//
// Clients publish with QoS 0, 1 or 2; what they get has QoS 0, and SUBACK grants no more. The flag retain has no effect,
// a session ends with its connection whatever the flag clean session says, and user names and passwords are not looked at:
// requests carry a token. A will is accepted with Options.AllowPubSub, on topics on which its client could publish; otherwise
// CONNACK refuses with 5.
//
// A second client with the same identifier replaces the first when it comes from the same address. From another one it is
// refused with 2 while the first is connected: MQTT lets it replace the first, but here that would let any stranger end the
// connection of a client whose identifier he can guess.
//
// # Bounds
//
//   - Packets: Base.MaxRequestBytes of payload, topics and client identifiers of maxNameBytes, and 64 KiB for everything that is
//     not published. Memory is taken as the bytes arrive; packets above network.UncountedBytes wait for room in Base.Unfinished,
//     for as long as they may take.
//   - Requests: MaxInFlight of a connection run; it is not read while there is no room, and after stallTime its requests are
//     answered api.process.overloaded.
//   - Outbox: OutboxMessages and OutboxBytes wait for a client. One more, and the client is slow: what waits is dropped and
//     counted, and the connection is closed. A single message larger than OutboxBytes passes when nothing else waits.
//   - Time: ConnectTimeout for CONNECT, WriteTimeout for a client to take what is written, Base.MessageTimeout for a packet that
//     has begun, and one and a half times its keep alive, at most IdleTimeout, of silence.
//
// # Goroutines
//
// A connection has one that reads. One writes while messages wait, and one runs per request.
//
// core/node imports it.
package mqttserver
