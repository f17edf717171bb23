// Intl, in English: whatever other language is asked for, what comes is en-US, as in a Node that was built with small-icu.
// Time zones are those of /usr/share/zoneinfo.
'use strict';

const LOCALE = /^[a-z]{2,8}(?:-[a-z0-9]{1,8})*$/i;

function listOf(locales) {
  if (locales === undefined) return [];
  if (locales === null) throw new TypeError('Cannot convert undefined or null to object');
  const list = typeof locales === 'string' ? [locales] : locales instanceof Locale ? [locales.toString()] : Array.from(locales);
  for (let i = 0; i < list.length; i++) {
    if (typeof list[i] !== 'string' && typeof list[i] !== 'object') throw new TypeError(`Incorrect locale information provided`);
    if (!LOCALE.test(`${list[i]}`)) throw new RangeError(`Incorrect locale information provided`);
  }
  return list.map((name) => canonical(`${name}`));
}

const canonical = (name) => name.split('-').map((part, i) => (i === 0 ? part.toLowerCase() : part.length === 2 ? part.toUpperCase() :
  part.length === 4 ? part[0].toUpperCase() + part.slice(1).toLowerCase() : part.toLowerCase())).join('-');

// checkLocales answers the first of them that there is.
env.checkLocales = (locales) => (locales === undefined || locales === 'en-US' ? 'en-US' :
  listOf(locales).map((name) => name.replace(/-u-.*/, '')).find((name) => /^en(?:-|$)/.test(name)) ?? 'en-US');

