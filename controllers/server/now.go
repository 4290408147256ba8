package server

import (
	"context"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
)

// now answers {now: milliseconds since 1970}.
func (c controller) now(context.Context, *protocol.Request) (any, error) {
	b := make([]byte, 0, len(`{"now":1700000000000}`)+4)
	b = strconv.AppendInt(append(b, `{"now":`...), time.Now().UnixMilli(), 10)
	return jsontext.Value(append(b, '}')), nil
}
