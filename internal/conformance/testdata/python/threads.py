import threading, queue, time, sys, atexit
t = threading.Timer(60, print, ("never",)); t.start(); t.cancel(); t.join(); print("cancelled")
b, out = threading.Barrier(3, action=lambda: out.append("action")), []
def meet(): out.append(b.wait() >= 0)
ts = [threading.Thread(target=meet) for _ in range(3)]; [t.start() for t in ts]; [t.join() for t in ts]; print(out)
b = threading.Barrier(2)
def broken():
    try: b.wait(0.01)
    except threading.BrokenBarrierError: print("broken")
t = threading.Thread(target=broken); t.start(); t.join(); print(b.broken)
c, items = threading.Condition(), []
def consumer():
    with c:
        print(c.wait_for(lambda: len(items) >= 3, timeout=60))
t = threading.Thread(target=consumer); t.start()
for i in range(3):
    with c: items.append(i); c.notify()
t.join()
s = threading.BoundedSemaphore(2); s.acquire(); s.release()
try: s.release()
except ValueError as e: print(e)
l = threading.Lock(); l.acquire()
try: threading.RLock().release()
except RuntimeError as e: print(e)
print(l.acquire(blocking=False), l.acquire(timeout=0.01), l.locked()); l.release()
local = threading.local(); local.v = "main"
def f(): local.v = threading.current_thread().name; r.append(local.v)
r = []; t = threading.Thread(target=f, name="mine"); t.start(); t.join(); print(r, local.v)
print(threading.active_count(), threading.main_thread() is threading.current_thread(), t.is_alive(), t.ident is not None, t.native_id is not None)
q = queue.PriorityQueue(); [q.put(n) for n in (3, 1, 2)]; print([q.get() for _ in range(3)])
q = queue.LifoQueue(2); q.put(1); q.put(2)
try: q.put(3, timeout=0.01)
except queue.Full: print("full")
print(q.get(), q.qsize(), q.full(), q.empty())
sq = queue.SimpleQueue(); threading.Timer(0.01, sq.put, ("late",)).start(); print(sq.get(timeout=60))
def producer(n):
    for i in range(50): work.put((n, i))
def consume():
    while (x := work.get()) is not None:
        with lock: seen.append(x)
        work.task_done()
work, seen, lock = queue.Queue(5), [], threading.Lock()
cs = [threading.Thread(target=consume) for _ in range(4)]; ps = [threading.Thread(target=producer, args=(n,)) for n in range(4)]
[t.start() for t in cs + ps]; [t.join() for t in ps]; work.join(); [work.put(None) for _ in cs]; [t.join() for t in cs]
print(len(seen), len(set(seen)))
n = 0
def count():
    global n
    for _ in range(20000):
        with lock: n += 1
ts = [threading.Thread(target=count) for _ in range(4)]; [t.start() for t in ts]; [t.join() for t in ts]; print(n)
def boom(): raise ValueError("in a thread")
threading.excepthook = lambda a: print(a.exc_type.__name__, a.exc_value, a.thread.name)
t = threading.Thread(target=boom, name="boom"); t.start(); t.join()
class Worker(threading.Thread):
    def run(self): self.result = sum(range(10))
w = Worker(); w.start(); w.join(5); print(w.result)
try: w.start()
except RuntimeError as e: print(e)
class Rw:
    def __init__(self): self.lock, self.v = threading.RLock(), 0
    def inc(self):
        with self.lock: self.twice()
    def twice(self):
        with self.lock: self.v += 2
o = Rw(); ts = [threading.Thread(target=o.inc) for _ in range(10)]; [t.start() for t in ts]; [t.join() for t in ts]; print(o.v)
print(sys.getswitchinterval(), threading.stack_size())
atexit.register(print, "atexit")
threading.Thread(target=lambda: (threading.main_thread().join(), print("not a daemon"))).start()
threading.Thread(target=lambda: (time.sleep(100), print("a daemon")), daemon=True).start()
print("end of main")
