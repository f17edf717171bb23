import http.server, json, socketserver, threading, urllib.request, urllib.error, http.client, xmlrpc.server, xmlrpc.client
from concurrent.futures import ThreadPoolExecutor
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a): pass
    def reply(self, code, body):
        self.send_response(code); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def do_GET(self):
        if self.path == "/missing": self.send_error(404)
        else: self.reply(200, self.path.encode())
    def do_POST(self):
        d = json.loads(self.rfile.read(int(self.headers["Content-Length"]))); self.reply(200, json.dumps({"sum": sum(d)}).encode())
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
t = threading.Thread(target=s.serve_forever); t.start()
base = f"http://127.0.0.1:{s.server_port}"
print(urllib.request.urlopen(base + "/a?b=c").read())
print(json.load(urllib.request.urlopen(urllib.request.Request(base, json.dumps([1, 2, 3]).encode()))))
try: urllib.request.urlopen(base + "/missing")
except urllib.error.HTTPError as e: print(e.code, e.reason)
with ThreadPoolExecutor(8) as p: print(sorted(p.map(lambda n: urllib.request.urlopen(f"{base}/{n}").read(), range(24)))[:3])
c = http.client.HTTPConnection("127.0.0.1", s.server_port)
for p in "/1", "/2": c.request("GET", p); print(c.getresponse().read())
c.close(); s.shutdown(); t.join(); s.server_close()
try: urllib.request.urlopen(base, timeout=5)
except urllib.error.URLError as e: print(type(e.reason).__name__)

class Tcp(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile: self.wfile.write(line[::-1].strip() + b"\n")
import socket
with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tcp) as srv:
    threading.Thread(target=srv.serve_forever, daemon=True).start()
    def talk(n):
        with socket.create_connection(srv.server_address) as k:
            k.sendall(f"hello {n}\n".encode()); return k.makefile().readline().strip()
    with ThreadPoolExecutor(5) as p: print(list(p.map(talk, range(10))))
    srv.shutdown()
class Udp(socketserver.BaseRequestHandler):
    def handle(self): self.request[1].sendto(self.request[0].upper(), self.client_address)
with socketserver.UDPServer(("127.0.0.1", 0), Udp) as srv:
    threading.Thread(target=srv.serve_forever, daemon=True).start()
    k = socket.socket(type=socket.SOCK_DGRAM); k.settimeout(60); k.sendto(b"udp", srv.server_address); print(k.recv(9)); k.close(); srv.shutdown()
with xmlrpc.server.SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False) as srv:
    srv.register_function(pow); threading.Thread(target=srv.serve_forever, daemon=True).start()
    with xmlrpc.client.ServerProxy("http://127.0.0.1:%d" % srv.server_address[1]) as k: print(k.pow(2, 10))
    srv.shutdown()
