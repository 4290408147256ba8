package pluginhost

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// clockTick is the unit of times in /proc; it has been this on every Linux for decades.
const clockTick = 10 * time.Millisecond

// usageOf reads /proc/<pid>/stat (proc(5)); false when there is no such process.
func usageOf(pid int) (usage, bool) {
	if pid == 0 {
		return usage{}, false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}, false
	}
	// The second field is a name in parentheses and may hold anything; fields are counted from behind it.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const user, system, resident = 11, 12, 21
	if len(fields) <= resident {
		return usage{}, false
	}
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(string(fields[i]), 10, 64) // the kernel writes numbers
		return n
	}
	return usage{
		residentBytes: number(resident) * int64(os.Getpagesize()),
		cpu:           time.Duration(number(user)+number(system)) * clockTick,
	}, true
}
