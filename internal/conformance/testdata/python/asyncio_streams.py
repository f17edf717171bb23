import asyncio, os

async def handle(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper()); await writer.drain()
    writer.close()

async def client(addr, n):
    r, w = await asyncio.open_connection(*addr)
    for i in range(5):
        w.write(f"client {n} line {i}\n".encode()); await w.drain()
        assert await r.readline() == f"CLIENT {n} LINE {i}\n".encode()
    w.write_eof(); rest = await r.read(); w.close(); await w.wait_closed()
    return n, rest

class Echo(asyncio.DatagramProtocol):
    def connection_made(self, t): self.t = t
    def datagram_received(self, data, addr): self.t.sendto(data[::-1], addr)

class Ask(asyncio.DatagramProtocol):
    def __init__(self): self.answer = asyncio.get_running_loop().create_future()
    def connection_made(self, t): t.sendto(b"datagram")
    def datagram_received(self, data, addr): self.answer.set_result(data)

async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    addr = server.sockets[0].getsockname()
    async with server:
        print(await asyncio.gather(*(client(addr, n) for n in range(30))))
    loop = asyncio.get_running_loop()
    t, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    u, p = await loop.create_datagram_endpoint(Ask, remote_addr=t.get_extra_info("sockname"))
    print(await asyncio.wait_for(p.answer, 30)); t.close(); u.close()
    s = await asyncio.start_unix_server(handle, "sock")
    r, w = await asyncio.open_unix_connection("sock"); w.write(b"unix\n"); print(await r.readline()); w.close(); s.close()
    try: await asyncio.open_connection("127.0.0.1", 1)
    except ConnectionRefusedError: print("refused")
    r, w = os.pipe()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(r, "rb"))
    os.write(w, b"by pipe\n"); os.close(w); print(await reader.read())

asyncio.run(main())
