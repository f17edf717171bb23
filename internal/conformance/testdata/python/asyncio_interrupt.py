import asyncio, os, signal, threading
async def main():
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    try: await asyncio.sleep(100)
    except asyncio.CancelledError: print("cancelled"); raise
    finally: print("finally")
try: asyncio.run(main())
except KeyboardInterrupt: print("interrupted")
