package python_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

// programCase is a Python program and what it prints.
type programCase struct {
	name, code, want string
}

func runPrograms(t *testing.T, cases []programCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			res := eval(t, sandbox(t, engine.Spec{}), c.code)
			if res.Stdout != c.want || res.ExitCode != 0 {
				t.Errorf("status %d, output %q, want %q\n%s", res.ExitCode, res.Stdout, c.want, res.Stderr)
			}
		})
	}
}

// child runs code in another interpreter.
const child = `
import os, signal, subprocess, sys, time
def py(code, *args, **kw):
    return [sys.executable, "-c", code, *args]
`

// Programs that start others. Python alone has no other program than itself.
func TestProcesses(t *testing.T) {
	runPrograms(t, []programCase{
		{"run", child + `r = subprocess.run(py("print(6*7)"), capture_output=True, text=True); print(r.returncode, r.stdout, r.stderr)`, "0 42\n \n"},
		{"bytes and input", child + `print(subprocess.run(py("import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])"), input=b"\x00abc", stdout=-1).stdout)`, "b'cba\\x00'\n"},
		{"status", child + `print(subprocess.call(py("import sys; sys.exit(3)")), subprocess.run(py("import os; os._exit(300)")).returncode)`, "3 44\n"},
		{"check", child + `
try: subprocess.run(py("1/0"), check=True, stderr=subprocess.DEVNULL)
except subprocess.CalledProcessError as e: print(e.returncode)`, "1\n"},
		{"a signal", child + `
p = subprocess.Popen(py("import time; time.sleep(60)")); p.terminate(); print(p.wait())
p = subprocess.Popen(py("import time; time.sleep(60)")); p.kill(); print(p.wait())`, "-15\n-9\n"},
		{"timeout", child + `
start = time.monotonic()
try: subprocess.run(py("import time; time.sleep(60)"), timeout=0.1)
except subprocess.TimeoutExpired as e: print(e.timeout, time.monotonic() - start < 30)`, "0.1 True\n"},
		{"timeout with pipes", child + `
p = subprocess.Popen(py("print('early', flush=True); import time; time.sleep(60)"), stdout=-1, text=True)
try: p.communicate(timeout=1)
except subprocess.TimeoutExpired: p.kill(); print(repr(p.communicate()[0]))`, "'early\\n'\n"},
		{"large output on both streams", child + `
r = subprocess.run(py("import sys\nfor i in range(3000): print('o'*99); print('e'*99, file=sys.stderr)"), capture_output=True)
print(len(r.stdout), len(r.stderr))`, "300000 300000\n"},
		{"large input that comes back", child + `
r = subprocess.run(py("import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"), input=b"x"*1000000, stdout=-1)
print(len(r.stdout))`, "1000000\n"},
		{"line by line", child + `
p = subprocess.Popen(py("import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)"), stdin=-1, stdout=-1, text=True, bufsize=1)
for w in "ab", "cd":
    p.stdin.write(w + "\n"); print(p.stdout.readline().strip())
p.stdin.close(); print(p.wait())`, "AB\nCD\n0\n"},
		{"a pipeline", child + `
a = subprocess.Popen(py("for i in range(5): print(i)"), stdout=-1)
b = subprocess.Popen(py("import sys; print(sum(map(int, sys.stdin)))"), stdin=a.stdout, stdout=-1)
a.stdout.close(); print(b.communicate()[0], a.wait())`, "b'10\\n' 0\n"},
		{"streams merged, and to files", child + `
with open("out", "w") as f: subprocess.run(py("import os; os.write(1, b'1'); os.write(2, b'2')"), stdout=f, stderr=subprocess.STDOUT)
print(open("out").read())`, "12\n"},
		{"folder and environment", child + `
os.mkdir("d")
print(subprocess.check_output(py("import os; print(os.getcwd(), sorted(os.environ))"), cwd="d", env={"A": "b"}, text=True))
os.environ["SEEN"] = "yes"
print(subprocess.check_output(py("import os; print(os.environ['SEEN'])"), text=True))`, "/home/user/d ['A']\n\nyes\n\n"},
		{"not found", child + `
for args, kw in [(["nothing"], {}), (["/no/such"], {}), ([sys.executable], {"cwd": "/nowhere"}), (["/etc/passwd"], {}), (["/tmp"], {})]:
    try: subprocess.run(args, **kw)
    except OSError as e: print(type(e).__name__, e.filename)`,
			"FileNotFoundError nothing\nFileNotFoundError /no/such\nFileNotFoundError /nowhere\nPermissionError /etc/passwd\nPermissionError /tmp\n"},
		{"no shell", child + `
try: subprocess.run("echo hi", shell=True)
except FileNotFoundError as e: print(e.strerror, e.filename)
print(os.system("true") != 0)`, "No such file or directory /bin/sh\nTrue\n"},
		{"descriptors", child + `
r, w = os.pipe(); r2, w2 = os.pipe()
code = "import os, sys\nfor fd in map(int, sys.argv[1:]):\n    try: os.fstat(fd); print('open')\n    except OSError: print('closed')"
print(subprocess.check_output(py(code, str(w), str(w2)), pass_fds=[w], text=True).split())
os.set_inheritable(w2, True)
print(subprocess.check_output(py(code, str(w), str(w2)), close_fds=False, text=True).split())`, "['open', 'closed']\n['closed', 'open']\n"},
		{"sessions and groups", child + `
out = lambda **kw: subprocess.check_output(py("import os; print(os.getpid(), os.getpgid(0), os.getsid(0), os.getppid())"), text=True, **kw).split()
a = out(); print(a[0] != a[1], a[3] == str(os.getpid()))
b = out(process_group=0); print(b[0] == b[1])
c = out(start_new_session=True); print(c[0] == c[1] == c[2])
d = out(preexec_fn=os.setsid); print(d[0] == d[2])
try: out(preexec_fn=lambda: None)
except NotImplementedError as e: print("preexec_fn" in str(e))`, "True True\nTrue\nTrue\nTrue\nTrue\n"},
		{"umask", child + `print(subprocess.check_output(py("import os; print(oct(os.umask(0)))"), umask=0o27, text=True), oct(os.umask(0o22)))`, "0o27\n 0o22\n"},
		{"posix_spawn and waitpid", child + `
pid = os.posix_spawn(sys.executable, py("print('spawned', flush=True); import sys; sys.exit(5)"), os.environ)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
try: os.waitpid(-1, 0)
except ChildProcessError: print("none left")`, "spawned\n5\nnone left\n"},
		{"exec", child + `
if len(sys.argv) == 1: print("before", flush=True); os.execv(sys.executable, py("import sys; print('after', sys.argv[1])", "x"))`, "before\nafter x\n"},
		{"pipe and dup2", child + `
r, w = os.pipe(); saved = os.dup(1); os.dup2(w, 1); os.write(1, b"into the pipe"); os.dup2(saved, 1)
print(os.read(r, 99)); print(os.get_inheritable(w), os.isatty(r))`, "b'into the pipe'\nFalse False\n"},
		{"kill and getpid", child + `
p = subprocess.Popen(py("import signal, sys, time\nsignal.signal(signal.SIGUSR1, lambda *a: sys.exit(9))\nprint('up', flush=True)\ntime.sleep(60)"), stdout=-1)
p.stdout.readline(); os.kill(p.pid, signal.SIGUSR1); print(p.wait())
try: os.kill(99999, 0)
except ProcessLookupError: print("nobody")`, "9\nnobody\n"},
		{"which", child + `import shutil; print(shutil.which("python3"), shutil.which("nothing"))`, "/usr/bin/python3 None\n"},
		{"users", `import pwd, grp, os, getpass; print(pwd.getpwuid(os.getuid()).pw_dir, grp.getgrgid(os.getgid()).gr_name, getpass.getuser())`, "/home/user user user\n"},
		{"multiprocessing says why not", `
import multiprocessing
for f in (multiprocessing.Process(target=print).start, multiprocessing.Lock, multiprocessing.Pool, multiprocessing.Queue):
    try: f()
    except (NotImplementedError, ImportError) as e: print("ThreadPoolExecutor" in str(e))
from concurrent.futures import ProcessPoolExecutor
try: ProcessPoolExecutor()
except NotImplementedError as e: print("ThreadPoolExecutor" in str(e))`, "True\nTrue\nTrue\nTrue\nTrue\n"},
	})
}

