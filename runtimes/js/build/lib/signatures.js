// What keys do, for the crypto binding: signatures, RSA's ciphers and the agreement on secrets, by src/signatures.c.
'use strict';

const { native } = env;
const { KeyObjectHandle, job, coded, failure, plainFailure, invalidDigest, digest, buffer, bytes, readKey, knownCurve, unknownCurve, unknownGroup, RAW_CURVES, PRIVATE } = env.keys;
const P1363 = 1; // a signature's numbers side by side

// ---- signatures

class Signing {
  init(algorithm) {
    this.algorithm = /^dss1$/i.test(algorithm) ? 'sha1' : algorithm;
    this.state = native.newHash(this.algorithm);
    if (this.state === undefined) throw invalidDigest();
  }
  begun() {
    if (this.state === undefined) throw coded(Error, 'Not initialised', 'ERR_CRYPTO_INVALID_STATE');
    return this.state;
  }
  update(data, encoding) {
    const state = this.begun();
    native.hashUpdate(state, typeof data === 'string' ? env.bytesOf(data, encoding === undefined || encoding === 'buffer' ? 'utf8' : encoding) : bytes(data));
  }
  // finish answers the hash, once.
  finish(key) {
    const state = this.begun();
    if (/^ed/.test(native.keyType(key))) throw coded(Error, 'Unsupported crypto operation', 'ERR_CRYPTO_UNSUPPORTED_OPERATION');
    this.state = undefined;
    return native.hashFinal(state);
  }
}

class Sign extends Signing {
  sign(data, format, type, passphrase, padding, salt, encoding) {
    const key = readKey(true, data, format, type, passphrase), hash = this.finish(key);
    const signature = native.signHash(key, this.algorithm, hash, padding, salt, encoding === P1363);
    if (signature === undefined) throw failure('PEM_read_bio_PrivateKey failed', 'ERR_CRYPTO_OPERATION_FAILED');
    return env.bufferOf(signature);
  }
}

class Verify extends Signing {
  verify(data, format, type, passphrase, signature, padding, salt, encoding) {
    const key = readKey(false, data, format, type, passphrase), hash = this.finish(key);
    const der = encoding === P1363 ? native.signatureDER(key, bytes(signature)) : bytes(signature);
    if (der === undefined) throw coded(Error, 'Malformed signature', 'ERR_CRYPTO_OPERATION_FAILED');
    const good = native.verifyHash(key, this.algorithm, hash, padding, salt, der);
    if (good === undefined) throw failure('PEM_read_bio_PUBKEY failed', 'ERR_CRYPTO_OPERATION_FAILED');
    return good;
  }
}

const SignJob = job((verifies, key, data, algorithm, salt, padding, encoding, signature) => {
  if (verifies) {
    const good = native.verify(key, algorithm, data, padding, salt, (encoding === P1363 ? native.signatureDER(key, signature) : undefined) ?? signature);
    if (good === undefined) throw failure('EVP_SignInit_ex failed', 'ERR_CRYPTO_OPERATION_FAILED');
    return good;
  }
  const made = native.sign(key, algorithm, data, padding, salt, encoding === P1363);
  if (made === undefined) throw failure('EVP_SignInit_ex failed', 'ERR_CRYPTO_OPERATION_FAILED');
  return buffer(made);
}, (mode, data, format, type, passphrase, message, algorithm, salt, padding, encoding, signature) => {
  const key = readKey(mode === 0, data, format, type, passphrase);
  // What was given may be changed before an asynchronous job's turn comes.
  return [mode === 1, key, bytes(message).slice(), digest(algorithm ?? undefined), salt, padding, encoding, mode === 1 ? bytes(signature).slice() : undefined];
});

// ---- RSA's ciphers

const PKCS1_PADDING = 1, OAEP_PADDING = 4;

const rsa = (what, isPrivate) => (data, format, type, passphrase, message, padding, hash, label) => {
  const key = readKey(isPrivate, data, format, type, passphrase), kind = padding >>> 0;
  if (what === 1 && kind === PKCS1_PADDING && /^rsa/.test(native.keyType(key))) {
    throw coded(TypeError, 'RSA_PKCS1_PADDING is no longer supported for private decryption, this can be reverted with --security-revert=CVE-2023-46809', 'ERR_INVALID_ARG_VALUE');
  }
  if (hash !== undefined && native.hashSize(hash) === undefined) throw coded(Error, 'Invalid digest used', 'ERR_OSSL_EVP_INVALID_DIGEST');
  const out = native.rsaCrypt(key, what, bytes(message), kind, hash, label === undefined ? undefined : bytes(label));
  if (out === undefined) throw failure('Cipher failed');
  return env.bufferOf(out);
};

