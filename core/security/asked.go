package security

import "github.com/sluicehq/sluice/protocol"

// Asked reads the request that the body of req describes, to be decided on and not to be run: controller and action are
// required.
func Asked(req *protocol.Request) (*protocol.Request, error) {
	body, err := req.BodyFields()
	if err != nil {
		return nil, err
	}
	for _, required := range []string{"controller", "action"} {
		if _, err := body.String(required); err != nil {
			return nil, err
		}
	}
	asked := &protocol.Request{Connection: req.Connection}
	return asked, protocol.DecodeRequest(req.Body, asked)
}
