package config

import (
	"cmp"
	"path/filepath"
	"time"
)

// Audit is the section audit.
type Audit struct {
	Enabled  bool   `config:"enabled" doc:"Keep an audit log: who did what that matters to security, when, and how it ended."`
	Path     string `config:"path" doc:"File of the audit log, of one node alone; empty = audit/audit.log in server.dataDir. Old files stand beside it."`
	MaxSize  Size   `config:"maxSize" doc:"Size at which the file becomes an old one and a new one begins." min:"64KB"`
	MaxAge   TTL    `config:"maxAge" doc:"How long old files are kept; -1 for no end."`
	MaxFiles int    `config:"maxFiles" doc:"How many old files are kept." min:"1" max:"10000"`
	Compress bool   `config:"compress" doc:"Compress old files with gzip."`
	Refusals bool   `config:"refusals" doc:"Record every request that is refused for want of rights or of a good token, not only those for actions that are recorded anyway."`
	Required bool   `config:"required" doc:"Refuse recorded actions, logins among them, while the file cannot be written. Off: the node goes on and says so in its log and metrics."`
	Sync     bool   `config:"sync" doc:"Answer a recorded action only when its line is on the disk. Off: a crash of the machine loses the lines that the system had not written yet."`
}

func defaultAudit() Audit {
	return Audit{Enabled: true, MaxSize: 32 * MB, MaxAge: TTL(365 * 24 * time.Hour), MaxFiles: 30, Compress: true, Refusals: true}
}

// File is the path of the audit log in a data folder, unless the section names another.
func (a Audit) File(dataDir string) string {
	return cmp.Or(a.Path, filepath.Join(dataDir, "audit", "audit.log"))
}

// audit keeps old files from being removed at once.
func (v *validation) audit() {
	if age := v.config.Audit.MaxAge; !age.IsInfinite() && age < TTL(time.Hour) {
		v.mistake("audit.maxAge", want(&age)+", of an hour at least", "%s is too short", age)
	}
}
