from multiprocessing.pool import ThreadPool
from multiprocessing.dummy import Pool as DummyPool, Process, Queue, Lock
import multiprocessing, time
with ThreadPool(4) as p:
    print(p.map(lambda x: x + 1, range(8)), p.apply(pow, (2, 5)), sorted(p.imap_unordered(abs, [-3, -1, -2])))
    r = p.apply_async(time.sleep, (0.01,)); r.wait(30); print(r.ready(), r.successful())
    print(list(p.imap(str, range(3))), p.starmap(pow, [(2, 3), (3, 2)]))
    try: p.apply_async(time.sleep, (60,)).get(timeout=0.01)
    except multiprocessing.TimeoutError: print("timeout")
with DummyPool(2) as p: print(p.map(len, ["a", "bb"]))
q = Queue(); t = Process(target=q.put, args=(5,)); t.start(); t.join(); print(q.get())
print(multiprocessing.cpu_count() >= 1, multiprocessing.current_process().name)
