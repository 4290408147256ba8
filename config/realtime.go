package config

import "time"

// Realtime is the section realtime.
type Realtime struct {
	ResumeWindow    time.Duration `config:"resumeWindow" doc:"How long messages are kept, and the rooms that nobody is in, for clients that subscribed with resumable; 0 = such subscriptions are ordinary ones." min:"0s"`
	HistoryMessages int           `config:"historyMessages" doc:"Messages kept for each room that has such a subscription." min:"1"`
	HistoryBytes    Size          `config:"historyBytes" doc:"What is kept for all rooms together; a room that would pass it forgets its messages." min:"64KB"`
	IdleRooms       int           `config:"idleRooms" doc:"Rooms kept that nobody is in." min:"0"`
}

func defaultRealtime() Realtime {
	return Realtime{ResumeWindow: 2 * time.Minute, HistoryMessages: 256, HistoryBytes: 64 * MB, IdleRooms: 10_000}
}
