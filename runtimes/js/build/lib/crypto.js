// The crypto binding: hashes, HMAC, derived keys and ciphers; keys.js, signatures.js and certificates.js have the rest.
'use strict';

const { native, bindings } = env;
const { job, buffer, bytes } = env.keys;
const handleSymbol = native.privateSymbol('belljar:handle');

const input = (data, encoding) => (typeof data === 'string' ? env.bytesOf(data, encoding === 'buffer' ? 'utf8' : encoding) : bytes(data));
const output = (out, encoding) => (encoding === undefined || encoding === 'buffer' ? env.bufferOf(out) : env.textOf(out, encoding));
const unsupported = (message = 'error:0308010C:digital envelope routines::unsupported') =>
  Object.assign(new Error(message), { code: 'ERR_OSSL_EVP_UNSUPPORTED' });

class Hash {
  constructor(algorithm, length) {
    this.length = length;
    this.state = algorithm instanceof Hash ? native.hashCopy(algorithm.state) : native.newHash(String(algorithm));
    if (this.state === undefined) {
      throw new Error('Digest method not supported');
    }
    if (length !== undefined && !(algorithm instanceof Hash) && length !== native.hashSize(`${algorithm}`) && !/^shake/i.test(algorithm)) {
      throw env.keys.opensslError('error:030000B2:digital envelope routines::not XOF or invalid length');
    }
  }
  update(data, encoding) { return native.hashUpdate(this.state, input(data, encoding)); }
  digest(encoding) {
    this.value ??= native.hashFinal(this.state, this.length);
    if (this.value === undefined) throw Object.assign(new Error('Unsupported state or unable to set XOF length'), { code: 'ERR_OSSL_EVP_NOT_XOF_OR_INVALID_LENGTH' });
    return output(this.value.slice(), encoding);
  }
}

class Hmac {
  init(algorithm, key) {
    const size = native.hashBlock(algorithm);
    if (size === undefined) throw env.keys.invalidDigest(algorithm);
    let k = bytes(key);
    this.algorithm = algorithm;
    if (k.length > size) k = digest(algorithm, k);
    this.inner = native.newHash(algorithm);
    const pad = new Uint8Array(size).fill(0x36);
    this.outerPad = new Uint8Array(size).fill(0x5c);
    for (let i = 0; i < k.length; i++) { pad[i] ^= k[i]; this.outerPad[i] ^= k[i]; }
    native.hashUpdate(this.inner, pad);
  }
  update(data, encoding) { return native.hashUpdate(this.inner, input(data, encoding)); }
  finish() {
    const outer = native.newHash(this.algorithm);
    native.hashUpdate(outer, this.outerPad);
    native.hashUpdate(outer, native.hashFinal(this.inner));
    return native.hashFinal(outer);
  }
  digest(encoding) { return output(this.finish(), encoding); }
}
function digest(algorithm, data) {
  const h = native.newHash(algorithm);
  native.hashUpdate(h, data);
  return native.hashFinal(h);
}
function hmac(algorithm, key, ...parts) {
  const h = new Hmac();
  h.init(algorithm, key);
  for (const p of parts) h.update(p);
  return h.finish();
}

// What GCM's tags may be long.
const isTagLength = (n) => n === 4 || n === 8 || (n >= 12 && n <= 16);
const badTagLength = (n) => Object.assign(new TypeError(`Invalid authentication tag length: ${n}`), { code: 'ERR_CRYPTO_INVALID_AUTH_TAG' });

