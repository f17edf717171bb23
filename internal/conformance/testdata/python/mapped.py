import mmap, os, re
with open("data", "wb") as f: f.write(b"".join(b"line %d\n" % n for n in range(1000)))
with open("data", "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as m:
    print(len(m), m[:7], m.find(b"line 500"), m.rfind(b"line"), m.readline(), m.tell(), re.findall(rb"line 99\d", m)[-1], m.size(), m.closed, [bytes(m)[i] for i in (0, -1)])
    m.seek(-9, os.SEEK_END); print(m.read())
    try: m[0] = 1
    except TypeError as e: print(e)
with open("data", "r+b") as f:
    m = mmap.mmap(f.fileno(), 0); m[0:4] = b"LINE"; m.flush(); print(open("data").readline()); m[5:6] = b"7"; m.close(); print(open("data").readline())
    m = mmap.mmap(f.fileno(), 16, access=mmap.ACCESS_COPY, offset=0); m[:4] = b"copy"; m.close(); print(open("data").readline())
    with mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ, offset=4096) as m: print(m[:4], len(m))
m = mmap.mmap(-1, 64); m.write(b"anonymous"); m.seek(0); print(m.read(9), m.read_byte()); m.move(10, 0, 9); print(m[10:19]); v = memoryview(m)[:4]; print(bytes(v)); v.release(); m.close()
try: m.read()
except ValueError as e: print(e)
open("empty", "w").close()
try: mmap.mmap(os.open("empty", os.O_RDONLY), 0)
except ValueError as e: print(e)
try: mmap.mmap(999, 10)
except OSError as e: print(e)
print(mmap.PAGESIZE > 0)
