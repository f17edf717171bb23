// TCP, names and addresses: tcp_wrap, cares_wrap, udp_wrap.
'use strict';

const { native, bindings, Stream, Req } = env;
const EAGAIN = -11, EINPROGRESS = -115;

class TCPConnectWrap extends Req {}

env.listen = (handle, backlog) => {
  const result = native.listen(handle.fd, backlog);
  if (result < 0) return result;
  env.watch(handle.fd, 'read', () => {
    for (let i = 0; i < 32 && handle.fd >= 0; i++) {
      const fd = native.accept(handle.fd);
      if (fd === EAGAIN || fd === -4) return;
      if (fd < 0) { env.call(handle, handle.onconnection, fd, undefined); return; }
      const client = new handle.constructor(0);
      client.adopt(fd);
      client.socket = true;
      env.call(handle, handle.onconnection, 0, client);
    }
  });
  env.watchOwner(handle.fd, 'read', handle);
  return 0;
};

function connect(handle, req, result) {
  if (result === 0 || result === EINPROGRESS || result === EAGAIN) {
    if (result === 0) {
      env.complete(() => env.call(req, req.oncomplete, 0, handle, req, true, true));
    } else {
      env.watch(handle.fd, 'write', () => {
        env.watch(handle.fd, 'write', undefined);
        env.call(req, req.oncomplete, native.sockError(handle.fd), handle, req, true, true);
      });
      env.watchOwner(handle.fd, 'write', handle);
    }
  } else {
    env.complete(() => env.call(req, req.oncomplete, result, handle, req, true, true));
  }
  return 0;
}

class TCP extends Stream {
  constructor(type) { super(); this.type = type; this.socket = true; }
  make(family) {
    if (this.fd >= 0) return 0;
    const fd = native.socket(family, 1);
    if (fd < 0) return fd;
    this.adopt(fd);
    return 0;
  }
  open(fd) { this.adopt(fd); return 0; }
  bind(address, port) { return this.make(4) || native.bind(this.fd, address, port, 4); }
  bind6(address, port) { return this.make(6) || native.bind(this.fd, address, port, 6); }
  listen(backlog) { return env.listen(this, backlog); }
  connect(req, address, port) { const e = this.make(4); return e || connect(this, req, native.connect(this.fd, address, port, 4)); }
  connect6(req, address, port) { const e = this.make(6); return e || connect(this, req, native.connect(this.fd, address, port, 6)); }
  name(out, peer) {
    const got = native.sockName(this.fd, peer);
    if (typeof got === 'number') return got;
    out.address = got[0];
    out.port = got[1];
    out.family = got[2] === 6 ? 'IPv6' : 'IPv4';
    return 0;
  }
  getsockname(out) { return this.name(out, false); }
  getpeername(out) { return this.name(out, true); }
  setNoDelay() { return 0; }
  setKeepAlive() { return 0; }
  setSimultaneousAccepts() { return 0; }
  reset(f) { this.close(f); return 0; }
}
bindings.tcp_wrap = () => ({ TCP, TCPConnectWrap, constants: { SOCKET: 0, SERVER: 1, UV_TCP_IPV6ONLY: 1 } });

env.unixBind = (pipe, path) => {
  const fd = native.socket(1, 1);
  if (fd < 0) return fd;
  pipe.adopt(fd);
  pipe.socket = true;
  return native.bind(fd, path, 0, 1);
};
env.unixConnect = (pipe, req, path) => {
  const fd = native.socket(1, 1);
  if (fd < 0) return fd;
  pipe.adopt(fd);
  pipe.socket = true;
  return connect(pipe, req, native.connect(fd, path, 0, 1));
};

// ---- names

class GetAddrInfoReqWrap extends Req {}
class GetNameInfoReqWrap extends Req {}
class QueryReqWrap extends Req {}
class ChannelWrap {
  getServers() { return [['127.0.0.1', 53]]; } setServers() { return 0; } setLocalAddress() {} cancel() {}
}
for (const name of ['Any', 'A', 'Aaaa', 'Caa', 'Cname', 'Mx', 'Ns', 'Txt', 'Srv', 'Ptr', 'Naptr', 'Soa', 'Tlsa']) {
  ChannelWrap.prototype[`query${name}`] = function(req, host) {
    if (name === 'A' || name === 'Aaaa') {
      const list = native.lookup(host, name === 'A' ? 4 : 6);
      env.complete(() => (typeof list === 'number' ? env.call(req, req.oncomplete, 'ENOTFOUND') : env.call(req, req.oncomplete, 0, list, list.map(() => 0))));
    } else {
      env.complete(() => env.call(req, req.oncomplete, 'ECONNREFUSED'));
    }
    return 0;
  };
}
ChannelWrap.prototype.getHostByAddr = function(req) { env.complete(() => env.call(req, req.oncomplete, 'ENOTFOUND')); return 0; };

bindings.cares_wrap = () => ({
  GetAddrInfoReqWrap, GetNameInfoReqWrap, QueryReqWrap, ChannelWrap, AI_ADDRCONFIG: 32, AI_ALL: 16, AI_V4MAPPED: 8,
  DNS_ORDER_VERBATIM: 0, DNS_ORDER_IPV4_FIRST: 1, DNS_ORDER_IPV6_FIRST: 2,
  getaddrinfo(req, host, family, hints, order) {
    let list = host === 'localhost' ? (family === 6 ? ['::1'] : ['127.0.0.1']) : native.lookup(host, family);
    if (typeof list !== 'number') list = [...new Set(list)];
    env.complete(() => {
      if (typeof list === 'number') env.call(req, req.oncomplete, list, undefined);
      else env.call(req, req.oncomplete, list.length ? null : -3008, list);
    });
    return 0;
  },
  getnameinfo(req, address, port) { env.complete(() => env.call(req, req.oncomplete, null, address === '127.0.0.1' ? 'localhost' : address, String(port))); return 0; },
  canonicalizeIP(ip) { return canonical(ip); },
  strerror: (code) => code,
});
function canonical(ip) {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(ip)) return ip;
  const href = native.urlParse(`http://[${ip}]/`, undefined, new Uint32Array(9));
  return href === undefined ? undefined : href.slice(8, -2);
}

class UDP {
  getAsyncId() { return 0; } bind() { return -95; } bind6() { return -95; } close(f) { env.closeLater(() => env.call(this, f)); }
  ref() {} unref() {} hasRef() { return true; } recvStart() { return -95; } recvStop() { return 0; } send() { return -95; }
}
bindings.udp_wrap = () => ({ UDP, SendWrap: class SendWrap extends Req {}, constants: { UV_UDP_IPV6ONLY: 1, UV_UDP_REUSEADDR: 4 } });
