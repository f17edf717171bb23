import os, signal, subprocess, sys, threading, time
P, R = subprocess.Popen, subprocess.run
print(R("echo out; echo err >&2; exit 3", shell=True, capture_output=True, text=True))
print(R(["sort"], input="b\na\n", capture_output=True, text=True).stdout.split())
p1 = P(["printf", "b\\na\\nb\\n"], stdout=-1); p2 = P(["sort", "-u"], stdin=p1.stdout, stdout=-1); p1.stdout.close(); print(p2.communicate()[0], p1.wait())
try: R(["sleep", "100"], timeout=0.05)
except subprocess.TimeoutExpired as e: print(type(e).__name__)
p = P("echo early; exec sleep 100", shell=True, stdout=-1); print(p.stdout.readline())
try: p.communicate(timeout=0.05)
except subprocess.TimeoutExpired as e: p.kill(); print(e.timeout, p.communicate())
try: subprocess.check_output("echo x; false", shell=True)
except subprocess.CalledProcessError as e: print(e, e.output)
p = P("sleep 100 & sleep 100; wait", shell=True, start_new_session=True); time.sleep(0.05); os.killpg(p.pid, signal.SIGTERM); print(p.wait())
p = P(["cat"], stdin=-1, stdout=-1, text=True, bufsize=1)
out = []
def read(): out.extend(line.strip() for line in p.stdout)
t = threading.Thread(target=read); t.start()
for i in range(3): print(f"line {i}", file=p.stdin, flush=True)
p.stdin.close(); t.join(); print(out, p.wait(), p.poll())
p = P("for i in $(seq 2000); do echo out$i; echo err$i >&2; done", shell=True, stdout=-1, stderr=-1)
got = {}
ts = [threading.Thread(target=lambda n, f: got.__setitem__(n, len(f.read())), args=(n, f)) for n, f in (("o", p.stdout), ("e", p.stderr))]
[t.start() for t in ts]; [t.join() for t in ts]; print(sorted(got.items()), p.wait())
with P(["sh", "-c", "kill -9 $$"]) as p: pass
print(p.returncode)
p = P(["sleep", "100"]); p.send_signal(signal.SIGSTOP); print(os.WIFSTOPPED(os.waitpid(p.pid, os.WUNTRACED)[1]))
p.send_signal(signal.SIGCONT); print(p.poll()); p.kill(); print(p.wait())
ps = [P(f"sleep 0.0{n}; exit {n}", shell=True) for n in range(8)]; print([p.wait() for p in ps])
print(subprocess.getstatusoutput("echo hi; exit 2"), subprocess.getoutput("printf %s x"))
print(os.system("exit 7") >> 8, os.popen("echo popen").read(), end="")
r, w = os.pipe(); p = P(["sh", "-c", f"echo through >&{w}"], pass_fds=[w]); os.close(w); print(os.read(r, 99), p.wait())
print(R(["env"], env={"ONLY": "1", "PATH": os.environ["PATH"]}, capture_output=True, text=True).stdout.splitlines()[0])
print(R(["pwd"], cwd="/tmp", capture_output=True, text=True).stdout)
for bad in ["nothing-here"], ["/tmp"]:
    try: R(bad)
    except OSError as e: print(type(e).__name__)
print(R(["sh", "-c", "exit 300"]).returncode, R([sys.executable, "-c", "import sys; sys.exit('text')"], stderr=-1, text=True).stderr)
p = P(["head", "-c1"], stdin=-1, stdout=-1)
try: p.communicate(b"x" * 1000000)
except BrokenPipeError: pass
print(p.returncode)
print(R([sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGINT); import time; time.sleep(60)"], stderr=-1).returncode)
p = P([sys.executable, "-c", "import time\ntry:\n print('up', flush=True); time.sleep(60)\nexcept KeyboardInterrupt: print('caught')"], stdout=-1)
print(p.stdout.readline()); p.send_signal(signal.SIGINT); print(p.communicate()[0], p.returncode)
print(R("yes | head -2; cat <(echo a) | tr a b", shell=True, executable="/bin/bash", capture_output=True, text=True).stdout.split())
p = P(["cat"], stdin=-1, stdout=-1); print(p.communicate(b"\0\xff")[0]); 
f = open("log", "w"); R("echo one; echo two >&2", shell=True, stdout=f, stderr=f); f.close(); print(open("log").read().split())
print(R(["cat"], stdin=open("log"), stdout=-1).stdout, R(["cat"], stdin=subprocess.DEVNULL, stdout=-1).stdout)
