package process

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownGroup makes the process leader of a group, and mortal with the thread that spawns it.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// waitWithoutReaping returns when the process is dead; its number stays taken.
func waitWithoutReaping(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
		}
	}
}

func killGroup(pid int) { _ = unix.Kill(-pid, unix.SIGKILL) } // nobody left is no failure
