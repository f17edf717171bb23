// Keys of the crypto binding: secret ones, and asymmetric ones, which src/keys.c and src/generate.c make by OpenSSL.
'use strict';

const { native } = env;
const SECRET = 0, PRIVATE = 2; // types of keys; 1 is public
const DER = 0, PEM = 1, JWK = 2; // formats
const PKCS8 = 1, SPKI = 2; // encodings
// What Node takes for a curve's name, which are OpenSSL's short ones.
const RAW_CURVES = { '__proto__': null, 'ED25519': 1087, 'ED448': 1088, 'X25519': 1034, 'X448': 1035 };
const RAW = { '__proto__': null, 'Ed25519': 1087, 'Ed448': 1088, 'X25519': 1034, 'X448': 1035 };
const JWK_CURVES = { '__proto__': null, 'prime256v1': 'P-256', 'secp256k1': 'secp256k1', 'secp384r1': 'P-384', 'secp521r1': 'P-521' };

// ---- errors

// Prefixes of codes by OpenSSL's number of a library.
const LIBRARIES = { '__proto__': null, '2': 'SYS_', '3': 'BN_', '4': 'RSA_', '5': 'DH_', '6': 'EVP_', '7': 'BUF_', '8': 'OBJ_', '9': 'PEM_', '10': 'DSA_',
  '11': 'X509_', '13': 'ASN1_', '14': 'CONF_', '15': 'CRYPTO_', '16': 'EC_', '20': 'SSL_', '32': 'BIO_', '33': 'PKCS7_', '34': 'X509V3_', '35': 'PKCS12_',
  '36': 'RAND_', '37': 'DSO_', '38': 'ENGINE_', '39': 'OCSP_', '40': 'UI_', '41': 'COMP_', '42': 'ECDSA_', '43': 'ECDH_', '44': 'OSSL_STORE_',
  '45': 'FIPS_', '46': 'CMS_', '47': 'TS_', '48': 'HMAC_', '50': 'CT_', '51': 'ASYNC_', '52': 'KDF_', '53': 'SM2_' };

const coded = (Type, message, code) => {
  const error = new Type(message);
  error.code = code;
  return error;
};

// opensslError makes an error of OpenSSL's text, as Node does, and of what it said after that.
function opensslError(text, later = []) {
  const error = new Error(text), [, number, library, , ...reason] = text.split(':');
  if (later.length > 0) error.opensslErrorStack = later.reverse();
  error.library = library;
  error.reason = reason.join(':');
  const prefix = LIBRARIES[parseInt(number, 16) >>> 23] ?? '';
  error.code = `ERR_${prefix === 'SSL_' ? '' : 'OSSL_'}${prefix}${error.reason.toUpperCase().replaceAll(' ', '_')}`;
  return error;
}

// failure is what OpenSSL has to say of the last call, or else the text, and the code where there is one.
function failure(otherwise, code) {
  const [text, ...later] = native.cryptoErrors();
  if (text !== undefined) return opensslError(text, later);
  return code === undefined ? new Error(otherwise) : coded(Error, otherwise, code);
}

// plainFailure is the same without a code, as Node's jobs have it.
function plainFailure(otherwise) {
  const [text, ...later] = native.cryptoErrors(), error = new Error(text ?? otherwise);
  if (later.length > 0) error.opensslErrorStack = later.reverse();
  return error;
}

const invalidDigest = (name) => coded(TypeError, name === undefined ? 'Invalid digest' : `Invalid digest: ${name}`, 'ERR_CRYPTO_INVALID_DIGEST');
const buffer = (u8) => u8.buffer.slice(u8.byteOffset, u8.byteOffset + u8.byteLength);
const bytes = (x) => {
  if (typeof x === 'string') return native.bytesOf(x, 1);
  if (x instanceof KeyObjectHandle) return x.key;
  if (ArrayBuffer.isView(x)) return new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
  return new Uint8Array(x);
};

// ---- reading and writing

// readKey answers the native key of what a program has given as one: a handle, or text and what it is.
function readKey(isPrivate, data, format, type, passphrase) {
  if (data instanceof KeyObjectHandle) return data.pkey;
  const key = native.keyRead(isPrivate, bytes(data), format, type, passphrase === undefined || passphrase === null ? undefined : bytes(passphrase));
  if (key === null) throw coded(TypeError, 'Passphrase required for encrypted key', 'ERR_MISSING_PASSPHRASE');
  if (key === undefined) throw failure(isPrivate ? 'Failed to read private key' : 'Failed to read asymmetric key');
  return key;
}

