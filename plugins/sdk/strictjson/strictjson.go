// Package strictjson reads the JSON bodies of services whose clients are strangers. It takes less than JSON allows: one
// value of bounded size, depth and texts, in valid UTF-8, without duplicate names and without the character NUL.
//
// Plugins import it; it imports protocol.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// The errors. None of them holds anything of what was read but names.
var (
	// ErrTooLarge is a body with more bytes than allowed; nothing of it was read.
	ErrTooLarge = errors.New("the body is too large")
	// ErrInvalid is a body that is no JSON object within the limits.
	ErrInvalid = errors.New("the body is not an acceptable JSON object")
)

// Limits are the bounds of a body; 0 bounds nothing.
type Limits struct {
	MaxBytes int
	// MaxDepth is how deep objects and arrays may stand in each other; the outermost counts.
	MaxDepth int
	// MaxTextBytes is for each text, names among them, as it is once its escapes are read.
	MaxTextBytes int
}

// Standard are the limits of the bundled token services.
var Standard = Limits{MaxBytes: 64 << 10, MaxDepth: 16, MaxTextBytes: 4096}

// Object reads a JSON object. The members refer to data, which must not change afterwards; see Text and Integer for how
// they are read strictly too. It is safe for concurrent use.
func (l Limits) Object(data []byte) (protocol.Args, error) {
	if l.MaxBytes > 0 && len(data) > l.MaxBytes {
		return protocol.Args{}, ErrTooLarge
	}
	if err := l.check(data); err != nil {
		return protocol.Args{}, err
	}
	members, err := protocol.ParseArgs(data, "")
	if err != nil {
		return protocol.Args{}, ErrInvalid
	}
	return members, nil
}

func (l Limits) check(data []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(data))
	if d.PeekKind() != '{' {
		return invalid("it is no object")
	}
	for {
		token, err := d.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil: // the text of err quotes the body
			return invalid("its syntax is wrong")
		case l.MaxDepth > 0 && d.StackDepth() > l.MaxDepth:
			return invalid("it is nested too deep")
		case token.Kind() != '"':
			continue
		}
		text := token.String()
		switch {
		case l.MaxTextBytes > 0 && len(text) > l.MaxTextBytes:
			return invalid("a text is too long")
		case strings.IndexByte(text, 0) >= 0:
			return invalid("a text holds the character NUL")
		}
	}
}

func invalid(why string) error { return fmt.Errorf("%w: %s", ErrInvalid, why) }

// The two ways in which a member can be wrong.
var (
	// ErrMissing is a member that is not there or null.
	ErrMissing = errors.New("missing")
	// ErrType is a member of another type.
	ErrType = errors.New("of another type")
)

// Text gives a text member: ErrMissing or ErrType where there is none. An empty text is one.
func Text(object protocol.Args, name string) (string, error) {
	text, err := object.String(name)
	switch {
	case err == nil:
		return text, nil
	case errors.Is(err, kerror.APIAssertMissingArgument):
		return "", ErrMissing
	default:
		return "", ErrType
	}
}

// Integer gives a member that is a JSON number without fraction and exponent, within ±2^53. "25" in quotes is of another
// type.
func Integer(object protocol.Args, name string) (int64, error) {
	raw := object.Raw(name)
	if raw == nil {
		return 0, ErrMissing
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n > 1<<53 || n < -1<<53 {
		return 0, ErrType
	}
	return n, nil
}
