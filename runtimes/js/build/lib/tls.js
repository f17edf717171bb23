// TLS: tls_wrap, and the contexts of crypto. src/tls.c has OpenSSL's half, which sees only memory; here is what brings it
// what has come and sends what it gives.
'use strict';

const { native, bindings, Stream, streamBaseState } = env;
const kReadBytesOrError = 0, kArrayBufferOffset = 1, kBytesWritten = 2, kLastWriteWasAsync = 3;
const EOF = -4095, ECANCELED = -125, EBADF = -9;
const CHUNK = 16384;

const failure = env.keys.opensslError;

function check(result) {
  if (result !== undefined) throw failure(result);
}

// ---- contexts

const VERSIONS = { '__proto__': null, 'TLSv1_method': 0x301, 'TLSv1_1_method': 0x302, 'TLSv1_2_method': 0x303 };

class SecureContext {
  constructor() { this.native = native.tlsContext(); }
  init(method, min, max) {
    if (method === undefined || method === null) {
      this.setMinProto(min);
      this.setMaxProto(max);
      return;
    }
    const version = VERSIONS[`${method}`.replace(/_(?:client|server)_method$/, '_method')];
    if (version !== undefined) {
      this.setMinProto(version);
      this.setMaxProto(version);
    } else if (!/^(?:TLS|SSLv23)_(?:(?:client|server)_)?method$/.test(method)) {
      const { codes: { ERR_TLS_INVALID_PROTOCOL_METHOD } } = env.require('internal/errors');
      throw new ERR_TLS_INVALID_PROTOCOL_METHOD(`Unknown method: ${method}`);
    }
  }
  set(what, value) { check(native.tlsSet(this.native, what, value)); }
  add(what, value, more) {
    check(native.tlsAdd(this.native, what, typeof value === 'string' ? native.bytesOf(value, 1) : value, more));
  }
  setMinProto(version) { this.min = version; this.set('min', version ?? 0); }
  setMaxProto(version) { this.max = version; this.set('max', version ?? 0); }
  getMinProto() { return this.min ?? 0; }
  getMaxProto() { return this.max ?? 0; }
  setCiphers(list) { this.set('ciphers', list); }
  setCipherSuites(list) { this.set('suites', list); }
  setSigalgs(list) { this.set('sigalgs', list); }
  setECDHCurve(list) { if (list !== 'auto') this.set('curves', list); }
  setOptions(options) { this.set('options', options); }
  addRootCerts() { this.add('roots'); }
  addCACert(pem) { this.add('ca', pem); }
  addCRL(pem) { this.add('crl', pem); }
  setCert(pem) { this.add('cert', pem); }
  setKey(pem, passphrase) { this.add('key', pem, passphrase ?? undefined); }
  getTicketKeys() { return env.bufferOf(new Uint8Array(48)); }
  close() {}
  loadPKCS12() {
    const { codes: { ERR_FEATURE_UNAVAILABLE_ON_PLATFORM } } = env.require('internal/errors');
    throw new ERR_FEATURE_UNAVAILABLE_ON_PLATFORM('PKCS #12');
  }
}
// There are no sessions to be taken up again.
for (const name of ['setDHParam', 'setSessionIdContext', 'setSessionTimeout', 'setTicketKeys', 'enableTicketKeyCallback',
  'setFreeListLength', 'setAllowPartialTrustChain', 'setClientCertEngine', 'setEngineKey']) {
  SecureContext.prototype[name] = function() {};
}
env.SecureContext = SecureContext;

// Numbers of X509_V_ERR_…, see openssl/x509_vfy.h.
const verifyCodes = { '__proto__': null, '2': 'UNABLE_TO_GET_ISSUER_CERT', '3': 'UNABLE_TO_GET_CRL', '7': 'CERT_SIGNATURE_FAILURE', '9': 'CERT_NOT_YET_VALID',
  '10': 'CERT_HAS_EXPIRED', '18': 'DEPTH_ZERO_SELF_SIGNED_CERT', '19': 'SELF_SIGNED_CERT_IN_CHAIN', '20': 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  '21': 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', '22': 'CERT_CHAIN_TOO_LONG', '23': 'CERT_REVOKED', '24': 'INVALID_CA', '25': 'PATH_LENGTH_EXCEEDED',
  '26': 'INVALID_PURPOSE', '27': 'CERT_UNTRUSTED', '28': 'CERT_REJECTED', '62': 'HOSTNAME_MISMATCH' };

// ---- connections

