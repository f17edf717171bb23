// Addresses and lists of those to keep out: what net.SocketAddress and net.BlockList stand on.
'use strict';

const { native, bindings } = env;

const AF_INET = 2, AF_INET6 = 10;

// numberOf makes an address a number, so that ranges can be compared; undefined if it is none of its family.
function numberOf(text, family) {
  if (family === AF_INET) {
    const parts = text.split('.');
    if (parts.length !== 4 || parts.some((p) => !/^(?:0|[1-9]\d{0,2})$/.test(p) || +p > 255)) return undefined;
    return parts.reduce((n, p) => (n << 8n) | BigInt(p), 0n);
  }
  let [address] = text.split('%');
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (dotted) {
    const four = numberOf(dotted[2], AF_INET);
    if (four === undefined) return undefined;
    address = `${dotted[1]}${(four >> 16n).toString(16)}:${(four & 0xffffn).toString(16)}`;
  }
  const halves = address.split('::');
  if (halves.length > 2) return undefined;
  const words = halves.map((h) => (h === '' ? [] : h.split(':')));
  const missing = 8 - words[0].length - (words[1]?.length ?? 0);
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = halves.length === 1 ? words[0] : [...words[0], ...new Array(missing).fill('0'), ...words[1]];
  if (all.some((w) => !/^[0-9a-f]{1,4}$/i.test(w))) return undefined;
  return all.reduce((n, w) => (n << 16n) | BigInt(`0x${w}`), 0n);
}

// textOf is the address as inet_ntop writes it: the longest of several zeros in a row is left out.
function textOf(number, family) {
  const part = (i, bits) => Number((number >> BigInt(i * bits)) & ((1n << BigInt(bits)) - 1n));
  const dotted = () => [3, 2, 1, 0].map((i) => part(i, 8)).join('.');
  if (family === AF_INET) return dotted();
  const words = [7, 6, 5, 4, 3, 2, 1, 0].map((i) => part(i, 16));
  let at = 8, most = 1;
  for (let i = 0, run = 0; i < 8; i++) {
    run = words[i] === 0 ? run + 1 : 0;
    if (run > most) [at, most] = [i + 1 - run, run];
  }
  if (at === 0 && most === 6) return `::${dotted()}`;
  if (at === 0 && most === 5 && words[5] === 0xffff) return `::ffff:${dotted()}`;
  const hex = (list) => list.map((w) => w.toString(16)).join(':');
  return at === 8 ? hex(words) : `${hex(words.slice(0, at))}::${hex(words.slice(at + most))}`;
}

class SocketAddress {
  constructor(address, port, family, flowlabel) {
    this.number = numberOf(address, family);
    if (this.number === undefined) {
      const error = new Error('Invalid socket address');
      error.code = 'ERR_INVALID_ADDRESS';
      throw error;
    }
    this.address = textOf(this.number, family);
    this.port = port;
    this.family = family;
    this.label = flowlabel;
  }
  detail(o) {
    o.address = this.address;
    o.port = this.port;
    o.family = this.family;
    o.flowlabel = this.label;
    return o;
  }
  flowlabel() { return this.label; }
}

// An IPv4 address that is written as an IPv6 one is both.
const MAPPED = 0xffffn << 32n;
const forms = (a) => {
  if (a.family === AF_INET) return [[AF_INET, a.number], [AF_INET6, MAPPED | a.number]];
  if (a.number >> 32n === 0xffffn) return [[AF_INET6, a.number], [AF_INET, a.number & 0xffffffffn]];
  return [[AF_INET6, a.number]];
};
const nameOf = (a) => (a.family === AF_INET ? 'IPv4' : 'IPv6');

class BlockList {
  #rules = []; // the newest first
  #add(family, from, to, text) { this.#rules.unshift({ family, from, to, text }); }
  addAddress(a) { this.#add(a.family, a.number, a.number, `Address: ${nameOf(a)} ${a.address}`); }
  addRange(a, b) {
    if (a.number > b.number) return false;
    this.#add(a.family, a.number, b.number, `Range: ${nameOf(a)} ${a.address}-${b.address}`);
    return true;
  }
  addSubnet(a, prefix) {
    const rest = BigInt((a.family === AF_INET ? 32 : 128) - prefix), from = (a.number >> rest) << rest;
    this.#add(a.family, from, from + (1n << rest) - 1n, `Subnet: ${nameOf(a)} ${a.address}/${prefix}`);
  }
  check(a) {
    return this.#rules.some((r) => forms(a).some(([family, n]) => family === r.family && n >= r.from && n <= r.to));
  }
  getRules() { return this.#rules.map((r) => r.text); }
}

bindings.block_list = () => ({ BlockList, SocketAddress, AF_INET, AF_INET6, FLOW_LABEL: 0xfffff });