function writeKey(key, isPrivate, format, type, cipher, passphrase) {
  if (isPrivate && typeof cipher === 'string' && native.cipherInfo(cipher) === undefined) throw coded(Error, 'Unknown cipher', 'ERR_CRYPTO_UNKNOWN_CIPHER');
  const out = native.keyWrite(key, isPrivate, format, type, cipher ?? undefined, passphrase === undefined || passphrase === null ? undefined : bytes(passphrase));
  if (out === undefined) throw failure(`Failed to encode ${isPrivate ? 'private' : 'public'} key`);
  return typeof out === 'string' ? out : env.bufferOf(out);
}

const base64 = (u8) => native.textOf(u8, 5); // for URLs
const fromBase64 = (text) => native.bytesOf(`${text}`, 5);

function writeJwk(key, isPrivate, target, allowPss) {
  const type = native.keyType(key);
  if (type === 'rsa' || (type === 'rsa-pss' && allowPss)) {
    const names = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'], numbers = native.keyNumbers(key, isPrivate);
    target.kty = 'RSA';
    for (let i = 0; i < numbers.length; i++) target[names[i]] = base64(numbers[i]);
  } else if (type === 'ec') {
    const [x, y, d] = native.keyNumbers(key, isPrivate), [curve] = native.keyDetail(key), crv = JWK_CURVES[curve];
    target.kty = 'EC';
    target.x = base64(x);
    target.y = base64(y);
    if (crv === undefined) throw coded(Error, `Unsupported JWK EC curve: ${curve}.`, 'ERR_CRYPTO_JWK_UNSUPPORTED_CURVE');
    target.crv = crv;
    if (isPrivate) target.d = base64(d);
  } else if (/^(?:ed|x)\d/.test(type)) {
    const [x, d] = native.keyNumbers(key, isPrivate);
    target.crv = `${type[0].toUpperCase()}${type.slice(1)}`;
    if (isPrivate) target.d = base64(d);
    target.x = base64(x);
    target.kty = 'OKP';
  } else {
    throw coded(Error, 'Unsupported JWK Key Type.', 'ERR_CRYPTO_JWK_UNSUPPORTED_KEY_TYPE');
  }
  return target;
}