const RSACipherJob = job((mode, key, data, hash, label) => {
  const out = native.rsaCrypt(key, mode, data, OAEP_PADDING, hash, label);
  if (out === undefined) throw plainFailure('Cipher job failed');
  return buffer(out);
}, (mode, handle, data, variant, hash, label) => [mode, handle.pkey, bytes(data).slice(), digest(hash), label === undefined ? undefined : bytes(label).slice()]);

// ---- agreement

function agree(own, other) {
  const secret = native.agree(own.pkey, other.pkey);
  if (secret === undefined) throw failure('diffieHellman failed');
  return secret;
}

const UNCOMPRESSED = 4;
const same = (a, b) => a.length === b.length && native.timingSafeEqual(a, b);
const badPoint = () => coded(Error, 'Failed to convert Buffer to EC_POINT', 'ERR_CRYPTO_OPERATION_FAILED');

// namedCurve takes no name of NIST's.
function namedCurve(name) {
  if (/^P-/.test(name)) throw unknownCurve();
  return knownCurve(name);
}

class ECDH {
  constructor(curve) {
    if (RAW_CURVES[curve] !== undefined) throw coded(Error, 'Failed to create key using named curve', 'ERR_CRYPTO_OPERATION_FAILED');
    this.curve = namedCurve(curve);
  }
  generateKeys() {
    const key = native.generateEC(this.curve, true);
    if (key === undefined) throw coded(Error, 'Failed to generate key', 'ERR_CRYPTO_OPERATION_FAILED');
    this.private = native.keyNumbers(key, true)[2];
    this.public = native.keyPoint(key);
  }
  getPublicKey(form) {
    const point = this.public === undefined ? undefined : native.ecConvert(this.curve, this.public, form);
    if (point === undefined) throw coded(Error, 'Failed to get ECDH public key', 'ERR_CRYPTO_OPERATION_FAILED');
    return env.bufferOf(point);
  }
  getPrivateKey() {
    if (this.private === undefined) throw coded(Error, 'Failed to get ECDH private key', 'ERR_CRYPTO_OPERATION_FAILED');
    let zeros = 0;
    while (this.private[zeros] === 0) zeros++;
    return env.bufferOf(this.private.slice(zeros));
  }
  setPrivateKey(data) {
    const number = bytes(data).slice(), point = native.ecMultiply(this.curve, number, undefined);
    if (point === undefined) throw coded(RangeError, 'Private key is not valid for specified curve.', 'ERR_CRYPTO_INVALID_KEYTYPE');
    this.private = number;
    this.public = point;
  }
  setPublicKey(data) {
    const point = native.ecConvert(this.curve, bytes(data), UNCOMPRESSED);
    if (point === undefined) throw badPoint();
    this.public = point;
  }
  computeSecret(data) {
    const point = this.private === undefined ? undefined : native.ecMultiply(this.curve, this.private, undefined);
    if (point === undefined || !same(point, this.public)) throw coded(RangeError, 'Invalid key pair', 'ERR_CRYPTO_INVALID_KEYPAIR');
    const secret = native.ecMultiply(this.curve, this.private, bytes(data));
    return secret === undefined ? 'ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY' : env.bufferOf(secret); // as the library wants it
  }
}

function convertPoint(data, curve, form) {
  if (bytes(data).length === 0) return '';
  const point = native.ecConvert(namedCurve(curve), bytes(data), form);
  if (point === undefined) throw badPoint();
  return env.bufferOf(point);
}

// Groups whose private keys OpenSSL makes shorter than their prime, and of how many bytes.
const SHORT = { '__proto__': null, 'modp5': 25, 'modp14': 29, 'modp15': 35, 'modp16': 41, 'modp17': 47, 'modp18': 50 };
const SMALLEST_MODULUS = 512, LARGEST_MODULUS = 10000; // bits
const tooSmall = () => env.keys.opensslError('error:0280007E:Diffie-Hellman routines::modulus too small');

// trimmed is a number without zeros before it.
function trimmed(number) {
  let zeros = 0;
  while (zeros < number.length - 1 && number[zeros] === 0) zeros++;
  return number.slice(zeros);
}
// minimal has no bytes for 0.
function minimal(number) {
  const short = trimmed(number);
  return short.length === 1 && short[0] === 0 ? new Uint8Array(0) : short;
}
const numberOf = (number) => BigInt(`0x${native.textOf(number, 6) || '0'}`);
const isSmall = (number) => number.length === 0 || (number.length === 1 && number[0] < 2);