// Signals, locks on files, terminals.
func TestSignalsAndTerminals(t *testing.T) {
	runPrograms(t, []programCase{
		{"alarm", `
import signal, time
def on(sig, frame): raise TimeoutError
signal.signal(signal.SIGALRM, on); signal.alarm(1)
try:
    while True: pass
except TimeoutError: print("stopped", signal.alarm(0))`, "stopped 0\n"},
		{"setitimer", `
import signal, time
seen = []
signal.signal(signal.SIGALRM, lambda *a: seen.append(1)); signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
while len(seen) < 3: time.sleep(1)
print(len(signal.setitimer(signal.ITIMER_REAL, 0)))`, "2\n"},
		{"a handler runs between bytecodes, and in a sleep", `
import os, signal
signal.signal(signal.SIGUSR1, lambda s, f: print("got", s)); os.kill(os.getpid(), signal.SIGUSR1)
print(signal.getsignal(signal.SIGUSR1).__name__, signal.Signals(10).name)`, "got 10\n<lambda> SIGUSR1\n"},
		{"blocked", `
import os, signal
signal.signal(signal.SIGUSR1, lambda s, f: print("got"))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1]); os.kill(os.getpid(), signal.SIGUSR1)
print(signal.sigpending()); signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1]); print("end")`,
			"{<Signals.SIGUSR1: 10>}\ngot\nend\n"},
		{"wakeup descriptor", `
import os, signal
r, w = os.pipe(); os.set_blocking(w, False); signal.set_wakeup_fd(w); signal.signal(signal.SIGTERM, lambda *a: None)
signal.raise_signal(signal.SIGTERM); print(os.read(r, 9))`, "b'\\x0f'\n"},
		{"fcntl", `
import fcntl, os
f = open("f", "w+"); print(fcntl.fcntl(f, fcntl.F_GETFD), fcntl.fcntl(f, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR)
fcntl.flock(f, fcntl.LOCK_EX); g = open("f")
try: fcntl.flock(g, fcntl.LOCK_SH | fcntl.LOCK_NB)
except BlockingIOError: print("locked")
fcntl.flock(f, fcntl.LOCK_UN); fcntl.flock(g, fcntl.LOCK_SH | fcntl.LOCK_NB); fcntl.lockf(f, fcntl.LOCK_EX); print("ok")`,
			"1 True\nlocked\nok\n"},
		{"a terminal", `
import os, pty, termios, tty
m, s = pty.openpty(); print(os.isatty(s), os.get_terminal_size(s)[0] >= 0)
os.write(m, b"line\n"); print(os.read(s, 99)); print(os.read(m, 99))
tty.setraw(s); os.write(m, b"x"); print(os.read(s, 9), bool(termios.tcgetattr(s)[3] & termios.ECHO))`,
			"True True\nb'line\\n'\nb'line\\r\\n'\nb'x' False\n"},
		{"limits and times", `
import os, resource
print(resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrusage(resource.RUSAGE_SELF).ru_utime >= 0, len(os.times()))`, "(1024, 1024) True 5\n"},
		{"time zones", `
import os, time
os.environ["TZ"] = "Europe/Berlin"; time.tzset(); print(time.tzname, time.localtime(0).tm_hour)`, "('CET', 'CEST') 1\n"},
	})
}