class CipherBase {
  constructor(encrypt) { this.encrypt = encrypt; }
  init(name, password) {
    const info = this.info(name), key = evpBytesToKey(bytes(password), info[2], info[3]);
    this.open(name, key.key, key.iv);
  }
  initiv(name, key, iv, tagLength) {
    const info = this.info(name), k = bytes(key);
    if (k.length !== info[2]) throw Object.assign(new RangeError('Invalid key length'), { code: 'ERR_CRYPTO_INVALID_KEYLEN' });
    const v = iv === null || iv === undefined ? null : bytes(iv);
    const gcm = info[5] === 6;
    if ((v === null && info[3] > 0) || (v !== null && !gcm && v.length !== info[3])) {
      throw Object.assign(new TypeError('Invalid initialization vector'), { code: 'ERR_CRYPTO_INVALID_IV' });
    }
    const given = tagLength >= 0 && tagLength < 0xffffffff;
    if (gcm && given && !isTagLength(tagLength)) throw badTagLength(tagLength);
    this.tagLength = given && tagLength > 0 ? tagLength : 16;
    this.exactTag = given;
    this.open(name, k, v);
  }
  info(name) {
    const info = native.cipherInfo(name);
    if (info === undefined) throw Object.assign(new Error('Unknown cipher'), { code: 'ERR_CRYPTO_UNKNOWN_CIPHER' });
    this.mode = info[5];
    return info;
  }
  open(name, key, iv) {
    this.state = native.newCipher(name, this.encrypt, key, iv);
    if (this.state === undefined) throw unsupported();
  }
  update(data, encoding) {
    const out = this.done ? undefined : native.cipherUpdate(this.state, input(data, encoding), false);
    if (out === undefined) throw new Error('Trying to add data in unsupported state');
    return env.bufferOf(out);
  }
  final() {
    if (this.done) throw Object.assign(new Error('Invalid state'), { code: 'ERR_CRYPTO_INVALID_STATE' });
    const out = native.cipherFinal(this.state);
    this.done = true;
    if (out === undefined) {
      throw env.keys.failure(this.mode === 6 ? 'Unsupported state or unable to authenticate data' : 'Unsupported state');
    }
    if (this.encrypt && this.mode === 6) this.tag = native.cipherTag(this.state, this.tagLength);
    return env.bufferOf(out);
  }
  setAutoPadding(on) { return !this.done && native.cipherPadding(this.state, on); }
  getAuthTag() { return this.tag === undefined ? undefined : env.bufferOf(this.tag); }
  setAuthTag(tag) {
    const given = bytes(tag);
    if (this.done || this.encrypt || this.tagged || (this.mode !== 6 && this.mode !== 7 && this.mode !== 0)) return false;
    if (this.mode === 6 ? !isTagLength(given.length) || (this.exactTag && given.length !== this.tagLength) : given.length > 16) throw badTagLength(given.length);
    this.tagged = true;
    return native.cipherTag(this.state, given);
  }
  setAAD(data) { return !this.done && native.cipherUpdate(this.state, bytes(data), true) !== undefined; }
}
function evpBytesToKey(password, keyLength, ivLength) {
  let all = new Uint8Array(0), last = new Uint8Array(0);
  while (all.length < keyLength + ivLength) {
    last = digest('md5', Uint8Array.of(...last, ...password));
    all = Uint8Array.of(...all, ...last);
  }
  return { key: all.slice(0, keyLength), iv: all.slice(keyLength, keyLength + ivLength) };
}

const HASHES = ['RSA-MD5', 'RSA-RIPEMD160', 'RSA-SHA1', 'RSA-SHA1-2', 'RSA-SHA224', 'RSA-SHA256', 'RSA-SHA3-224', 'RSA-SHA3-256', 'RSA-SHA3-384',
  'RSA-SHA3-512', 'RSA-SHA384', 'RSA-SHA512', 'RSA-SHA512/224', 'RSA-SHA512/256', 'RSA-SM3', 'blake2b512', 'blake2s256', 'id-rsassa-pkcs1-v1_5-with-sha3-224',
  'md5', 'md5-sha1', 'ripemd', 'ripemd160', 'rmd160', 'sha1', 'sha224', 'sha256', 'sha3-224', 'sha3-256', 'sha3-384', 'sha3-512', 'sha384', 'sha512',
  'sha512-224', 'sha512-256', 'shake128', 'shake256', 'ssl3-md5', 'ssl3-sha1'];
const CIPHERS = ['aes-128-cbc', 'aes-128-ccm', 'aes-128-cfb', 'aes-128-ctr', 'aes-128-ecb', 'aes-128-gcm', 'aes-128-ofb', 'aes-192-cbc', 'aes-192-ctr',
  'aes-192-ecb', 'aes-192-gcm', 'aes-256-cbc', 'aes-256-ccm', 'aes-256-cfb', 'aes-256-ctr', 'aes-256-ecb', 'aes-256-gcm', 'aes-256-ofb', 'chacha20',
  'aes128-wrap', 'aes192-wrap', 'aes256-wrap', 'chacha20-poly1305', 'des-ede3-cbc', 'id-aes128-wrap', 'id-aes192-wrap', 'id-aes256-wrap'];
const MODES = { 0: 'stream', 1: 'ecb', 2: 'cbc', 3: 'cfb', 4: 'ofb', 5: 'ctr', 6: 'gcm', 7: 'ccm', 0x10001: 'xts', 0x10002: 'wrap' };

