package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"github.com/go-json-experiment/json"
)

// begin stands for the hash before the first line of all.
const begin = ""

// chained is a line: an event after the hash of the line before.
type chained struct {
	Prev string `json:"prev"`
	Event
}

// hashOf is the hash of a line without its end.
func hashOf(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// appendLines encodes events after the line with the hash prev, and gives the hash of the last.
func appendLines(b *bytes.Buffer, prev string, events []Event) (last string, err error) {
	for _, e := range events {
		line, err := json.Marshal(chained{prev, e}, json.Deterministic(true))
		if err != nil {
			return "", err
		}
		prev = hashOf(line)
		b.Write(line)
		b.WriteByte('\n')
	}
	return prev, nil
}
