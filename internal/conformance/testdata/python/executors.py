from concurrent.futures import *
import concurrent.futures, threading, time
with ThreadPoolExecutor(3, thread_name_prefix="w", initializer=lambda: setattr(threading.current_thread(), "ready", True)) as pool:
    print(pool.submit(lambda: (threading.current_thread().name.startswith("w_"), threading.current_thread().ready)).result())
    start = time.monotonic()
    print(list(pool.map(lambda x: (time.sleep(0.02), x * x)[1], range(9))), time.monotonic() - start < 20)
    fs = {pool.submit(time.sleep, 0.03 * n): n for n in (2, 0, 1)}
    print(sorted(fs[f] for f in as_completed(fs)))
    gate = threading.Event()
    slow = pool.submit(gate.wait, 60); done = pool.submit(int, "5")
    d, nd = wait([slow, done], return_when=FIRST_COMPLETED); print(len(d), len(nd), done.result())
    try: slow.result(timeout=0.01)
    except TimeoutError: print("timeout")
    gate.set(); print(slow.result())
    f = pool.submit(lambda: {}["k"]); print(repr(f.exception()), f.done(), f.running())
    try: list(pool.map(lambda n: 1 // n, [1, 0]))
    except ZeroDivisionError as e: print(e)
    hold = threading.Event()
    busy = [pool.submit(hold.wait, 60) for _ in range(3)]; waiting = pool.submit(print, "never")
    print(waiting.cancel(), waiting.cancelled()); hold.set()
    called, told = [], threading.Event(); f = pool.submit(lambda: 7); f.add_done_callback(lambda f: (called.append(f.result()), told.set())); told.wait(60); print(called)
p = ThreadPoolExecutor(1); g = threading.Event(); p.submit(g.wait, 60); rest = [p.submit(print, "no") for _ in range(5)]
threading.Thread(target=lambda: ([time.sleep(0.01) for _ in iter(lambda: all(f.cancelled() for f in rest), True)], g.set())).start(); p.shutdown(wait=True, cancel_futures=True); print([f.cancelled() for f in rest])
try: p.submit(int)
except RuntimeError as e: print(e)