// A copy of a key shares what the key is.
env.isKey = (object) => object[handleSymbol] !== undefined;
env.copyKey = (object) => {
  const keys = env.require('internal/crypto/keys'), handle = object[handleSymbol];
  return new { secret: keys.SecretKeyObject, public: keys.PublicKeyObject, private: keys.PrivateKeyObject }[object.type](handle);
};

const webHash = (name) => String(name).replace(/^sha-?/i, 'sha');

// counted does what AES-CTR is for the web, where only so many bits of the counter count and begin anew.
function counted(mode, key, data, variant, counter, length) {
  const mask = (1n << BigInt(length)) - 1n, begin = BigInt(`0x${native.textOf(counter, 6)}`);
  const blocks = BigInt(Math.ceil(data.length / 16)), left = mask + 1n - (begin & mask);
  if (blocks > mask + 1n) throw new Error('The operation failed for an operation-specific reason');
  if (blocks <= left) return new Uint8Array(aes(mode, key, data, variant, counter));
  const at = Number(left) * 16, again = native.bytesOf((begin & ~mask).toString(16).padStart(32, '0'), 6), out = new Uint8Array(data.length);
  out.set(new Uint8Array(aes(mode, key, data.subarray(0, at), variant, counter)));
  out.set(new Uint8Array(aes(mode, key, data.subarray(at), variant, again)), at);
  return out;
}

function aes(mode, key, data, variant, iv, tag, aad) {
  const k = bytes(key), [name, bits] = variant.split(' ');
  const state = native.newCipher(name === 'kw' ? `id-aes${bits}-wrap` : `aes-${bits}-${name}`, mode === 0, k, iv === undefined ? undefined : bytes(iv));
  if (state === undefined) throw unsupported();
  let text = bytes(data), size = 16;
  if (name === 'gcm') {
    if (mode === 0) size = tag;
    else native.cipherTag(state, bytes(tag));
    if (aad?.byteLength > 0) native.cipherUpdate(state, bytes(aad), true);
  }
  const a = native.cipherUpdate(state, text, false), b = native.cipherFinal(state);
  if (a === undefined || b === undefined) throw new Error('The operation failed for an operation-specific reason');
  const t = name === 'gcm' && mode === 0 ? native.cipherTag(state, size ?? 16) : new Uint8Array(0);
  const all = new Uint8Array(a.length + b.length + t.length);
  all.set(a);
  all.set(b, a.length);
  all.set(t, a.length + b.length);
  return all.buffer;
}

const SSL_CIPHERS = ['tls_aes_256_gcm_sha384', 'tls_chacha20_poly1305_sha256', 'tls_aes_128_gcm_sha256', 'aes128-gcm-sha256', 'aes128-sha',
  'aes128-sha256', 'aes256-gcm-sha384', 'aes256-sha', 'aes256-sha256', 'ecdhe-ecdsa-aes128-gcm-sha256', 'ecdhe-ecdsa-aes256-gcm-sha384',
  'ecdhe-ecdsa-chacha20-poly1305', 'ecdhe-rsa-aes128-gcm-sha256', 'ecdhe-rsa-aes256-gcm-sha384', 'ecdhe-rsa-chacha20-poly1305'];

