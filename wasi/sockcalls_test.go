package wasi

// socketCalls are rows for the calls on sockets, on what isn't one; what is, socket_test.go has.
func socketCalls() []callRow {
	return []callRow{
		{"sock_open", args{1, 2, outPtr}, errAcces}, // a fixture has no network
		{"sock_pair", args{0, outPtr}, errAcces},
		{"sock_pair", args{4, outPtr}, errInval},
		{"sock_accept_v2", args{fdFile, 0, outPtr}, errNotsock},
		{"sock_accept_v2", args{fdClosed, 0, outPtr}, errBadf},
		{"sock_bind", args{fdFile, outPtr, 0}, errNotsock},
		{"sock_bind", args{fdClosed, outPtr, 0}, errBadf},
		{"sock_listen", args{fdReader, 1}, errNotsock},
		{"sock_listen", args{fdClosed, 1}, errBadf},
		{"sock_connect", args{fdStdout, outPtr, 0}, errNotsock},
		{"sock_connect", args{fdClosed, outPtr, 0}, errBadf},
		{"sock_recv_from", args{fdFile, listPtr, 1, outPtr, 0, outPtr, outPtr, outPtr}, errNotsock},
		{"sock_recv_from", args{fdClosed, listPtr, 1, outPtr, 0, outPtr, outPtr, outPtr}, errBadf},
		{"sock_send_to", args{fdFile, listPtr, 1, outPtr, 0, 0, outPtr}, errNotsock},
		{"sock_send_to", args{fdClosed, listPtr, 1, outPtr, 0, 0, outPtr}, errBadf},
		{"sock_getsockopt", args{fdDir, 0, 0, outPtr, outPtr}, errNotsock},
		{"sock_getsockopt", args{fdClosed, 0, 0, outPtr, outPtr}, errBadf},
		{"sock_setsockopt", args{fdDir, 0, 0, outPtr, 4}, errNotsock},
		{"sock_setsockopt", args{fdClosed, 0, 0, outPtr, 4}, errBadf},
		{"sock_getlocaladdr", args{fdFile, outPtr, outPtr, outPtr}, errNotsock},
		{"sock_getlocaladdr", args{fdClosed, outPtr, outPtr, outPtr}, errBadf},
		{"sock_getpeeraddr", args{fdFile, outPtr, outPtr, outPtr}, errNotsock},
		{"sock_getpeeraddr", args{fdClosed, outPtr, outPtr, outPtr}, errBadf},
		{"sock_getaddrinfo", args{"localhost", "80", 0, 0, 0, outPtr}, errInval},
		{"sock_getaddrinfo", args{wraps, 2, "80", 0, 0, 1, outPtr}, errFault},
	}
}
