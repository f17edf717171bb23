import logging, logging.handlers, queue, sched, sqlite3, sys, threading, time, tempfile, io, functools, contextvars, weakref, contextlib, random, collections, pathlib, json, shelve, zipfile
from concurrent.futures import ThreadPoolExecutor
out = io.StringIO(); h = logging.StreamHandler(out); q = queue.Queue(); l = logging.getLogger("x"); l.setLevel(10)
l.addHandler(logging.handlers.QueueHandler(q)); ql = logging.handlers.QueueListener(q, h); ql.start()
ts = [threading.Thread(target=l.info, args=("message %d", n)) for n in range(5)]; [t.start() for t in ts]; [t.join() for t in ts]; ql.stop()
print(sorted(out.getvalue().split("\n"))[1:])
db = sqlite3.connect("db"); db.execute("create table t (n integer)"); db.commit()
def insert(n):
    with contextlib.closing(sqlite3.connect("db", timeout=60)) as c:
        for i in range(10):
            with c: c.execute("insert into t values (?)", (n * 10 + i,))
with ThreadPoolExecutor(4) as p: list(p.map(insert, range(6)))
print(db.execute("select count(*), sum(n) from t").fetchone())
def wrong():
    try: db.execute("select 1")
    except sqlite3.ProgrammingError as e: print(str(e)[:45])
t = threading.Thread(target=wrong); t.start(); t.join()
shared = sqlite3.connect(":memory:", check_same_thread=False); t = threading.Thread(target=shared.execute, args=("create table u (x)",)); t.start(); t.join(); print(shared.execute("select name from sqlite_master").fetchall())
s = sched.scheduler(time.monotonic, time.sleep); done = []; s.enter(0.02, 1, done.append, (2,)); s.enter(0.01, 1, done.append, (1,)); s.run(); print(done)
calls = []
@functools.lru_cache
def slow(n): calls.append(n); return n * 2
with ThreadPoolExecutor(4) as p: print(list(p.map(slow, [1, 2, 1, 2] * 5)), sorted(set(calls)))
v = contextvars.ContextVar("v", default=0); v.set(5); print(contextvars.copy_context().run(v.get)); r = []; t = threading.Thread(target=lambda: r.append(v.get())); t.start(); t.join(); print(r)
d = collections.deque(maxlen=3); ts = [threading.Thread(target=d.append, args=(1,)) for _ in range(9)]; [t.start() for t in ts]; [t.join() for t in ts]; print(d)
def write(n): pathlib.Path(f"f{n}.json").write_text(json.dumps({"n": n}))
with ThreadPoolExecutor() as p: list(p.map(write, range(20)))
print(sum(json.loads(f.read_text())["n"] for f in pathlib.Path(".").glob("f*.json")))
with zipfile.ZipFile("z.zip", "w") as z: [z.write(f"f{n}.json") for n in range(20)]
with zipfile.ZipFile("z.zip") as z, ThreadPoolExecutor(4) as p: print(sum(json.loads(b)["n"] for b in p.map(z.read, z.namelist())))
e = threading.Event(); class_ = type("C", (), {"__del__": lambda self: e.set()}); o = class_(); t = threading.Thread(target=lambda o: None, args=(o,)); del o; t.start(); t.join(); del t; print(e.wait(5))
seen = []; sys.setswitchinterval(1e-4)
def spin(n):
    for i in range(3000): seen.append(n) if i % 1000 == 0 else None
ts = [threading.Thread(target=spin, args=(n,)) for n in range(6)]; [t.start() for t in ts]; [t.join() for t in ts]; print(collections.Counter(seen))
threading.settrace(None); print(threading.get_ident() == threading.main_thread().ident, len(sys._current_frames()) > 0)
