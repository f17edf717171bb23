package benchmarks

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// Machine is what a report was measured on.
type Machine struct {
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	CPU     string `json:"cpu,omitempty"`
	Cores   int    `json:"cores"`
	Memory  string `json:"memory,omitempty"`
	Go      string `json:"go"`
	Wazero  string `json:"wazero,omitempty"`
	Loadavg string `json:"loadavg,omitempty"`
}

func machine() Machine {
	m := Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	m.CPU = field("/proc/cpuinfo", "model name")
	m.Memory = field("/proc/meminfo", "MemTotal")
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Loadavg = strings.Join(strings.Fields(string(b))[:3], " ")
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/tetratelabs/wazero" {
				m.Wazero = d.Version
			}
		}
	}
	return m
}

// field answers the value of the first line "key: value" of a file, or "".
func field(file, key string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for sc := bufio.NewScanner(bytes.NewReader(b)); sc.Scan(); {
		if k, v, ok := strings.Cut(sc.Text(), ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// memory is this process's, in bytes.
type memory struct{ anonymous, proportional int64 }

// smaps reads what the kernel accounts to this process. See https://docs.kernel.org/filesystems/proc.html
func smaps() (memory, error) {
	const file = "/proc/self/smaps_rollup"
	if _, err := os.Stat(file); err != nil {
		return memory{}, err
	}
	var m memory
	for key, to := range map[string]*int64{"Anonymous": &m.anonymous, "Pss": &m.proportional} {
		var kb int64
		if _, err := fmt.Sscanf(field(file, key), "%d kB", &kb); err != nil {
			return m, fmt.Errorf("read %s: %s: %w", file, key, err)
		}
		*to = kb << 10
	}
	return m, nil
}
