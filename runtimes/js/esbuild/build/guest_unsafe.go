//go:build wasip1

// This file becomes part of esbuild's command when build.sh builds it: what WASI preview 1 lacks and this sandbox has, a
// working directory and listening. Go's library has a network inside the process there, so esbuild's server listens in
// that, and connections to the sandbox's loopback are handed over.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// heapLimit is where memory begins to be collected although esbuild switches that off for short runs.
const heapLimit = 160 << 20

// The calls of WasmEdge's socket extension; wasi/ABI.md has their form.
//
//go:wasmimport wasi_snapshot_preview1 sock_open
func sockOpen(family, kind int32, fd unsafe.Pointer) int32

//go:wasmimport wasi_snapshot_preview1 sock_bind
func sockBind(fd int32, addr unsafe.Pointer, port int32) int32

//go:wasmimport wasi_snapshot_preview1 sock_listen
func sockListen(fd, backlog int32) int32

// Of the sandbox's own extension.
//
//go:wasmimport belljar proc_cwd_get
func cwdGet(buf unsafe.Pointer, size int32, length unsafe.Pointer) int32

func init() {
	debug.SetMemoryLimit(heapLimit)
	goThere()
	serves, watches, at := false, false, 0
	for i, arg := range os.Args[1:] {
		name, _, _ := strings.Cut(arg, "=")
		switch name {
		case "--serve":
			serves, at = true, i+1
		case "--servedir", "--serve-fallback":
			serves = true
		case "--watch":
			watches = watches || arg != "--watch=forever"
		}
	}
	// A read that waits would stop everything else in this process.
	if (serves || watches) && syscall.SetNonblock(0, true) == nil {
		os.Stdin = os.NewFile(0, "/dev/stdin")
	}
	if serves {
		serve(at)
	}
}

// goThere makes Go's library see the directory that the process is in: it would look in the environment.
func goThere() {
	buf := make([]byte, 4096)
	var n uint32
	if cwdGet(unsafe.Pointer(&buf[0]), int32(len(buf)), unsafe.Pointer(&n)) != 0 {
		return
	}
	dir := string(buf[:n])
	if os.Chdir(dir) == nil {
		_ = os.Setenv("PWD", dir)
	}
}

// serve listens where the argument at says, or where esbuild would without one, and has esbuild's server do so inside.
func serve(at int) {
	host, port := "0.0.0.0", 0
	if at > 0 {
		_, value, _ := strings.Cut(os.Args[at], "=")
		if h, p, err := net.SplitHostPort(value); err == nil {
			value, host = p, h
		}
		n, err := strconv.Atoi(value)
		if value != "" && err != nil {
			return // esbuild has the words for it
		}
		port = n
	}
	first, last := port, port
	if port == 0 {
		first, last = 8000, 8009
	}
	var l net.Listener
	err := error(syscall.EADDRINUSE)
	for port = first; port <= last && err == syscall.EADDRINUSE; port++ {
		l, err = listen(host, port)
	}
	port--
	if err != nil {
		fmt.Fprintf(os.Stderr, "✘ [ERROR] listen tcp4 %s:%d: bind: %v\n\n", host, port, err)
		os.Exit(1)
	}
	inside := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if at > 0 {
		os.Args[at] = "--serve=" + inside
	} else {
		os.Args = append(os.Args, "--serve="+inside)
	}
	go accept(l, inside) // until the process ends
}

// listen opens a socket at an IPv4 address of the sandbox's.
func listen(host string, port int) (net.Listener, error) {
	ip := net.IPv4zero.To4()
	if host == "localhost" {
		ip = net.IPv4(127, 0, 0, 1).To4()
	} else if host != "" {
		if ip = net.ParseIP(host).To4(); ip == nil {
			return nil, syscall.EADDRNOTAVAIL
		}
	}
	var fd int32
	if e := sockOpen(1, 2, unsafe.Pointer(&fd)); e != 0 {
		return nil, syscall.Errno(e)
	}
	var at [4]byte
	copy(at[:], ip)
	address := [2]uint32{uint32(uintptr(unsafe.Pointer(&at))), 4} // Go's own pointers have 64 bits
	e := sockBind(fd, unsafe.Pointer(&address), int32(port))
	runtime.KeepAlive(&at)
	if e == 0 {
		e = sockListen(fd, 128)
	}
	if e != 0 {
		_ = syscall.Close(int(fd))
		return nil, syscall.Errno(e)
	}
	if err := syscall.SetNonblock(int(fd), true); err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	return net.FileListener(f)
}

func accept(l net.Listener, inside string) {
	for {
		outer, err := l.Accept()
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		go func() { // until both sides have closed
			defer outer.Close()
			var inner net.Conn
			for i := 0; i < 500; i++ { // esbuild's server may not be there yet
				if inner, err = net.Dial("tcp4", inside); err == nil {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			if err != nil {
				return
			}
			defer inner.Close()
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = io.Copy(inner, outer)
				if c, ok := inner.(interface{ CloseWrite() error }); ok {
					_ = c.CloseWrite()
				}
			}()
			_, _ = io.Copy(outer, inner)
			if c, ok := outer.(interface{ CloseWrite() error }); ok {
				_ = c.CloseWrite()
			}
			<-done
		}()
	}
}
