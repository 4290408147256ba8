//go:build unix

package wsserver

import (
	"errors"
	"io"
	"syscall"
)

// writeNow writes as much as the system takes without waiting.
func writeNow(raw syscall.RawConn, p []byte) (n int, err error) {
	failed := raw.Write(func(fd uintptr) bool {
		for {
			n, err = syscall.Write(int(fd), p)
			if !errors.Is(err, syscall.EINTR) {
				return true // what remains is not waited for
			}
		}
	})
	switch {
	case failed != nil:
		return 0, failed
	case errors.Is(err, syscall.EAGAIN):
		return 0, nil
	case err == nil && n < 0:
		return 0, io.ErrShortWrite
	}
	return max(n, 0), err
}
