import array, errno, os, select, selectors, socket, struct, threading
s = socket.create_server(("127.0.0.1", 0)); addr = s.getsockname()
def serve():
    c, _ = s.accept()
    with c:
        while d := c.recv(1000): c.sendall(d.upper())
t = threading.Thread(target=serve); t.start()
c = socket.create_connection(addr, timeout=60); c.sendall(b"hello"); print(c.recv(9), c.getpeername() == addr, c.gettimeout())
b = bytearray(4); c.sendall(b"into"); print(c.recv_into(b), b); c.sendall(b"peek"); print(c.recv(9, socket.MSG_PEEK), c.recv(9))
f = c.makefile("rw"); f.write("line\n"); f.flush(); print(f.readline()); f.close(); c.shutdown(socket.SHUT_WR); print(c.recv(9)); c.close(); t.join()
n = socket.socket(); n.setblocking(False); e = n.connect_ex(addr); print(e in (0, errno.EINPROGRESS))
print(select.select([], [n], [], 60)[1] == [n], n.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)); a, _ = s.accept()
try: n.recv(1)
except BlockingIOError: print("would block")
a.send(b"x"); print(select.select([n], [], [], 60)[0] == [n], n.recv(1)); a.close(); print(n.recv(1)); n.close()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); print(s.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) != 0, s.family.name, s.type.name)
try: socket.create_server(addr)
except OSError as e: print(e.errno == errno.EADDRINUSE)
s.close()
x, y = socket.socketpair(); x.send(b"ab"); print(y.recv(9)); d = x.dup(); x.close(); d.send(b"dup"); print(y.recv(9)); d.close(); print(y.recv(1))
try: y.send(b"x"); y.send(b"y")
except BrokenPipeError: print("broken pipe")
u, v = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in "ab"); u.bind("u"); v.sendto(b"unix", "u"); print(u.recvfrom(9)[0]); u.close(); v.close()
p, q = (socket.socket(type=socket.SOCK_DGRAM) for _ in "ab"); p.bind(("127.0.0.1", 0)); q.connect(p.getsockname()); q.send(b"one"); print(p.recvfrom(9)[1] == q.getsockname())
p.settimeout(0.01)
try: p.recv(1)
except TimeoutError as e: print(e)
print(socket.inet_aton("1.2.3.4"), socket.ntohs(socket.htons(5)), socket.gethostbyname("localhost"))
print([i[4] for i in socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)])
sel = selectors.DefaultSelector(); pipes = [os.pipe() for _ in range(5)]
for i, (r, w) in enumerate(pipes): sel.register(r, selectors.EVENT_READ, i)
for i in (3, 1): os.write(pipes[i][1], b"x")
print(sorted(k.data for k, _ in sel.select(60)), sel.select(0.01) != []); sel.unregister(pipes[1][0]); print([k.data for k, _ in sel.select(60)]); sel.close()
po = select.poll(); r, w = os.pipe(); po.register(r, select.POLLIN); os.close(w); print(po.poll(60000)[0][1] & select.POLLHUP != 0)
r, w = os.pipe(); os.set_blocking(w, False); total = 0
try:
    while True: total += os.write(w, b"x" * 1024)
except BlockingIOError: print(total)
threading.Timer(0.02, os.write, (pipes[0][1], b"wake")).start(); print(select.select([pipes[0][0]], [], [])[0] == [pipes[0][0]], os.read(pipes[0][0], 9))
with open("data", "wb") as g: g.write(b"z" * 100000)
s = socket.create_server(("127.0.0.1", 0)); c = socket.create_connection(s.getsockname()); a, _ = s.accept(); got = []
def drain():
    while d := a.recv(65536): got.append(len(d))
t = threading.Thread(target=drain); t.start(); print(c.sendfile(open("data", "rb"))); c.close(); t.join(); print(sum(got))