// Waiting for several things in one thread.
func TestSelectAndSockets(t *testing.T) {
	runPrograms(t, []programCase{
		{"select", `
import os, select
r, w = os.pipe(); print(select.select([r], [w], [], 0)[1] == [w], select.select([r], [], [], 0.01))
os.write(w, b"x"); print(select.select([r], [], [], 5)[0] == [r])`, "True ([], [], [])\nTrue\n"},
		{"poll and selectors", `
import os, select, selectors
r, w = os.pipe(); p = select.poll(); p.register(r, select.POLLIN); print(p.poll(1)); os.write(w, b"x"); print(p.poll(1000) == [(r, select.POLLIN)])
with selectors.DefaultSelector() as s: s.register(r, selectors.EVENT_READ, "data"); print(s.select(5)[0][0].data)`, "[]\nTrue\ndata\n"},
		{"a socket pair", `
import socket
a, b = socket.socketpair(); a.sendall(b"hi"); print(b.recv(9)); a.close(); print(b.recv(9))`, "b'hi'\nb''\n"},
		{"loopback", `
import socket
s = socket.create_server(("127.0.0.1", 0)); c = socket.create_connection(s.getsockname()); d, peer = s.accept()
c.sendall(b"hello"); c.shutdown(socket.SHUT_WR); print(d.makefile().read(), peer == c.getsockname(), socket.gethostbyname("localhost"))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", 0)); u.sendto(b"d", u.getsockname()); print(u.recv(9))
x = socket.socket(socket.AF_UNIX); x.bind("sock"); x.listen(); y = socket.socket(socket.AF_UNIX); y.connect("sock"); print(y.getpeername())
d.settimeout(0.01); e = socket.create_connection(s.getsockname())
f, _ = s.accept(); f.settimeout(0.01)
try: f.recv(1)
except TimeoutError: print("timeout")
try: socket.create_connection(("127.0.0.1", 1))
except ConnectionRefusedError: print("refused")`, "hello True 127.0.0.1\nb'd'\nsock\ntimeout\nrefused\n"},
		{"asyncio", `
import asyncio, sys
async def main():
    p = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(input()[::-1])", stdin=-1, stdout=-1)
    out, _ = await p.communicate(b"abc\n"); print(out, p.returncode)
    async def slow(): await asyncio.sleep(60)
    try: await asyncio.wait_for(slow(), 0.01)
    except TimeoutError: print("timeout")
    async def serve(r, w): w.write((await r.readline()).upper()); await w.drain(); w.close()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    r, w = await asyncio.open_connection(*server.sockets[0].getsockname()); w.write(b"line\n"); print(await r.read()); w.close()
    server.close()
    print(await asyncio.gather(*(asyncio.sleep(0.01 * n, n) for n in range(3))), await asyncio.to_thread(sum, [1, 2]))
asyncio.run(main())`, "b'cba\\n' 0\ntimeout\nb'LINE\\n'\n[0, 1, 2] 3\n"},
	})
}