class TLSWrap {
  constructor(inner, context, isServer) {
    this.inner = inner;
    this.ssl = native.tlsNew(context.native, isServer);
    this.isServer = isServer;
    this.isStreamBase = true;
    this.shaken = this.ended = this.asked = false;
    this.waiting = []; // writes from before the handshake's end
    this.bytesRead = this.bytesWritten = 0;
    inner.onread = (data) => this.came(data);
  }
  tell(what, value) { if (this.ssl) native.tlsTell(this.ssl, what, value); }
  ask(what) { return this.ssl ? native.tlsAsk(this.ssl, what) : undefined; }

  // came is what the inner stream tells of: its bytes, its end or an error.
  came(data) {
    const count = streamBaseState[kReadBytesOrError];
    if (this.ssl === undefined) return;
    if (count > 0) {
      this.bytesRead += count;
      native.tlsFeed(this.ssl, new Uint8Array(data, streamBaseState[kArrayBufferOffset], count));
      this.cycle();
      return;
    }
    if (count === EOF) this.cycle();
    this.end(count);
  }
  receive(bytes) { if (this.ssl) { native.tlsFeed(this.ssl, bytes); this.cycle(); } }
  end(status) {
    if (this.ended || this.ssl === undefined) return;
    this.ended = true;
    streamBaseState[kReadBytesOrError] = status;
    streamBaseState[kArrayBufferOffset] = 0;
    env.call(this, this.onread, undefined);
  }

  // cycle goes on as far as what has come allows.
  cycle() {
    if (this.ssl === undefined || this.failed || !this.shake()) return;
    for (const w of this.waiting.splice(0)) this.encrypt(w.req, w.bytes);
    for (;;) {
      if (this.ssl === undefined || this.ended) return;
      const bytes = this.userBuffer ?? new Uint8Array(CHUNK), n = native.tlsRead(this.ssl, bytes);
      if (typeof n === 'string') { this.flush(); this.fail(n); return; }
      if (n < 0) { this.flush(); this.end(EOF); return; }
      if (n === 0) break;
      streamBaseState[kReadBytesOrError] = n;
      streamBaseState[kArrayBufferOffset] = 0;
      env.call(this, this.onread, this.userBuffer ? undefined : bytes.buffer.slice(0, n));
    }
    this.flush();
  }
  shake() {
    if (this.shaken) return true;
    if (!this.begun) {
      this.begun = true;
      if (this.onhandshakestart) env.call(this, this.onhandshakestart, native.hrtime() / 1e6);
    }
    const done = native.tlsShake(this.ssl);
    this.flush();
    if (typeof done === 'string') { this.fail(done); return false; }
    if (done === 1 && !this.asked) {
      this.asked = true;
      env.call(this, this.oncertcb, { servername: this.ask('servername') ?? '', OCSPRequest: false, tlsTicket: false });
      return false;
    }
    if (done === -1) this.end(EOF);
    if (done !== true) return false;
    this.shaken = true;
    env.call(this, this.onhandshakedone);
    return this.ssl !== undefined;
  }
  certCbDone() {
    const { sni_context: context } = this;
    if (context !== undefined && context !== null) {
      if (!(context instanceof SecureContext)) {
        const error = new TypeError('Invalid SNI context');
        error.code = 'ERR_TLS_INVALID_CONTEXT';
        env.call(this, this.onerror, error);
        return;
      }
      this.tell('context', context.native);
    }
    this.tell('answered');
    env.complete(() => this.cycle());
  }
  fail(text) {
    this.failed = true;
    env.call(this, this.onerror, failure(text));
  }

