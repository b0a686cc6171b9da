package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of the kernel's process times (sysconf CLK_TCK), the same
// on every Linux.
const clockTick = 10 * time.Millisecond

// usage is what a process has taken so far.
type usage struct {
	at       time.Time
	cpu      time.Duration // user and system
	resident int64         // bytes
	drops    uint64        // packets its UDP sockets had no room for
}

// usageOf looks into /proc; pid 0 gives nothing.
func usageOf(pid int) usage {
	u := usage{at: time.Now()}
	if pid == 0 {
		return u
	}
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if _, rest, ok := strings.Cut(string(stat), ") "); ok {
		if f := strings.Fields(rest); len(f) > 12 { // utime and stime, proc(5)
			user, _ := strconv.Atoi(f[11])
			system, _ := strconv.Atoi(f[12])
			u.cpu = time.Duration(user+system) * clockTick
		}
	}
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if _, rest, ok := strings.Cut(string(status), "VmRSS:"); ok {
		if f := strings.Fields(rest); len(f) > 0 {
			kB, _ := strconv.ParseInt(f[0], 10, 64)
			u.resident = kB << 10
		}
	}
	u.drops = dropsOf(pid)
	return u
}

// dropsOf adds up what the kernel dropped at the UDP sockets of a process: those
// in its network namespace whose inodes are among its descriptors.
func dropsOf(pid int) (n uint64) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	inodes := make(map[string]bool, len(entries))
	for _, e := range entries {
		if to, err := os.Readlink(dir + "/" + e.Name()); err == nil && strings.HasPrefix(to, "socket:[") {
			inodes[strings.Trim(to, "socket:[]")] = true
		}
	}
	for _, table := range []string{"udp", "udp6"} {
		f, err := os.Open(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			// … inode is the tenth field, drops the last one.
			if f := strings.Fields(lines.Text()); len(f) > 12 && inodes[f[9]] {
				drops, _ := strconv.ParseUint(f[len(f)-1], 10, 64)
				n += drops
			}
		}
		f.Close()
	}
	return n
}