class Locale {
  #name;
  constructor(name) {
    if (typeof name !== 'string' && typeof name !== 'object') throw new TypeError('First argument to Intl.Locale constructor can\'t be empty or missing');
    [this.#name] = listOf(`${name}`);
  }
  get baseName() { return this.#name; }
  get language() { return this.#name.split('-')[0]; }
  get script() { return this.#name.split('-').find((part, i) => i > 0 && part.length === 4); }
  get region() { return this.#name.split('-').find((part, i) => i > 0 && /^(?:[A-Z]{2}|\d{3})$/.test(part)); }
  toString() { return this.#name; }
}

// ---- order: punctuation, symbols, digits, letters; then marks; then small before great

const ORDER = '\t\n\v\f\r _-,;:!?.\'"()[]{}@*/\\&#%`^+<=>|~$';

function weightOf(c) {
  const at = ORDER.indexOf(c);
  if (at >= 0) return at;
  const code = c.codePointAt(0);
  if (code >= 48 && code <= 57) return 100 + code;
  return (code < 128 || /\p{L}/u.test(c) ? 1000 : 500) + code;
}

function weigh(text, isNumeric) {
  const primary = [], marks = [], cases = [];
  const chars = Array.from(text.replaceAll('ß', 'ss').normalize('NFD'));
  for (let i = 0; i < chars.length; i++) {
    const c = chars[i];
    if (/\p{M}/u.test(c)) {
      marks[primary.length - 1] = (marks[primary.length - 1] ?? 0) * 65536 + c.codePointAt(0);
      continue;
    }
    if (isNumeric && c >= '0' && c <= '9') {
      let digits = c;
      while (chars[i + 1] >= '0' && chars[i + 1] <= '9') digits += chars[++i];
      digits = digits.replace(/^0+(?=.)/, '');
      primary.push(149, digits.length);
      for (const d of digits) primary.push(100 + d.charCodeAt(0));
      continue;
    }
    const small = c.toLowerCase();
    primary.push(weightOf(Array.from(small)[0]));
    if (small !== c) cases[primary.length - 1] = 1;
  }
  return { primary, marks, cases };
}

function compareLists(a, b, n) {
  for (let i = 0; i < n; i++) {
    const x = a[i] ?? 0, y = b[i] ?? 0;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

function compare(x, y, r) {
  if (x === y) return 0;
  const a = weigh(x, r.numeric), b = weigh(y, r.numeric), n = Math.min(a.primary.length, b.primary.length);
  let order = compareLists(a.primary, b.primary, n) || Math.sign(a.primary.length - b.primary.length);
  if (order === 0 && r.sensitivity !== 'base' && r.sensitivity !== 'case') order = compareLists(a.marks, b.marks, n);
  if (order === 0 && r.sensitivity !== 'base' && r.sensitivity !== 'accent') {
    order = compareLists(a.cases, b.cases, n);
    if (r.caseFirst === 'upper') order = -order;
  }
  return order;
}

class Collator {
  #r;
  #compare;
  constructor(locales, options = {}) {
    const tag = listOf(locales)[0] ?? '';
    this.#r = { locale: env.checkLocales(locales), usage: options.usage ?? 'sort', sensitivity: options.sensitivity ?? 'variant', ignorePunctuation: false,
      collation: 'default', numeric: options.numeric === undefined ? /-u(?:-\w+)*-kn(?!-false)/.test(tag) : !!options.numeric,
      caseFirst: options.caseFirst ?? 'false' };
    if (!['base', 'accent', 'case', 'variant'].includes(this.#r.sensitivity)) {
      throw new RangeError(`Value ${this.#r.sensitivity} out of range for Intl.Collator options property sensitivity`);
    }
  }
  get compare() { return this.#compare ??= (x, y) => compare(`${x}`, `${y}`, this.#r); }
  resolvedOptions() { return { ...this.#r }; }
}

// ---- words

class PluralRules {
  #locale;
  #type;
  #numbers;
  constructor(locales, options = {}) {
    this.#locale = env.checkLocales(locales);
    this.#type = options.type ?? 'cardinal';
    if (this.#type !== 'cardinal' && this.#type !== 'ordinal') throw new RangeError(`Value ${this.#type} out of range for Intl.PluralRules options property type`);
    this.#numbers = new env.NumberFormat(undefined, { ...options, style: 'decimal' });
  }
  select(value) {
    const shown = this.#numbers.format(value);
    if (this.#type === 'cardinal') return shown === '1' || shown === '-1' ? 'one' : 'other';
    const n = Math.abs(Number(value)), last = n % 10, lastTwo = n % 100;
    if (last === 1 && lastTwo !== 11) return 'one';
    if (last === 2 && lastTwo !== 12) return 'two';
    return last === 3 && lastTwo !== 13 ? 'few' : 'other';
  }
  selectRange(from, to) {
    if (from === undefined || to === undefined) throw new TypeError('startRange or endRange cannot be undefined');
    if (Number.isNaN(Number(from)) || Number.isNaN(Number(to))) throw new RangeError('Invalid number value');
    return this.#type === 'cardinal' ? 'other' : this.select(to);
  }
  resolvedOptions() {
    return { locale: this.#locale, type: this.#type, pluralCategories: this.#type === 'cardinal' ? ['one', 'other'] : ['few', 'one', 'two', 'other'] };
  }
}

const UNITS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];
const SHORT = { '__proto__': null, 'second': 'sec.', 'minute': 'min.', 'hour': 'hr.', 'week': 'wk.', 'month': 'mo.', 'year': 'yr.' };

class RelativeTimeFormat {
  #locale;
  #numeric;
  #style;
  #numbers = new env.NumberFormat();
  constructor(locales, options = {}) {
    this.#locale = env.checkLocales(locales);
    this.#numeric = options.numeric ?? 'always';
    this.#style = options.style ?? 'long';
  }
  #nameOf(unit) { return this.#style === 'long' ? unit : unit === 'quarter' ? 'qtr.' : SHORT[unit]; }
  format(value, unit) {
    const name = `${unit}`.replace(/s$/, ''), n = Number(value);
    if (!UNITS.includes(name)) throw new RangeError(`Invalid unit argument for format() '${unit}'`);
    if (!Number.isFinite(n)) throw new RangeError('Invalid time value');
    const isPast = n < 0 || Object.is(n, -0);
    if (this.#numeric === 'auto') {
      if (name === 'day' && (n === 1 || n === -1)) return n === 1 ? 'tomorrow' : 'yesterday';
      if (n === 0) return name === 'day' ? 'today' : name === 'second' ? 'now' : `this ${UNITS.indexOf(name) < 3 ? name : this.#nameOf(name)}`;
      if ((n === 1 || n === -1) && UNITS.indexOf(name) > 3) return `${n === 1 ? 'next' : 'last'} ${this.#nameOf(name)}`;
    }
    const isOne = Math.abs(n) === 1;
    let word = isOne ? name : `${name}s`;
    if (this.#style === 'short') word = name === 'quarter' ? (isOne ? 'qtr.' : 'qtrs.') : SHORT[name] ?? word;
    if (this.#style === 'narrow') word = { day: 'd', week: 'w', month: 'mo', quarter: 'q', year: 'y', hour: 'h', minute: 'm', second: 's' }[name];
    const text = `${this.#numbers.format(Math.abs(n))}${this.#style === 'narrow' ? '' : ' '}${word}`;
    return isPast ? `${text} ago` : `in ${text}`;
  }
  formatToParts(value, unit) {
    const text = this.format(value, unit), name = `${unit}`.replace(/s$/, ''), number = this.#numbers.formatToParts(Math.abs(Number(value)));
    const shown = number.map((part) => part.value).join(''), at = text.search(/[\d∞]/);
    if (at < 0) return [{ type: 'literal', value: text }];
    const parts = at > 0 ? [{ type: 'literal', value: text.slice(0, at) }] : [];
    for (const part of number) parts.push({ ...part, unit: name });
    if (at + shown.length < text.length) parts.push({ type: 'literal', value: text.slice(at + shown.length) });
    return parts;
  }
  resolvedOptions() { return { locale: this.#locale, style: this.#style, numeric: this.#numeric, numberingSystem: 'latn' }; }
}

class ListFormat {
  #locale;
  #type;
  #style;
  constructor(locales, options = {}) {
    this.#locale = env.checkLocales(locales);
    this.#type = options.type ?? 'conjunction';
    this.#style = options.style ?? 'long';
  }
  format(list) { return this.formatToParts(list).map((part) => part.value).join(''); }
  formatToParts(list) {
    const items = Array.from(list), parts = [];
    const word = this.#type === 'unit' ? '' : this.#type === 'disjunction' ? 'or' : this.#style === 'long' ? 'and' : this.#style === 'short' ? '&' : '';
    const comma = this.#type === 'unit' && this.#style === 'narrow' ? ' ' : ', ';
    for (let i = 0; i < items.length; i++) {
      if (typeof items[i] !== 'string') throw new TypeError('Iterable yielded a non-String value');
      if (i > 0) {
        const isLast = i === items.length - 1 && word !== '';
        parts.push({ type: 'literal', value: isLast ? (items.length === 2 ? ` ${word} ` : `, ${word} `) : comma });
      }
      parts.push({ type: 'element', value: items[i] });
    }
    return parts;
  }
  resolvedOptions() { return { locale: this.#locale, type: this.#type, style: this.#style }; }
}

// NAMES has what programs ask for most; as the standard has it, other codes are their own names.
const pairs = (text) => Object.fromEntries(text.split(',').map((pair) => pair.split(':')));
const NAMES = {
  language: pairs('ar:Arabic,bg:Bulgarian,bn:Bangla,ca:Catalan,cs:Czech,da:Danish,de:German,el:Greek,en:English,en-GB:British English,' +
    'en-US:American English,es:Spanish,et:Estonian,fa:Persian,fi:Finnish,fr:French,he:Hebrew,hi:Hindi,hr:Croatian,hu:Hungarian,id:Indonesian,' +
    'it:Italian,ja:Japanese,ko:Korean,lt:Lithuanian,lv:Latvian,ms:Malay,nb:Norwegian Bokmål,nl:Dutch,no:Norwegian,pl:Polish,pt:Portuguese,' +
    'pt-BR:Brazilian Portuguese,ro:Romanian,ru:Russian,sk:Slovak,sl:Slovenian,sr:Serbian,sv:Swedish,sw:Swahili,ta:Tamil,th:Thai,tr:Turkish,' +
    'uk:Ukrainian,ur:Urdu,vi:Vietnamese,zh:Chinese'),
  region: pairs('AR:Argentina,AT:Austria,AU:Australia,BE:Belgium,BR:Brazil,CA:Canada,CH:Switzerland,CL:Chile,CN:China,CO:Colombia,CZ:Czechia,' +
    'DE:Germany,DK:Denmark,EG:Egypt,ES:Spain,FI:Finland,FR:France,GB:United Kingdom,GR:Greece,HU:Hungary,ID:Indonesia,IE:Ireland,IL:Israel,' +
    'IN:India,IT:Italy,JP:Japan,KE:Kenya,KR:South Korea,MX:Mexico,MY:Malaysia,NG:Nigeria,NL:Netherlands,NO:Norway,NZ:New Zealand,PE:Peru,' +
    'PH:Philippines,PL:Poland,PT:Portugal,RO:Romania,RU:Russia,SA:Saudi Arabia,SE:Sweden,SG:Singapore,TH:Thailand,TR:Türkiye,UA:Ukraine,' +
    'US:United States,VN:Vietnam,ZA:South Africa'),
  script: pairs('Arab:Arabic,Cyrl:Cyrillic,Deva:Devanagari,Grek:Greek,Hang:Hangul,Hans:Simplified Han,Hant:Traditional Han,Hebr:Hebrew,' +
    'Jpan:Japanese,Kore:Korean,Latn:Latin,Thai:Thai'),
  currency: pairs('AUD:Australian Dollar,BRL:Brazilian Real,CAD:Canadian Dollar,CHF:Swiss Franc,CNY:Chinese Yuan,CZK:Czech Koruna,DKK:Danish Krone,' +
    'EUR:Euro,GBP:British Pound,HKD:Hong Kong Dollar,ILS:Israeli New Shekel,INR:Indian Rupee,JPY:Japanese Yen,KRW:South Korean Won,' +
    'MXN:Mexican Peso,NOK:Norwegian Krone,NZD:New Zealand Dollar,PLN:Polish Zloty,RUB:Russian Ruble,SEK:Swedish Krona,SGD:Singapore Dollar,' +
    'TRY:Turkish Lira,USD:US Dollar,ZAR:South African Rand'),
  calendar: pairs('gregory:Gregorian Calendar,iso8601:ISO-8601 Calendar'),
  dateTimeField: pairs('era:era,year:year,quarter:quarter,month:month,weekOfYear:week,weekday:day of the week,day:day,dayPeriod:AM/PM,hour:hour,' +
    'minute:minute,second:second,timeZoneName:time zone'),
};

class DisplayNames {
  #r;
  constructor(locales, options) {
    const locale = env.checkLocales(locales);
    if (typeof options !== 'object' || options === null) throw new TypeError('Cannot convert undefined or null to object');
    const { style = 'long', type, fallback = 'code', languageDisplay = 'dialect' } = options;
    if (type === undefined) throw new TypeError('Required option "type" must not be undefined');
    if (NAMES[type] === undefined) throw new RangeError(`Value ${type} out of range for Intl.DisplayNames options property type`);
    this.#r = { locale, style, type, fallback, ...(type === 'language' ? { languageDisplay } : {}) };
  }
  of(code) {
    const { type, fallback } = this.#r, text = `${code}`;
    const valid = { language: LOCALE, region: /^(?:[a-z]{2}|\d{3})$/i, script: /^[a-z]{4}$/i, currency: /^[a-z]{3}$/i, calendar: /^[a-z0-9]{3,8}(?:-[a-z0-9]{3,8})*$/i }[type];
    if (valid ? !valid.test(text) : NAMES[type][text] === undefined) throw new RangeError('Invalid argument to Intl.DisplayNames.prototype.of');
    const key = type === 'region' || type === 'currency' ? text.toUpperCase() : type === 'dateTimeField' ? text :
      type === 'script' ? text[0].toUpperCase() + text.slice(1).toLowerCase() : canonical(text);
    const name = NAMES[type][key];
    if (name !== undefined) return name;
    const [language, ...rest] = key.split('-');
    if (type === 'language' && rest.length > 0 && NAMES.language[language] !== undefined) {
      const words = rest.map((part) => NAMES[part.length === 4 ? 'script' : 'region'][part]);
      if (!words.includes(undefined)) return `${NAMES.language[language]} (${words.join(', ')})`;
    }
    return fallback === 'none' ? undefined : key;
  }
  resolvedOptions() { return { ...this.#r }; }
}

const VALUES = {
  __proto__: null, calendar: () => ['gregory', 'iso8601'], collation: () => ['default'], currency: () => Object.keys(NAMES.currency),
  numberingSystem: () => ['latn'], timeZone: () => env.zones(), unit: () => env.numberUnits(),
};
function supportedValuesOf(key) {
  const values = VALUES[`${key}`];
  if (values === undefined) throw new RangeError(`Invalid key : ${key}`);
  return values().sort();
}

// ---- where programs find it

function define(object, name, value) {
  Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
}

const isEnglish = (name) => /^en(?:-|$)/.test(name);
const Intl = {};
Object.defineProperty(Intl, Symbol.toStringTag, { value: 'Intl', configurable: true });
for (const [name, C] of Object.entries({ Collator, DateTimeFormat: env.DateTimeFormat, DisplayNames, ListFormat, Locale,
  NumberFormat: env.NumberFormat, PluralRules, RelativeTimeFormat, Segmenter: env.Segmenter })) {
  let made = C;
  // Some are functions too, which make what `new` makes.
  if (name === 'Collator' || name === 'DateTimeFormat' || name === 'NumberFormat') {
    made = function(locales, options) { return Reflect.construct(C, [locales, options], new.target ?? C); };
    Object.defineProperty(made, 'name', { value: name, configurable: true });
    Object.defineProperty(made, 'length', { value: 0, configurable: true });
    Object.defineProperty(made, 'prototype', { value: C.prototype, writable: false });
    define(C.prototype, 'constructor', made);
  }
  Object.defineProperty(C.prototype, Symbol.toStringTag, { value: `Intl.${name}`, configurable: true });
  if (name !== 'Locale') define(made, 'supportedLocalesOf', { supportedLocalesOf(locales) { return listOf(locales).filter(isEnglish); } }.supportedLocalesOf);
  define(Intl, name, made);
}
define(Intl, 'getCanonicalLocales', { getCanonicalLocales(locales) { return [...new Set(listOf(locales))]; } }.getCanonicalLocales);
define(Intl, 'supportedValuesOf', { supportedValuesOf }.supportedValuesOf);
define(globalThis, 'Intl', Intl);

const { valueOf: numberOf } = Number.prototype, { valueOf: bigIntOf } = BigInt.prototype;
function primitiveOf(value, valueOf, name) {
  try { return valueOf.call(value); } catch { throw new TypeError(`${name}.prototype.toLocaleString requires that 'this' be a ${name}`); }
}

const methods = {
  toLocaleString(locales, options) { return env.formatNumber(primitiveOf(this, numberOf, 'Number'), locales, options, 'Number.prototype.toLocaleString'); },
};
const bigInts = {
  toLocaleString(locales, options) { return env.formatNumber(primitiveOf(this, bigIntOf, 'BigInt'), locales, options, 'BigInt.prototype.toLocaleString'); },
};
// V8 says after the offset which zone that is.
const { toString: dateText, toTimeString: timeText } = Date.prototype, { call } = Function.prototype;
const printDate = call.bind(dateText), printTime = call.bind(timeText);
function named(text, date) {
  if (!/GMT[+-]\d{4}$/.test(text)) return text;
  const name = env.localZoneName(date);
  return name === undefined ? text : `${text} (${name})`;
}
const dates = {
  toString() { return named(printDate(this), this); },
  toTimeString() { return named(printTime(this), this); },
  toLocaleString(locales, options) { return env.formatDate(this, locales, options, 'any', 'all', 'Date.prototype.toLocaleString'); },
  toLocaleDateString(locales, options) { return env.formatDate(this, locales, options, 'date', 'date', 'Date.prototype.toLocaleDateString'); },
  toLocaleTimeString(locales, options) { return env.formatDate(this, locales, options, 'time', 'time', 'Date.prototype.toLocaleTimeString'); },
};
const strings = {
  localeCompare(that, locales, options) {
    if (this == null) throw new TypeError('String.prototype.localeCompare called on null or undefined');
    const order = locales === undefined && options === undefined ? plainOrder : new Collator(locales, options).compare;
    return order(`${this}`, `${that}`);
  },
};
const plainOrder = new Collator().compare;
for (const [proto, own] of [[Number.prototype, methods], [BigInt.prototype, bigInts], [Date.prototype, dates], [String.prototype, strings]]) {
  for (const name of Object.keys(own)) {
    Object.defineProperty(own[name], 'length', { value: name === 'localeCompare' ? 1 : 0, configurable: true });
    define(proto, name, own[name]);
  }
}
