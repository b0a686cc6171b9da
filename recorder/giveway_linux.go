package recorder

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// modest is the niceness of the threads that encode.
const modest = 10

// giveWay binds the goroutine to a thread that waits where there is not enough
// time for all: the clock of the calls comes first. The thread ends with the
// goroutine.
func giveWay() {
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), modest) // where that is forbidden they are as all others
}