class DiffieHellman {
  constructor(sizeOrPrime, generator) {
    const g = typeof generator === 'number' ? Uint8Array.of(generator >>> 24, generator >>> 16, generator >>> 8, generator) : bytes(generator);
    if (typeof sizeOrPrime === 'number' && sizeOrPrime < SMALLEST_MODULUS) throw tooSmall();
    if (typeof sizeOrPrime !== 'number' && bytes(sizeOrPrime).length === 0) throw env.keys.opensslError('error:01800076:bignum routines::bits too small');
    this.generator = trimmed(g);
    if (generator < 0 || isSmall(this.generator)) throw env.keys.opensslError('error:02800065:Diffie-Hellman routines::bad generator');
    this.prime = typeof sizeOrPrime === 'number' ? native.prime(sizeOrPrime, true, undefined, undefined) : trimmed(bytes(sizeOrPrime));
    if (this.prime === undefined) throw failure('Initialization failed');
    this.verifyError = native.dhCheck(this.prime, this.generator);
  }
  // newPrivate answers a number below the prime, as long as OpenSSL's.
  newPrivate() {
    let length = this.prime.length;
    for (const name of Object.keys(SHORT)) if (same(native.dhPrime(name), this.prime)) length = SHORT[name];
    const number = new Uint8Array(Math.max(length, 1));
    native.random(number);
    if (length === this.prime.length) number[0] = this.prime[0] > 1 ? number[0] % this.prime[0] : 0;
    if (number.every((b) => b === 0)) number[number.length - 1] = 1;
    return number;
  }
  generateKeys() {
    if (this.prime.length < SMALLEST_MODULUS / 8 || (this.prime.length === SMALLEST_MODULUS / 8 && this.prime[0] < 128)) throw tooSmall();
    if ((this.prime.length - 1) * 8 + 32 - Math.clz32(this.prime[0]) > LARGEST_MODULUS) throw env.keys.opensslError('error:02800067:Diffie-Hellman routines::modulus too large');
    this.private ??= minimal(this.newPrivate());
    const made = native.power(this.generator, this.private, this.prime);
    if (made === undefined) throw coded(Error, 'Key generation failed', 'ERR_CRYPTO_OPERATION_FAILED');
    this.public = minimal(made);
    return env.bufferOf(this.public.slice());
  }
  computeSecret(data) {
    const other = trimmed(bytes(data));
    if (isSmall(other)) throw coded(RangeError, 'Supplied key is too small', 'ERR_CRYPTO_INVALID_KEYLEN');
    if (numberOf(other) >= numberOf(this.prime) - 1n) throw coded(RangeError, 'Supplied key is too large', 'ERR_CRYPTO_INVALID_KEYLEN');
    if (this.private === undefined) throw coded(Error, 'No private key - did you forget to generate one?', 'ERR_CRYPTO_INVALID_STATE');
    const secret = native.power(other, this.private, this.prime);
    if (secret === undefined) throw coded(Error, 'Invalid key', 'ERR_CRYPTO_INVALID_KEYTYPE');
    return env.bufferOf(secret);
  }
  getPrime() { return env.bufferOf(this.prime.slice()); }
  getGenerator() { return env.bufferOf(this.generator.slice()); }
  getPublicKey() { return this.have('public'); }
  getPrivateKey() { return this.have('private'); }
  have(which) {
    if (this[which] === undefined) throw coded(Error, `No ${which} key - did you forget to generate one?`, 'ERR_CRYPTO_INVALID_STATE');
    return env.bufferOf(this[which].slice());
  }
  setPublicKey(data) { this.public = minimal(bytes(data)); }
  setPrivateKey(data) { this.private = minimal(bytes(data)); }
}

class DiffieHellmanGroup extends DiffieHellman {
  constructor(name) {
    const prime = native.dhPrime(`${name}`);
    if (prime === undefined) throw unknownGroup();
    super(prime, 2);
    this.verifyError = 0;
  }
}

Object.assign(env.keys.bindings, {
  Sign, Verify, SignJob, RSACipherJob, ECDH, ECDHConvertKey: convertPoint, DiffieHellman, DiffieHellmanGroup,
  publicEncrypt: rsa(0, false), privateDecrypt: rsa(1, true), privateEncrypt: rsa(2, true), publicDecrypt: rsa(3, false),
  statelessDH: (own, other) => env.bufferOf(agree(own, other)),
  ECDHBitsJob: job((name, other, own) => buffer(agree(own, other))),
  DHBitsJob: job((other, own) => buffer(agree(own, other))),
});
