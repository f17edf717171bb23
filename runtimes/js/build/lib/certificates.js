// Certificates, for the crypto binding and for TLS, by src/certificates.c.
'use strict';

const { native } = env;
const { KeyObjectHandle, coded, failure, bytes, SPKI } = env.keys;

// named makes an object of a name's parts; what is there several times is a list.
function named(parts) {
  const out = { __proto__: null };
  for (let i = 0; i < parts.length; i += 2) {
    const [key, value] = [parts[i], parts[i + 1]];
    if (out[key] === undefined) out[key] = value;
    else if (Array.isArray(out[key])) out[key].push(value);
    else out[key] = [out[key], value];
  }
  return out;
}

function address(list) {
  if (list.length === 4) return list.join('.');
  if (list.length !== 16) return '<invalid>';
  const words = [];
  for (let i = 0; i + 1 < list.length; i += 2) words.push((list[i] << 8 | list[i + 1]).toString(16).toUpperCase());
  return words.join(':');
}

const general = (kind, value) => {
  if (value === undefined) return `${kind}:<unsupported>`;
  if (typeof value !== 'string') return `${kind}:${address(value)}`;
  const [head, form] = kind.split(':'), before = form === undefined ? '' : `${form}:`, wide = head === 'DirName' || (form !== undefined && form !== 'SRVName');
  if (!(wide ? /["\\,'\0-\x1f\x7f]/ : /["\\,']|[^\x20-\x7e]/).test(value)) return `${kind}:${value}`;
  const escaped = value.replace(/["\\]/g, '\\$&').replace(wide ? /[,\0-\x1f\x7f]/g : /,|[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `${head}:"${before}${escaped}"`;
};

function otherNames(parts) {
  const out = [];
  for (let i = 0; i < parts.length; i += 2) out.push(general(parts[i], parts[i + 1]));
  return out.length ? out.join(', ') : undefined;
}

function accessText(parts) {
  const out = [];
  for (let i = 0; i < parts.length; i += 3) out.push(`${parts[i]} - ${general(parts[i + 1], parts[i + 2])}`);
  return out.length ? out.join('\n') : undefined;
}

function fingerprint(digest, der) {
  const state = native.newHash(digest, undefined);
  native.hashUpdate(state, der);
  return Array.from(native.hashFinal(state, undefined), (byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':');
}

const hex = (number) => native.textOf(number, 6).replace(/^0+(?=.)/, '');

// keyFields answers what getPeerCertificate's callers know of a certificate's key.
function keyFields(key) {
  const type = key === undefined ? undefined : native.keyType(key);
  if (type === 'rsa' || type === 'rsa-pss') {
    const [n, e] = native.keyNumbers(key, false);
    return { modulus: hex(n).toUpperCase(), bits: native.keyDetail(key)[0], exponent: `0x${hex(e)}`, pubkey: env.bufferOf(native.keyWrite(key, false, 0, SPKI)) };
  }
  if (type === 'ec') {
    const [asn1Curve, nistCurve, bits] = native.keyDetail(key), point = native.keyPoint(key);
    return { bits, pubkey: env.bufferOf(point), asn1Curve, nistCurve };
  }
  return {};
}

class X509Certificate {
  constructor(data) {
    this.native = native.certificate(bytes(data));
    if (this.native === undefined) throw failure('Invalid certificate');
  }
  get parts() { return this.known ??= native.certificateParts(this.native); }
  get der() { return this.parts[9]; }
  subject() { return native.certificateText(this.native, 'subject'); }
  issuer() { return native.certificateText(this.native, 'issuer'); }
  subjectAltName() { return otherNames(this.parts[2]); }
  validFrom() { return this.parts[3]; }
  validTo() { return this.parts[4]; }
  serialNumber() { return this.parts[5]; }
  checkCA() { return this.parts[6]; }
  infoAccess() { return accessText(this.parts[7]); }
  keyUsage() { return this.parts[8]; }
  raw() { return env.bufferOf(this.der.slice()); }
  fingerprint() { return fingerprint('sha1', this.der); }
  fingerprint256() { return fingerprint('sha256', this.der); }
  fingerprint512() { return fingerprint('sha512', this.der); }
  pem() { return native.certificateText(this.native, 'pem'); }
  getIssuerCert() {}
  publicKey() {
    const key = native.certificateKey(this.native);
    if (key === undefined) throw failure('Failed to decode public key');
    return KeyObjectHandle.of(1, key);
  }
  is(what, name, flags) {
    const found = native.certificateFor(this.native, what, name, flags);
    if (found === null) throw coded(TypeError, what === 'ip' ? 'Invalid IP' : 'Invalid name', 'ERR_INVALID_ARG_VALUE');
    return found === true ? name : found;
  }
  checkHost(name, flags) { return this.is('host', name, flags); }
  checkEmail(name, flags) { return this.is('email', name, flags); }
  checkIP(name, flags) { return this.is('ip', name, flags); }
  checkIssued(other) { return native.certificateIssued(this.native, other.native); }
  checkPrivateKey(key) { return native.certificateMatches(this.native, key.pkey, false); }
  verify(key) { return native.certificateMatches(this.native, key.pkey, true); }
  toLegacy() {
    const [subject, issuer, others, from, to, , ca, access, uses, der] = this.parts, key = native.certificateKey(this.native);
    if (key === undefined) native.cryptoErrors();
    const fields = {
      subject: named(subject), issuer: named(issuer), subjectaltname: otherNames(others), infoAccess: accessText(access), ca, ...keyFields(key),
      valid_from: from, valid_to: to, fingerprint: fingerprint('sha1', der), fingerprint256: fingerprint('sha256', der),
      fingerprint512: fingerprint('sha512', der), ext_key_usage: uses, serialNumber: this.serialNumber(), raw: env.bufferOf(der),
    };
    for (const name of Object.keys(fields)) if (fields[name] === undefined) delete fields[name];
    return fields;
  }
}

// certificateChain describes a chain of DER as getPeerCertificate's callers know it; each has its issuer if the whole is
// wanted.
env.certificateChain = (list, whole) => {
  const all = list.map((der) => new X509Certificate(der).toLegacy());
  for (let i = 0; whole && i < all.length; i++) {
    if (all[i + 1] !== undefined) all[i].issuerCertificate = all[i + 1];
    else if (JSON.stringify(all[i].subject) === JSON.stringify(all[i].issuer)) all[i].issuerCertificate = all[i];
  }
  return all[0];
};

Object.assign(env.keys.bindings, {
  X509Certificate, parseX509: (data) => new X509Certificate(data),
  X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT: 1, X509_CHECK_FLAG_NO_WILDCARDS: 2, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS: 4,
  X509_CHECK_FLAG_MULTI_LABEL_WILDCARDS: 8, X509_CHECK_FLAG_SINGLE_LABEL_SUBDOMAINS: 16, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT: 32,
  certVerifySpkac: (data) => native.spkac(bytes(data), 0),
  certExportPublicKey: (data) => { const pem = native.spkac(bytes(data), 1); return pem === undefined ? '' : env.bufferOf(native.bytesOf(pem, 1)); },
  certExportChallenge: (data) => { const text = native.spkac(bytes(data), 2); return text === undefined ? '' : env.bufferOf(native.bytesOf(text, 1)); },
});