func TestThreads(t *testing.T) {
	runPrograms(t, []programCase{
		{"start and join", `
import threading
out = []
ts = [threading.Thread(target=out.append, args=(n,)) for n in range(9)]
[t.start() for t in ts]; [t.join() for t in ts]; print(sorted(out), threading.active_count())`, "[0, 1, 2, 3, 4, 5, 6, 7, 8] 1\n"},
		{"those that wait do so together", `
import threading, time
start = time.monotonic()
ts = [threading.Thread(target=time.sleep, args=(0.2,)) for _ in range(20)]
[t.start() for t in ts]; [t.join() for t in ts]; print(time.monotonic() - start < 3)`, "True\n"},
		{"those that compute take turns", `
import threading
done, n = False, 0
def count():
    global n
    while not done: n += 1
t = threading.Thread(target=count); t.start()
while n < 100000: pass
done = True; t.join(); print("done")`, "done\n"},
		{"executor", `
from concurrent.futures import ThreadPoolExecutor, as_completed
import time
with ThreadPoolExecutor(4) as pool:
    print(list(pool.map(lambda n: n * n, range(10))))
    fs = [pool.submit(time.sleep, 0.01) for _ in range(8)]; print(len(list(as_completed(fs, timeout=30))))
    f = pool.submit(lambda: 1 / 0); print(type(f.exception()).__name__)
    print(pool.submit(pool.submit(int, "7").result).result())`, "[0, 1, 4, 9, 16, 25, 36, 49, 64, 81]\n8\nZeroDivisionError\n7\n"},
		{"queue", `
import queue, threading
q, out = queue.Queue(2), []
def work():
    while (n := q.get()) is not None: out.append(n); q.task_done()
t = threading.Thread(target=work); t.start()
for n in range(100): q.put(n)
q.join(); q.put(None); t.join(); print(sum(out))
try: q.get(timeout=0.01)
except queue.Empty: print("empty")`, "4950\nempty\n"},
		{"locks with timeouts", `
import threading
l, e, c, s, b = threading.Lock(), threading.Event(), threading.Condition(), threading.Semaphore(0), threading.Barrier(2)
l.acquire(); print(l.acquire(timeout=0.01), e.wait(0.01), s.acquire(timeout=0.01))
with c: print(c.wait(0.01))
threading.Timer(0.01, e.set).start(); print(e.wait(30))
threading.Thread(target=lambda: b.wait()).start(); b.wait(30); print("passed")
r = threading.RLock()
with r, r: print("twice")`, "False False False\nFalse\nTrue\npassed\ntwice\n"},
		{"locals, names and errors", `
import threading, sys
local = threading.local(); local.x = 1
def f(): print(hasattr(local, "x"), threading.current_thread().name)
t = threading.Thread(target=f, name="n"); t.start(); t.join()
threading.excepthook = lambda a: print(a.exc_type.__name__)
t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()`, "False n\nZeroDivisionError\n"},
		{"a daemon doesn't keep the program", `
import threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); print("end")`, "end\n"},
		{"others do", `
import threading, time
threading.Thread(target=lambda: (time.sleep(0.05), print("late"))).start(); print("end")`, "end\nlate\n"},
		{"a server in a thread", `
import http.server, threading, urllib.request
s = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
s.RequestHandlerClass.log_message = lambda *a: None
threading.Thread(target=s.serve_forever, daemon=True).start()
open("f.txt", "w").write("served")
print(urllib.request.urlopen(f"http://127.0.0.1:{s.server_port}/f.txt").read()); s.shutdown()`, "b'served'\n"},
		{"children of threads", child + `
import threading
out = []
ts = [threading.Thread(target=lambda n: out.append(subprocess.check_output(py(f"print({n})"))), args=(n,)) for n in range(4)]
[t.start() for t in ts]; [t.join() for t in ts]; print(sorted(out))`, "[b'0\\n', b'1\\n', b'2\\n', b'3\\n']\n"},
		{"an interrupt comes to the first", `
import threading, os, signal, time
threading.Thread(target=lambda: (time.sleep(0.05), os.kill(os.getpid(), signal.SIGINT))).start()
try: threading.Lock().acquire() and threading.Event().wait()
except KeyboardInterrupt: print("interrupted")`, "interrupted\n"},
		{"exit from a thread", `
import threading, os, time
threading.Thread(target=lambda: (print("bye", flush=True), os._exit(0))).start(); time.sleep(60)`, "bye\n"},
		{"recursion has a limit", `
import threading, json
def deep(n): return [deep(n - 1)] if n else []
def f():
    try: json.dumps(eval("[" * 90 + "]" * 90)); d = []; 
    except RecursionError: pass
    class A:
        def __getattr__(self, n): return getattr(self, n)
    try: A().x
    except RecursionError: print("limit")
t = threading.Thread(target=f); t.start(); t.join()`, "limit\n"},
		{"many", `
import threading
n = 0
lock = threading.Lock()
def f():
    global n
    with lock: n += 1
for _ in range(10):
    ts = [threading.Thread(target=f) for _ in range(100)]
    [t.start() for t in ts]; [t.join() for t in ts]
print(n)`, "1000\n"},
	})
}

