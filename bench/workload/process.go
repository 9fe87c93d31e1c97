package workload

import (
	"bytes"
	"os"
	"strconv"
)

// ProcessStatus is a number that Linux has of this process in /proc/self/status, like "VmRSS:" (KiB) and "Threads:".
func ProcessStatus(field string) int {
	text, err := os.ReadFile("/proc/self/status")
	Check(err)
	_, rest, _ := bytes.Cut(text, []byte(field))
	number, err := strconv.Atoi(string(bytes.Fields(rest)[0]))
	Check(err)
	return number
}