class KeyObjectHandle {
  init(type, data, format, encoding, passphrase) {
    this.type = type;
    if (type === SECRET) this.key = bytes(data).slice();
    else this.pkey = readKey(type === PRIVATE, data, format, encoding, passphrase);
  }
  static of(type, pkey) {
    const handle = new KeyObjectHandle();
    handle.type = type;
    handle.pkey = pkey;
    return handle;
  }
  getSymmetricKeySize() { return this.key.length; }
  getAsymmetricKeyType() { return native.keyType(this.pkey); }
  keyDetail(target) {
    if (this.pkey === undefined) {
      target.length = this.key.length * 8;
      return target;
    }
    const type = native.keyType(this.pkey), detail = native.keyDetail(this.pkey);
    if (type === 'rsa' || type === 'rsa-pss') {
      target.modulusLength = detail[0];
      target.publicExponent = buffer(detail[1]);
      if (detail.length > 2) [, , target.hashAlgorithm, target.mgf1HashAlgorithm, target.saltLength] = detail;
    } else if (type === 'dsa') {
      [target.modulusLength, target.divisorLength] = detail;
    } else if (type === 'ec' && detail[0] !== undefined) {
      target.namedCurve = detail[0];
    }
    return target;
  }
  export(format, type, cipher, passphrase) {
    return this.pkey === undefined ? env.bufferOf(this.key.slice()) : writeKey(this.pkey, this.type === PRIVATE, format, type, cipher, passphrase);
  }
  exportJwk(target, allowPss) {
    if (this.pkey !== undefined) return writeJwk(this.pkey, this.type === PRIVATE, target, allowPss);
    target.kty = 'oct';
    target.k = base64(this.key);
    return target;
  }
  initJwk(jwk, curve) {
    const { kty } = jwk, isPrivate = jwk.d !== undefined;
    if (kty === 'oct') {
      if (typeof jwk.k !== 'string') throw coded(TypeError, 'Invalid JWK secret key format', 'ERR_CRYPTO_INVALID_JWK');
      this.key = fromBase64(jwk.k);
      return this.type = SECRET;
    }
    const want = (names) => names.map((name) => {
      if (typeof jwk[name] !== 'string') throw coded(TypeError, `Invalid JWK ${kty} key`, 'ERR_CRYPTO_INVALID_JWK');
      return fromBase64(jwk[name]);
    });
    if (kty === 'RSA') this.pkey = native.rsaKey(...want(isPrivate ? ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'] : ['n', 'e']));
    else if (kty === 'EC') this.pkey = native.ecKey(`${curve}`, ...want(isPrivate ? ['x', 'y', 'd'] : ['x', 'y']));
    else throw coded(TypeError, `Unsupported JWK key type: ${kty}`, 'ERR_CRYPTO_INVALID_JWK');
    if (this.pkey === undefined) throw coded(TypeError, `Invalid JWK ${kty} key`, 'ERR_CRYPTO_INVALID_JWK');
    return this.type = isPrivate ? PRIVATE : 1;
  }
  initECRaw(curve, data) {
    this.type = 1;
    this.pkey = native.ecKey(`${curve}`, bytes(data), undefined, undefined);
    return this.pkey !== undefined;
  }
  initEDRaw(name, data, type) {
    this.type = type;
    this.pkey = native.rawKey(RAW[name], bytes(data), type === PRIVATE);
    return this.pkey !== undefined;
  }
  checkEcKeyData() { return native.keyCheck(this.pkey, this.type === PRIVATE); }
  equals(other) {
    if (this.pkey === undefined) return this.key.length === other.key?.length && native.timingSafeEqual(this.key, other.key);
    const equal = native.keyEquals(this.pkey, other.pkey);
    if (equal === undefined) throw coded(Error, 'Unsupported crypto operation', 'ERR_CRYPTO_UNSUPPORTED_OPERATION');
    return equal;
  }
}

// ---- making

// job makes a class whose work is done at once; an asynchronous one tells of it in the loop's next turn. What check throws,
// the class's maker throws.
const job = (work, check) => class {
  constructor(mode, ...args) {
    this.mode = mode;
    this.args = check === undefined ? args : check(...args);
  }
  run() {
    let error, result;
    try { result = work(...this.args); } catch (e) { error = e; }
    if (this.mode === 1) return [error, result];
    env.complete(() => env.call(this, this.ondone, error, result));
    return undefined;
  }
};

// pairJob is a job that makes a pair of keys: begin gives what makes one of as many arguments as count, and after them come
// the forms in which the two are wanted.
const pairJob = (count, begin) => job((make, [publicFormat, publicType, privateFormat, privateType, cipher, passphrase]) => {
  const key = make();
  if (key === undefined) throw plainFailure('Key generation job failed');
  const give = (isPrivate, format, type) => {
    if (format === undefined) return KeyObjectHandle.of(isPrivate ? PRIVATE : 1, key);
    if (format === JWK) return writeJwk(key, isPrivate, {}, false);
    return writeKey(key, isPrivate, format, type, cipher, passphrase);
  };
  return [give(false, publicFormat, publicType), give(true, privateFormat, privateType)];
}, (...args) => {
  const own = count(args), forms = args.slice(own);
  if (forms[4] !== undefined && forms[4] !== null && native.cipherInfo(forms[4]) === undefined) {
    throw coded(Error, 'Unknown cipher', 'ERR_CRYPTO_UNKNOWN_CIPHER');
  }
  return [begin(...args.slice(0, own)), forms];
});

function digest(name) {
  if (name !== undefined && native.hashSize(name) === undefined) throw invalidDigest(name);
  return name;
}

const unknownGroup = () => coded(Error, 'Unknown DH group', 'ERR_CRYPTO_UNKNOWN_DH_GROUP');
const unknownCurve = () => coded(TypeError, 'Invalid EC curve name', 'ERR_CRYPTO_INVALID_CURVE');

// knownCurve answers a curve's name if there is such a one.
function knownCurve(name) {
  const curves = env.curves ??= new Set(native.ecCurves().concat('P-192', 'P-224', 'P-256', 'P-384', 'P-521'));
  if (!curves.has(name)) throw unknownCurve();
  return name;
}

// exportJob writes keys for the web's crypto: 0 is raw, 1 PKCS #8, 2 SPKI.
const exportJob = job((format, handle) => {
  if (format === 1) return buffer(writeKey(handle.pkey, true, DER, PKCS8));
  if (format === 2) return buffer(writeKey(handle.pkey, false, DER, SPKI));
  const raw = native.keyType(handle.pkey) === 'ec' ? native.keyPoint(handle.pkey) : native.keyNumbers(handle.pkey, handle.type === PRIVATE)[handle.type === PRIVATE ? 1 : 0];
  if (raw === undefined) throw plainFailure('Failed to export key');
  return buffer(raw);
});

// primeJob checks what a prime is to be beside one.
const primeJob = job((size, safe, add, rem) => {
  const made = native.prime(size, safe, add, rem);
  if (made === undefined) throw plainFailure('Prime could not be made');
  return buffer(made);
}, (size, safe, add, rem) => {
  const { codes: { ERR_OUT_OF_RANGE } } = env.require('internal/errors');
  const number = (x) => (x === undefined ? undefined : BigInt(`0x${native.textOf(bytes(x), 6) || '0'}`)), [a, r] = [number(add), number(rem)];
  const refuse = (name) => { const e = new ERR_OUT_OF_RANGE('x', 'x', 0); e.message = `invalid options.${name}`; return e; };
  if (a !== undefined && a.toString(2).length > size) throw refuse('add');
  if (a !== undefined && r !== undefined && a <= r) throw refuse('rem');
  return [size, safe, add === undefined ? undefined : bytes(add), rem === undefined ? undefined : bytes(rem)];
});

env.keys = {
  KeyObjectHandle, job, coded, failure, plainFailure, opensslError, invalidDigest, digest, buffer, bytes, readKey, knownCurve, unknownCurve, unknownGroup, RAW_CURVES, PEM, PRIVATE, SPKI,
  bindings: {
    KeyObjectHandle,
    RsaKeyPairGenJob: pairJob(([variant]) => (variant === 1 ? 6 : 3), (variant, bits, exponent, hash, mask, salt) => {
      digest(hash);
      digest(mask);
      return () => native.generateRSA(bits, exponent, variant === 1, hash, mask, salt ?? -1);
    }),
    DsaKeyPairGenJob: pairJob(() => 2, (bits, divisor) => () => native.generateDSA(bits, divisor)),
    EcKeyPairGenJob: pairJob(() => 2, (curve, named) => {
      if (RAW_CURVES[curve] !== undefined) return () => native.generateRaw(RAW_CURVES[curve]);
      knownCurve(curve);
      return () => native.generateEC(curve, named === 1);
    }),
    NidKeyPairGenJob: pairJob(() => 1, (id) => () => native.generateRaw(id)),
    DhKeyPairGenJob: pairJob(([prime]) => (typeof prime === 'string' ? 1 : 2), (prime, generator = 2) => {
      const p = typeof prime === 'string' ? native.dhPrime(prime) : typeof prime === 'number' ? prime : bytes(prime);
      if (p === undefined) throw unknownGroup();
      return () => native.generateDH(p, generator);
    }),
    SecretKeyGenJob: job((bits) => {
      const handle = new KeyObjectHandle();
      handle.type = SECRET;
      handle.key = new Uint8Array(Math.floor(bits / 8));
      native.random(handle.key);
      return handle;
    }),
    ECKeyExportJob: exportJob, RSAKeyExportJob: exportJob, DHKeyExportJob: exportJob,
    RandomPrimeJob: primeJob,
    CheckPrimeJob: job((candidate, checks) => native.isPrime(bytes(candidate), checks)),
    getCurves: () => native.ecCurves(),
    EVP_PKEY_ED25519: RAW.Ed25519, EVP_PKEY_ED448: RAW.Ed448, EVP_PKEY_X25519: RAW.X25519, EVP_PKEY_X448: RAW.X448,
    OPENSSL_EC_NAMED_CURVE: 1, OPENSSL_EC_EXPLICIT_CURVE: 0, kKeyVariantRSA_SSA_PKCS1_v1_5: 0, kKeyVariantRSA_PSS: 1, kKeyVariantRSA_OAEP: 2,
    RSA_PKCS1_PSS_PADDING: 6,
  },
};
