package network

import (
	"errors"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// DecodeMessage reads the envelope in a message of a connection. What is no envelope at all is broken, the error of its
// protocol. With an error, the request holds its id when that could be read.
func DecodeMessage(message []byte, from *protocol.Connection, broken *kerror.Def) (*protocol.Request, error) {
	req := &protocol.Request{Connection: from}
	if TooDeep(message) {
		return req, broken.New("nested too deep")
	}
	if err := protocol.DecodeRequest(message, req); err != nil {
		if errors.Is(err, protocol.ErrNotJSON) {
			return &protocol.Request{Connection: from}, broken.Wrap(err, protocol.ErrNotJSON.Error())
		}
		return req, err
	}
	if req.RequestID == "" {
		req.RequestID = NewID()
	}
	return req, nil
}