  // flush sends what OpenSSL wants sent. It answers an error's number, or whether that goes on.
  flush(done) {
    const bytes = this.ssl === undefined ? undefined : native.tlsTake(this.ssl);
    if (bytes === undefined) return 0;
    const error = this.inner.writeBuffer({ oncomplete: (status) => done?.(status) }, env.bufferOf(bytes));
    return error || (streamBaseState[kLastWriteWasAsync] ? 1 : 0);
  }
  encrypt(req, bytes) {
    let at = 0, failed;
    while (at < bytes.length) {
      const n = native.tlsWrite(this.ssl, bytes, at);
      if (typeof n === 'string') { failed = n; break; }
      if (n <= 0) break;
      at += n;
    }
    const complete = (status) => env.call(req, req.oncomplete, status, this, undefined);
    const state = this.flush(complete);
    if (failed !== undefined) env.complete(() => this.fail(failed));
    if (state !== 1) env.complete(() => complete(state));
  }
  write_(req, bytes) {
    if (this.ssl === undefined) return EBADF;
    this.bytesWritten += bytes.length;
    const copy = new Uint8Array(bytes); // whose owner may change it as soon as it is told that it is written
    if (this.shaken) this.encrypt(req, copy);
    else this.waiting.push({ req, bytes: copy });
    streamBaseState[kBytesWritten] = bytes.length;
    streamBaseState[kLastWriteWasAsync] = 1;
    return 0;
  }
  shutdown(req) {
    if (this.ssl !== undefined && this.shaken) {
      native.tlsShutdown(this.ssl);
      this.flush();
    }
    return this.inner.shutdown({ oncomplete: (status) => env.call(req, req.oncomplete, status, this, undefined) });
  }
  destroySSL() {
    this.ssl = undefined;
    for (const { req } of this.waiting.splice(0)) env.complete(() => env.call(req, req.oncomplete, ECANCELED, this, undefined));
  }

  // The program is in the middle of something: what cycle calls would run its ticks there.
  start() { env.complete(() => this.cycle()); return 0; }
  readStart() { return this.inner.readStart(); }
  readStop() { return this.inner.readStop(); }
  useUserBuffer(buffer) { this.userBuffer = buffer; }
  setVerifyMode(request, reject) { this.tell('verify', request ? (this.isServer && reject ? 3 : 1) : 0); }
  setServername(name) { this.tell('servername', name); }
  setALPNProtocols(protocols) { this.tell('protocols', protocols); }
  setKeyCert(context) { this.tell('context', context.native); }
  enableCertCb() { this.tell('asks'); }
  getServername() { return this.ask('servername') ?? false; }
  getALPNNegotiatedProtocol() { return this.ask('protocol') ?? false; }
  getProtocol() { return this.ask('version') ?? null; }
  getCipher() {
    const name = this.ask('cipher');
    return name === undefined ? undefined : { name, standardName: this.ask('standardCipher'), version: this.ask('cipherVersion') };
  }
  getEphemeralKeyInfo() { return this.isServer ? null : {}; }
  getSharedSigalgs() { return []; }
  getPeerCertificate(detailed) { return this.ssl ? env.certificateChain(native.tlsCertificates(this.ssl, false), detailed) : undefined; }
  getCertificate() { return this.ssl ? env.certificateChain(native.tlsCertificates(this.ssl, true), false) : undefined; }
  certificate(own) {
    const [der] = this.ssl ? native.tlsCertificates(this.ssl, own) : [];
    return der === undefined ? undefined : env.keys.bindings.parseX509(der);
  }
  getPeerX509Certificate() { return this.certificate(false); }
  getX509Certificate() { return this.certificate(true); }
  verifyError() {
    const number = this.ask('verified');
    if (number === undefined || number === 0) return undefined;
    const error = new Error(number === 2 ? 'unable to get issuer certificate' : this.ask('verifiedText'));
    error.code = verifyCodes[number] ?? 'UNSPECIFIED';
    return error;
  }
  isSessionReused() { return false; }
  renegotiate() { throw failure('error:0A000153:SSL routines::no renegotiation'); }
  getAsyncId() { return this.asyncIdValue ??= env.newAsyncId(); }
  getProviderType() { return 0; }
  hasRef() { return this.inner.hasRef?.() ?? true; }
  get writeQueueSize() { return this.inner.writeQueueSize ?? 0; }
  get fd() { return this.inner.fd ?? -1; }
}
for (const name of ['writeBuffer', 'writeUtf8String', 'writeAsciiString', 'writeLatin1String', 'writeUcs2String', 'writev']) {
  TLSWrap.prototype[name] = Stream.prototype[name];
}
for (const name of ['enableKeylogCallback', 'setSession', 'setOCSPResponse', 'enableTrace', 'enableSessionCallbacks', 'enablePskCallback',
  'setPskIdentityHint', 'requestOCSP', 'endParser', 'newSessionDone', 'loadSession', 'enableALPNCb', 'writesIssuedByPrevListenerDone', 'getSession',
  'getTLSTicket', 'getFinished', 'getPeerFinished', 'exportKeyingMaterial', 'setMaxSendFragment']) {
  TLSWrap.prototype[name] = function() {};
}
bindings.tls_wrap = () => ({ TLSWrap, wrap: (handle, context, isServer) => new TLSWrap(handle, context, isServer), HAVE_SSL_TRACE: false });
