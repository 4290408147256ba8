package storagebench

import "github.com/prometheus/procfs"

// resident is the memory of a process, nothing where it cannot be read.
func resident(pid int) Usage {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return Usage{}
	}
	status, err := p.NewStatus()
	if err != nil {
		return Usage{}
	}
	return Usage{Memory: int64(status.VmRSS), Own: int64(status.RssAnon)} //nolint:gosec // no memory is that large
}
