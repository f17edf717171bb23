import os, signal, subprocess, sys, threading, time
S = signal
def child(code, sig=None, **kw):
    p = subprocess.Popen([sys.executable, "-u", "-c", code], stdout=-1, stderr=subprocess.DEVNULL, text=True, **kw)
    if sig: p.stdout.readline(); p.send_signal(sig)
    return p.communicate()[0], p.returncode
class T(Exception): pass
def on(s, f): raise T
S.signal(S.SIGALRM, on)
try: S.alarm(1); time.sleep(60)
except T: print("alarm")
try:
    S.setitimer(S.ITIMER_REAL, 0.05)
    while True: pass
except T: print("itimer")
r, w = os.pipe()
try: S.setitimer(S.ITIMER_REAL, 0.05); os.read(r, 1)
except T: print("in read")
try: S.setitimer(S.ITIMER_REAL, 0.05); threading.Lock().acquire() and threading.Event().wait()
except T: print("in a lock")
try: S.setitimer(S.ITIMER_REAL, 0.05); subprocess.run(["sleep", "100"])
except T: print("in a wait")
n = 0
def tick(*a):
    global n
    n += 1
S.signal(S.SIGALRM, tick); S.setitimer(S.ITIMER_REAL, 0.01, 0.01)
while n < 5: S.pause()
S.setitimer(S.ITIMER_REAL, 0); print(n >= 5)
got = []
S.signal(S.SIGCHLD, lambda s, f: got.append(os.waitpid(-1, os.WNOHANG)[1]))
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 4"], os.environ)
while not got: time.sleep(0.01)
print(os.waitstatus_to_exitcode(got[0])); S.signal(S.SIGCHLD, S.SIG_DFL)
S.signal(S.SIGUSR1, lambda s, f: print("usr1", threading.current_thread() is threading.main_thread()))
t = threading.Thread(target=lambda: os.kill(os.getpid(), S.SIGUSR1)); t.start(); t.join(); time.sleep(0.05)
S.raise_signal(S.SIGUSR1); S.pthread_kill(threading.main_thread().ident, S.SIGUSR1); time.sleep(0.01)
S.pthread_sigmask(S.SIG_BLOCK, {S.SIGUSR2}); os.kill(os.getpid(), S.SIGUSR2); print(S.sigpending(), S.sigwait({S.SIGUSR2})); S.pthread_sigmask(S.SIG_UNBLOCK, {S.SIGUSR2})
print(S.signal(S.SIGTERM, S.SIG_IGN) is S.SIG_DFL, S.getsignal(S.SIGTERM) is S.SIG_IGN); os.kill(os.getpid(), S.SIGTERM); print("ignored")
try: S.signal(S.SIGKILL, S.SIG_IGN)
except OSError as e: print(e.errno > 0)
S.signal(S.SIGTERM, S.SIG_DFL)
def later(): 
    try: S.signal(S.SIGTERM, S.SIG_IGN)
    except ValueError as e: print(e)
t = threading.Thread(target=later); t.start(); t.join()
print(child("import time; print('up'); time.sleep(60)", S.SIGTERM))
print(child("import signal, sys, atexit, time\natexit.register(print, 'atexit')\nsignal.signal(signal.SIGTERM, lambda *a: sys.exit(5))\ntry: print('up'); time.sleep(60)\nfinally: print('finally')", S.SIGTERM))
print(child("import threading, time\nt = threading.Thread(target=time.sleep, args=(60,), daemon=True); t.start()\ntry: print('up'); t.join()\nexcept KeyboardInterrupt: print('interrupted')", S.SIGINT))
print(child("import time; print('up'); time.sleep(60)", S.SIGINT))
print(child("import os, signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\nr, w = os.pipe(); os.close(r); os.write(w, b'x')"))
print(child("import os\nr, w = os.pipe(); os.close(r)\ntry: os.write(w, b'x')\nexcept BrokenPipeError: print('EPIPE')"))
print(child("import signal, time; signal.alarm(1); time.sleep(60)"))
print(child("import os; os.abort()"))
print(sorted(s.name for s in S.valid_signals() if isinstance(s, S.Signals) and s < 32)[:4], S.strsignal(9))
print(S.siginterrupt(S.SIGUSR1, False), S.getitimer(S.ITIMER_REAL))
r, w = os.pipe(); os.set_blocking(w, False); S.set_wakeup_fd(w); S.raise_signal(S.SIGUSR1); print(os.read(r, 9)); S.set_wakeup_fd(-1)