bindings.crypto = () => {
  const c = {
    ...env.keys.bindings, Hash, Hmac, CipherBase, kCryptoJobAsync: 0, kCryptoJobSync: 1,
    HashJob: job((name, data) => buffer(digest(webHash(name), bytes(data)))),
    HmacJob: job((mode, name, key, data, signature) => {
      const made = hmac(webHash(name), key.key, bytes(data));
      return mode === 1 ? native.timingSafeEqual(made, bytes(signature)) : buffer(made);
    }),
    RandomBytesJob: job((b, offset, size) => {
      const view = ArrayBuffer.isView(b) ? new Uint8Array(b.buffer, b.byteOffset + offset, size) : new Uint8Array(b, offset, size);
      native.random(view);
    }),
    PBKDF2Job: job((password, salt, iterations, length, name) => {
      const made = native.pbkdf2(name, bytes(password), bytes(salt), iterations, length);
      if (made === undefined) {
        const { codes: { ERR_CRYPTO_INVALID_DIGEST } } = env.require('internal/errors');
        throw new ERR_CRYPTO_INVALID_DIGEST(name);
      }
      return buffer(made);
    }),
    ScryptJob: class extends job((password, salt, N, r, p, max, length) => {
      const made = native.scrypt(bytes(password), bytes(salt), N, r, p, max, length);
      if (made === undefined) throw Object.assign(new RangeError('Invalid scrypt params: memory limit exceeded'), { code: 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS' });
      return buffer(made);
    }) {
      constructor(...args) {
        super(...args);
        const [, , , N, r, p, max] = args;
        if (N <= 1 || (N & (N - 1)) !== 0 || 128 * N * r > max || r * p >= 2 ** 30) {
          throw Object.assign(new RangeError(128 * N * r > max ? 'Invalid scrypt params: memory limit exceeded' : 'Invalid scrypt params'), { code: 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS' });
        }
      }
    },
    HKDFJob: job((name, key, salt, info, length) => {
      const prk = hmac(name, salt.byteLength ? bytes(salt) : new Uint8Array(native.hashSize(name)), key[handleSymbol]?.key ?? key.key ?? bytes(key));
      const out = new Uint8Array(length);
      let last = new Uint8Array(0);
      for (let at = 0, i = 1; at < length; i++) {
        last = hmac(name, prk, last, bytes(info), Uint8Array.of(i));
        out.set(last.subarray(0, Math.min(last.length, length - at)), at);
        at += last.length;
      }
      return out.buffer;
    }, (name, key, salt, info, length) => {
      const size = native.hashSize(name);
      if (size === undefined) throw Object.assign(new TypeError(`Invalid digest: ${name}`), { code: 'ERR_CRYPTO_INVALID_DIGEST' });
      if (length > 255 * size) throw Object.assign(new RangeError('Invalid key length'), { code: 'ERR_CRYPTO_INVALID_KEYLEN' });
      return [name, key, salt, info, length];
    }),
    AESCipherJob: job((mode, key, data, variant, iv, tag, aad) => (
      variant.startsWith('ctr') ? counted(mode, key, bytes(data), variant, bytes(iv), tag).buffer : aes(mode, key, data, variant, iv, tag, aad))),
    secureBuffer: (n) => new Uint8Array(n), secureHeapUsed: () => undefined, getFipsCrypto: () => 0, setFipsCrypto() {}, testFipsCrypto: () => false,
    getCachedAliases: () => ({}), getHashes: () => HASHES.slice(), getCiphers: () => CIPHERS.slice(), getSSLCiphers: () => SSL_CIPHERS.slice(),
    getRootCertificates: () => env.readText('/etc/ssl/certs/ca-certificates.crt')?.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [],
    setEngine() {},
    getCipherInfo(target, nameOrNid, keyLength, ivLength) {
      const info = native.cipherInfo(nameOrNid);
      if (info === undefined) return undefined;
      if (keyLength !== undefined && keyLength !== info[2]) return undefined;
      if (ivLength !== undefined && ivLength !== info[3] && info[5] !== 6) return undefined;
      target.mode = MODES[info[5]];
      target.name = info[0].toLowerCase();
      target.nid = info[1];
      if (info[5] !== 0) target.blockSize = info[4];
      if (info[3] > 0) target.ivLength = ivLength ?? info[3];
      target.keyLength = info[2];
      return target;
    },
    timingSafeEqual(a, b) {
      const x = bytes(a), y = bytes(b);
      if (x.length !== y.length) {
        throw Object.assign(new RangeError('Input buffers must have the same byte length'), { code: 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH' });
      }
      return native.timingSafeEqual(x, y);
    },
    oneShotDigest(algorithm, id, cache, data, encoding) {
      const h = new Hash(algorithm);
      h.update(data, 'utf8');
      return h.digest(encoding);
    },
    createNativeKeyObjectClass(f) { return f(class NativeKeyObject { constructor(handle) { this[handleSymbol] = handle; } }); },
    kKeyTypeSecret: 0, kKeyTypePublic: 1, kKeyTypePrivate: 2, kKeyFormatDER: 0, kKeyFormatPEM: 1, kKeyFormatJWK: 2, kKeyEncodingPKCS1: 0,
    kKeyEncodingPKCS8: 1, kKeyEncodingSPKI: 2, kKeyEncodingSEC1: 3, kSigEncDER: 0, kSigEncP1363: 1, kWebCryptoKeyFormatRaw: 0,
    kWebCryptoKeyFormatPKCS8: 1, kWebCryptoKeyFormatSPKI: 2, kWebCryptoKeyFormatJWK: 3, kWebCryptoCipherEncrypt: 0, kWebCryptoCipherDecrypt: 1,
    kSignJobModeSign: 0, kSignJobModeVerify: 1, SecureContext: env.SecureContext,
  };
  for (const name of ['CBC', 'CTR', 'GCM', 'KW']) for (const bits of [128, 192, 256]) c[`kKeyVariantAES_${name}_${bits}`] = `${name.toLowerCase()} ${bits}`;
  return c;
};
