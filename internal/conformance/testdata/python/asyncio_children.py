import asyncio, os, signal, sys

async def one(n):
    p = await asyncio.create_subprocess_exec("sh", "-c", f"read x; echo got $x; exit {n}", stdin=-1, stdout=-1)
    out, _ = await p.communicate(b"line %d\n" % n)
    return n, p.returncode, out

async def stream():
    p = await asyncio.create_subprocess_shell("for i in 1 2 3; do echo out $i; echo err $i >&2; done", stdout=-1, stderr=-1)
    async def lines(s): return [line.decode().strip() async for line in s]
    print(await asyncio.gather(lines(p.stdout), lines(p.stderr)), await p.wait())

async def main():
    print(await asyncio.gather(*(one(n) for n in range(6))))
    await stream()
    p = await asyncio.create_subprocess_exec("sleep", "100")
    try: await asyncio.wait_for(p.wait(), 0.05)
    except asyncio.TimeoutError: p.kill(); print("killed", await p.wait())
    p = await asyncio.create_subprocess_exec("sleep", "100")
    p.terminate(); print(await p.wait())
    p = await asyncio.create_subprocess_exec(sys.executable, "-c", "import sys; sys.stdout.write(sys.stdin.read()[::-1])", stdin=-1, stdout=-1)
    big = b"".join(b"%07d\n" % i for i in range(40000))
    out, _ = await p.communicate(big); print(len(out), out == big[::-1])
    try: await asyncio.create_subprocess_exec("no-such-program")
    except FileNotFoundError as e: print(type(e).__name__)
    p = await asyncio.create_subprocess_shell("cat", stdin=-1, stdout=-1)
    for w in b"a", b"b":
        p.stdin.write(w + b"\n"); await p.stdin.drain(); print(await p.stdout.readline())
    p.stdin.close(); print(await p.wait())
    p = await asyncio.create_subprocess_shell("kill -USR1 $PPID; sleep 0.01")
    await p.wait()

async def signals():
    loop, seen = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, seen.set)
    await main()
    await asyncio.wait_for(seen.wait(), 30); print("signal")
    print(loop.remove_signal_handler(signal.SIGUSR1))

asyncio.run(signals())