// What threads do is the same at every run.
func TestThreadsUnderReplay(t *testing.T) {
	const code = `
import threading, time, random
out = []
def f(n):
    for i in range(3): time.sleep(random.random()); out.append((n, i, round(time.monotonic(), 6)))
ts = [threading.Thread(target=f, args=(n,)) for n in range(5)]
[t.start() for t in ts]; [t.join() for t in ts]
print(out == sorted(out, key=lambda x: x[2]), out)`
	var first string
	for range 3 {
		sb := sandbox(t, engine.Spec{Replay: &engine.Replay{Seed: 7}})
		out := eval(t, sb, code).Stdout
		if !strings.HasPrefix(out, "True") || first != "" && out != first {
			t.Errorf("%s\nafter\n%s", out, first)
		}
		first = out
	}
}

// Threads of a session run while a cell does.
func TestThreadsOfSessions(t *testing.T) {
	sb := sandbox(t, engine.Spec{})
	s, err := sb.Session(t.Context(), "s", "python")
	if err != nil {
		t.Fatal(err)
	}
	cell := func(code, want string) {
		t.Helper()
		res, err := s.Eval(t.Context(), engine.Cell{Code: code})
		if err != nil || res.Value != want {
			t.Errorf("%q: %q, %v, want %q\n%s", code, res.Value, err, want, res.Stderr)
		}
	}
	cell("import threading, queue, time\nq, out = queue.Queue(), queue.Queue()\n"+
		"def work():\n    while (n := q.get()) is not None: out.put(n * 2)\nt = threading.Thread(target=work)\nt.start()", "")
	cell("q.put(21); out.get()", "42")
	if _, err := sb.Fork(t.Context()); !errors.Is(err, engine.ErrBusy) {
		t.Errorf("a fork beside a thread: %v, want ErrBusy", err)
	}
	cell("q.put(None); t.join(); t.is_alive()", "False")
	f, err := sb.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cell("t2 = threading.Thread(target=time.sleep, args=(600,), daemon=True); t2.start()", "")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Threads end with the program's limits, and at once with its context.
func TestThreadsEnd(t *testing.T) {
	const code = "import threading, time\n" +
		"for f in (lambda: time.sleep(600), lambda: [0 for _ in iter(int, 1)], threading.Lock().acquire):\n" +
		"    threading.Thread(target=f).start()\nl = threading.Lock(); l.acquire(); l.acquire()"
	var limit *engine.LimitError
	for want, limits := range map[engine.Limit]engine.Limits{
		engine.LimitTicks: {Ticks: 1e11}, engine.LimitWall: {Wall: 500 * time.Millisecond},
	} {
		sb := sandbox(t, engine.Spec{Limits: limits})
		if _, err := sb.Eval(t.Context(), "python", code); !errors.As(err, &limit) || limit.Limit != want {
			t.Errorf("%v, want the limit on %s", err, want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := sandbox(t, engine.Spec{}).Eval(ctx, "python", code); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the context's end", err)
	}
}
