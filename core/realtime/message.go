package realtime

// Message is a notification, encoded once for everybody who hears it on one channel. It never changes.
type Message struct {
	// Channel is the `room` of the envelope.
	Channel string
	// ID is what a client names to get what came after this message; "" on channels that cannot be resumed.
	ID string
	// JSON is the whole envelope.
	JSON []byte
}

// Outbox is the way to one client. It is used by many goroutines at once, with locks of this package held: it must not call
// back before it returns.
type Outbox interface {
	// Deliver queues a message behind everything queued before, and never waits. It reports false when the client is gone or
	// too slow, in which case it hears no more of it.
	Deliver(m *Message) bool
	// Close ends the connection with a WebSocket close code and a reason of at most 123 bytes, without waiting.
	Close(code int, reason string)
}
