package config

import "log/slog"

// Log is the section log.
type Log struct {
	Level  string `config:"level" doc:"Least important level that is written." oneof:"debug info warn error"`
	Format string `config:"format" doc:"Form of a line." oneof:"text json"`
}

func defaultLog() Log { return Log{Level: "info", Format: "text"} }

// SlogLevel is the level for log/slog; info for a level that Validate refuses.
func (l Log) SlogLevel() slog.Level {
	switch l.Level {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}
