import os, pathlib, re, signal, subprocess, sys, threading, urllib.request, urllib.error, http.client, http.cookiejar, json
pathlib.Path("site/sub").mkdir(parents=True); pathlib.Path("site/a b.txt").write_text("hello"); pathlib.Path("site/sub/index.html").write_text("<h1>index</h1>"); pathlib.Path("site/big.bin").write_bytes(bytes(range(256)) * 4000)
p = subprocess.Popen([sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "-d", "site"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
port = int(re.search(r"port (\d+)", p.stdout.readline())[1]); base = f"http://127.0.0.1:{port}"
print(urllib.request.urlopen(base + "/a%20b.txt").read(), urllib.request.urlopen(base + "/sub/").read())
listing = urllib.request.urlopen(base + "/").read().decode(); print(re.findall(r'href="([^"]+)"', listing))
r = urllib.request.urlopen(base + "/big.bin"); print(r.headers["Content-Type"], r.headers["Content-Length"], len(r.read()))
for path in "/none", "/sub", "/../../etc/passwd":
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60); c.request("GET", path); r = c.getresponse(); print(path, r.status, r.reason, r.getheader("Location")); c.close()
try: urllib.request.urlopen(urllib.request.Request(base + "/x", method="POST", data=b"x"))
except urllib.error.HTTPError as e: print(e.code, e.headers["Content-Type"], len(e.read()) > 0)
out = subprocess.run(["sh", "-c", f"cd site && ls | sort | head -2; {sys.executable} -c 'import urllib.request; print(urllib.request.urlopen(\"{base}/a%20b.txt\").status)'"], capture_output=True, text=True); print(out.stdout, out.returncode)
p.send_signal(signal.SIGINT); out, err = p.communicate(timeout=100); print(p.returncode, [re.sub(r"\[.*?\]", "[T]", l) for l in err.splitlines()][:3], out.strip().splitlines()[-1:])
