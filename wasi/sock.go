package wasi

import "context"

// notSocket answers for the calls on sockets, of which there are none yet.
func (h *Host) notSocket(fd uint64) errno {
	if _, e := h.files.get(uint32(fd)); e != errSuccess {
		return e
	}
	return errNotsock
}

// sock_accept(fd, flags: fdflags) -> fd
func sockAccept(_ context.Context, h *Host, _ memory, p []uint64) errno {
	return h.notSocket(p[0])
}

// sock_recv(fd, ri_data: iovec_array, ri_flags: riflags) -> (size, roflags)
func sockRecv(_ context.Context, h *Host, _ memory, p []uint64) errno {
	return h.notSocket(p[0])
}

// sock_send(fd, si_data: ciovec_array, si_flags: siflags) -> size
func sockSend(_ context.Context, h *Host, _ memory, p []uint64) errno {
	return h.notSocket(p[0])
}

// sock_shutdown(fd, how: sdflags)
func sockShutdown(_ context.Context, h *Host, _ memory, p []uint64) errno {
	return h.notSocket(p[0])
}
