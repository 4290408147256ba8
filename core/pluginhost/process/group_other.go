//go:build unix && !linux

package process

import "syscall"

// ownGroup makes the process leader of a group. Only the SDK's watch over its parent ends it when the node is killed.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// waitWithoutReaping is not to be had here.
func waitWithoutReaping(int) bool { return false }

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) } // nobody left is no failure
