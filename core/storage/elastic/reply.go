package elastic

import (
	"errors"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxAnswerBytes bounds one answer.
const maxAnswerBytes = 512 << 20

// reply is the body of an answer while it is read. It keeps apart what the connection does and what was sent over it.
type reply struct {
	body io.Reader
	left int   // bytes that may still come
	lost error // what ended the connection
}

// unreadable is the error of an answer that came, and is not what it should be.
type unreadable struct{ error }

func (u *unreadable) Unwrap() error { return u.error }

// errTooLong ends an answer.
var errTooLong = errors.New("it is longer than 512 MB")

func (r *reply) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, errTooLong
	}
	n, err := r.body.Read(p[:min(len(p), r.left)])
	r.left -= n
	if err != nil && !errors.Is(err, io.EOF) {
		r.lost = err
	}
	return n, err
}

// decode reads the answer into to as it comes, so that it is never in memory as a whole. nil takes anything.
func (r *reply) decode(to any) error {
	var err error
	if to == nil {
		_, err = io.Copy(io.Discard, r) // so that the connection can be used again
	} else {
		err = json.UnmarshalRead(r, to, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	}
	switch {
	case r.lost != nil:
		return r.lost
	case err != nil:
		return &unreadable{err}
	}
	return nil
}
