import asyncio, contextvars, threading, time
from concurrent.futures import ThreadPoolExecutor

var = contextvars.ContextVar("var", default="unset")

async def worker(q, out):
    while True:
        n = await q.get()
        await asyncio.sleep(0); out.append(n * n); q.task_done()

async def main():
    q, out = asyncio.Queue(3), []
    ws = [asyncio.create_task(worker(q, out)) for _ in range(3)]
    for n in range(20): await q.put(n)
    await q.join(); [w.cancel() for w in ws]
    print(sorted(out), [type(r).__name__ for r in await asyncio.gather(*ws, return_exceptions=True)])
    var.set("set"); print(await asyncio.to_thread(var.get), await asyncio.to_thread(lambda: threading.current_thread() is threading.main_thread()))
    loop = asyncio.get_running_loop()
    start = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        await asyncio.gather(*(loop.run_in_executor(pool, time.sleep, 0.05) for _ in range(8)), asyncio.sleep(0.05))
    print(time.monotonic() - start < 20)
    def outside():
        f = asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01, "from a thread"), loop)
        return f.result(30)
    print(await loop.run_in_executor(None, outside))
    e = asyncio.Event(); threading.Timer(0.01, loop.call_soon_threadsafe, (e.set,)).start(); await e.wait(); print("woken")
    try:
        async with asyncio.timeout(0.01): await asyncio.sleep(60)
    except TimeoutError: print("timeout")
    async def bad(x): await asyncio.sleep(0); raise ValueError(x)
    try:
        async with asyncio.TaskGroup() as g: g.create_task(bad(1)); g.create_task(asyncio.sleep(60))
    except* ValueError as eg: print(eg.exceptions)
    done, pending = await asyncio.wait([asyncio.create_task(asyncio.sleep(t)) for t in (0.01, 60)], return_when=asyncio.FIRST_COMPLETED)
    print(len(done), len(pending)); [p.cancel() for p in pending]
    sem, most, now = asyncio.Semaphore(2), 0, 0
    async def limited():
        nonlocal most, now
        async with sem:
            now += 1; most = max(most, now); await asyncio.sleep(0.001); now -= 1
    await asyncio.gather(*(limited() for _ in range(10))); print(most)
    c = asyncio.Condition()
    async def waiter():
        async with c: await c.wait(); return "notified"
    t = asyncio.create_task(waiter()); await asyncio.sleep(0)
    async with c: c.notify_all()
    print(await t)
    async def gen():
        for i in range(3): yield i; await asyncio.sleep(0)
    print([i async for i in gen()], await asyncio.shield(asyncio.sleep(0, "shielded")))
    t = asyncio.create_task(asyncio.sleep(60)); loop.call_later(0.01, t.cancel)
    try: await t
    except asyncio.CancelledError: print("cancelled")
    print(len(asyncio.all_tasks()))

asyncio.run(main())
with asyncio.Runner() as r: print(r.run(asyncio.sleep(0, 1)), r.run(asyncio.sleep(0, 2)))
