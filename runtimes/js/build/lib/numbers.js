// Numbers as Node prints them in English: the only language there is, as in a Node that was built with small-icu.
'use strict';

const SYMBOLS = { '__proto__': null, 'USD': '$', 'EUR': '€', 'GBP': '£', 'JPY': '¥', 'INR': '₹', 'CNY': 'CN¥', 'KRW': '₩', 'BRL': 'R$',
  'CAD': 'CA$', 'AUD': 'A$', 'MXN': 'MX$', 'NZD': 'NZ$', 'HKD': 'HK$', 'ILS': '₪', 'VND': '₫', 'TWD': 'NT$', 'PHP': '₱', 'XAF': 'FCFA',
  'XOF': 'F\u202fCFA', 'XPF': 'CFPF', 'XCD': 'EC$' };
const NARROW = { '__proto__': null, 'CNY': '¥', 'CAD': '$', 'AUD': '$', 'MXN': '$', 'NZD': '$', 'HKD': '$', 'TWD': '$', 'SGD': '$', 'ARS': '$',
  'RUB': '₽', 'UAH': '₴', 'TRY': '₺', 'PLN': 'zł', 'SEK': 'kr', 'NOK': 'kr', 'DKK': 'kr', 'NGN': '₦', 'CZK': 'Kč', 'HUF': 'Ft' };
const NAMES = { '__proto__': null, 'USD': ['US dollar', 'US dollars'], 'EUR': ['euro', 'euros'], 'GBP': ['British pound', 'British pounds'],
  'JPY': ['Japanese yen', 'Japanese yen'], 'INR': ['Indian rupee', 'Indian rupees'], 'CNY': ['Chinese yuan', 'Chinese yuan'],
  'CAD': ['Canadian dollar', 'Canadian dollars'], 'AUD': ['Australian dollar', 'Australian dollars'],
  'CHF': ['Swiss franc', 'Swiss francs'], 'KRW': ['South Korean won', 'South Korean won'],
  'MXN': ['Mexican peso', 'Mexican pesos'], 'BRL': ['Brazilian real', 'Brazilian reals'] };
const MINOR = { '__proto__': null, 'JPY': 0, 'KRW': 0, 'VND': 0, 'CLP': 0, 'ISK': 0, 'XAF': 0, 'XOF': 0, 'XPF': 0, 'UGX': 0, 'PYG': 0, 'RWF': 0,
  'KWD': 3, 'BHD': 3, 'OMR': 3, 'JOD': 3, 'TND': 3, 'IQD': 0, 'LYD': 3 };
// Each unit's short form, of one and of several; where there is none, its own name stands.
const UNITS = { '__proto__': null, 'kilometer': [' km'], 'meter': [' m'], 'centimeter': [' cm'], 'millimeter': [' mm'], 'mile': [' mi'],
  'foot': [' ft'], 'inch': [' in'], 'yard': [' yd'], 'gram': [' g'], 'kilogram': [' kg'], 'pound': [' lb'], 'ounce': [' oz'], 'liter': [' L'],
  'milliliter': [' mL'], 'celsius': ['°C'], 'fahrenheit': ['°F'], 'percent': ['%'], 'degree': [' deg'], 'bit': [' bit'], 'byte': [' byte'],
  'kilobit': [' kb'], 'kilobyte': [' kB'], 'megabit': [' Mb'], 'megabyte': [' MB'], 'gigabit': [' Gb'], 'gigabyte': [' GB'],
  'terabit': [' Tb'], 'terabyte': [' TB'], 'petabyte': [' PB'], 'nanosecond': [' ns'], 'microsecond': [' μs'], 'millisecond': [' ms'],
  'second': [' sec'], 'minute': [' min'], 'hour': [' hr'], 'day': [' day', ' days'], 'week': [' wk', ' wks'], 'month': [' mth', ' mths'],
  'year': [' yr', ' yrs'], 'acre': [' ac'], 'hectare': [' ha'], 'stone': [' st'], 'gallon': [' gal'], 'fluid-ounce': [' fl oz'] };
const LONG = { '__proto__': null, 'foot': [' foot', ' feet'], 'inch': [' inch', ' inches'], 'celsius': [' degree Celsius', ' degrees Celsius'],
  'fahrenheit': [' degree Fahrenheit', ' degrees Fahrenheit'], 'percent': [' percent', ' percent'], 'stone': [' stone', ' stones'],
  'fluid-ounce': [' fluid ounce', ' fluid ounces'] };
const PER = { '__proto__': null, 'second': '/s', 'minute': '/min', 'hour': '/h', 'day': '/d' };
const POWERS = [['K', 'thousand'], ['M', 'million'], ['B', 'billion'], ['T', 'trillion']];

const outOfRange = (name) => new RangeError(`${name} value is out of range.`);

// choice reads an option that is one of some strings.
function choice(options, name, values, otherwise, caller) {
  const value = options[name];
  if (value === undefined) return otherwise;
  const text = `${value}`;
  if (values !== undefined && !values.includes(text)) throw new RangeError(`Value ${text} out of range for ${caller} options property ${name}`);
  return text;
}

function count(options, name, low, high) {
  const value = options[name];
  if (value === undefined) return undefined;
  const n = Number(value);
  if (!(n >= low && n <= high)) throw outOfRange(name);
  return Math.floor(n);
}

// A decimal is { negative, digits, point }: 0.digits times ten to the power of point, without zeros at either end.
function decimalOf(value) {
  const [, sign, whole, fraction = '', power = '0'] = /^(-?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(Object.is(value, -0) ? '-0' : `${value}`);
  const digits = (whole + fraction).replace(/^0+/, ''), lost = whole.length + fraction.length - digits.length;
  return { negative: sign === '-', digits: digits.replace(/0+$/, ''), point: digits === '' ? 0 : whole.length - lost + Number(power) };
}

// isUp says whether what a number loses, which is not nothing, makes the last digit that it keeps one more.
function isUp(d, keep, mode) {
  const first = d.digits[keep] ?? '0', isHalf = first === '5' && d.digits.length === keep + 1;
  if (mode.startsWith('half') && !isHalf) return first >= '5';
  switch (mode) {
    case 'ceil': case 'halfCeil': return !d.negative;
    case 'floor': case 'halfFloor': return d.negative;
    case 'trunc': case 'halfTrunc': return false;
    case 'halfEven': return keep > 0 && d.digits.charCodeAt(keep - 1) % 2 === 1;
    default: return true;
  }
}

// rounded keeps so many digits; fewer than none, if what is asked for stands further to the left than the first.
function rounded(d, keep, mode) {
  if (keep >= d.digits.length || d.digits === '') return d;
  let digits = d.digits.slice(0, Math.max(0, keep)), { point } = d;
  if (isUp(d, keep, mode)) {
    let i = keep - 1;
    while (i >= 0 && digits[i] === '9') i--;
    if (i < 0) { digits = '1'; point += keep > 0 ? 1 : 1 - keep; } else digits = digits.slice(0, i) + String.fromCharCode(digits.charCodeAt(i) + 1);
  }
  digits = digits.replace(/0+$/, '');
  return { negative: d.negative, digits, point: digits === '' ? 0 : point };
}

function digitOptions(options, r, low, high) {
  r.minimumIntegerDigits = count(options, 'minimumIntegerDigits', 1, 21) ?? 1;
  let least = count(options, 'minimumFractionDigits', 0, 20), most = count(options, 'maximumFractionDigits', 0, 20);
  const leastKept = count(options, 'minimumSignificantDigits', 1, 21), mostKept = count(options, 'maximumSignificantDigits', leastKept ?? 1, 21);
  if (leastKept !== undefined || mostKept !== undefined) {
    r.minimumSignificantDigits = leastKept ?? 1;
    r.maximumSignificantDigits = mostKept ?? 21;
    return;
  }
  r.isFree = r.notation === 'compact' && least === undefined && most === undefined;
  if (r.isFree) low = high = 0;
  if (least !== undefined && most !== undefined && least > most) throw outOfRange('maximumFractionDigits');
  least ??= Math.min(low, most ?? low);
  most ??= Math.max(high, least);
  r.minimumFractionDigits = least;
  r.maximumFractionDigits = most;
}

function round(r, d) {
  if (r.maximumSignificantDigits !== undefined) return rounded(d, r.maximumSignificantDigits, r.roundingMode);
  const keep = d.point + r.maximumFractionDigits;
  return rounded(d, r.isFree ? Math.max(keep, 2) : keep, r.roundingMode);
}

// plainParts are a rounded decimal's digits.
function plainParts(r, d, least) {
  const whole = d.point > 0 ? d.digits.slice(0, d.point).padEnd(d.point, '0') : '0';
  let fraction = d.point > 0 ? d.digits.slice(d.point) : d.digits === '' ? '' : '0'.repeat(-d.point) + d.digits;
  let kept = least;
  if (r.minimumSignificantDigits !== undefined) {
    kept = d.digits === '' ? r.minimumSignificantDigits - 1 : Math.max(0, r.minimumSignificantDigits - d.point);
  }
  fraction = fraction === '' && r.trailingZeroDisplay === 'stripIfInteger' ? '' : fraction.padEnd(kept, '0');
  const text = whole.padStart(r.minimumIntegerDigits, '0'), parts = [];
  const groups = r.useGrouping !== false && (r.useGrouping !== 'min2' || text.length > 4);
  for (let end = text.length % 3 || 3, from = 0; from < text.length; from = end, end += 3) {
    if (!groups) end = text.length;
    if (from > 0) parts.push({ type: 'group', value: ',' });
    parts.push({ type: 'integer', value: text.slice(from, end) });
  }
  if (fraction !== '') parts.push({ type: 'decimal', value: '.' }, { type: 'fraction', value: fraction });
  return parts;
}

function compactParts(r, value) {
  let d, power = 0;
  const at = (p) => round(r, { ...value, point: value.digits === '' ? 0 : value.point - 3 * p });
  power = Math.min(4, Math.max(0, Math.ceil(value.point / 3) - 1));
  d = at(power);
  if (d.point > 3 && power < 4) d = at(++power);
  const parts = plainParts(r, d, r.minimumFractionDigits);
  if (power > 0) {
    const [short, long] = POWERS[power - 1];
    if (r.compactDisplay === 'long') parts.push({ type: 'literal', value: ' ' });
    parts.push({ type: 'compact', value: r.compactDisplay === 'long' ? long : short });
  }
  return { parts, d };
}

function exponentParts(r, value) {
  const step = r.notation === 'engineering' ? 3 : 1;
  let shift = value.digits === '' ? 0 : Math.floor((value.point - 1) / step) * step;
  let d = round(r, { ...value, point: value.digits === '' ? 0 : value.point - shift });
  if (d.point > step) {
    shift += step;
    d = { ...d, point: d.point - step };
  }
  const parts = plainParts(r, d, r.minimumFractionDigits);
  parts.push({ type: 'exponentSeparator', value: 'E' });
  if (shift < 0) parts.push({ type: 'exponentMinusSign', value: '-' });
  parts.push({ type: 'exponentInteger', value: `${Math.abs(shift)}` });
  return { parts, d };
}

function unitText(r, isOne) {
  const [unit, per] = r.unit.split('-per-');
  if (r.unitDisplay === 'long') {
    const own = LONG[unit] ?? [` ${unit}`, ` ${unit}s`];
    return own[isOne ? 0 : 1] + (per === undefined ? '' : ` per ${per}`);
  }
  const short = UNITS[unit];
  let text = isOne ? short[0] : short.at(-1);
  if (r.unit === 'mile-per-hour') return r.unitDisplay === 'narrow' ? 'mph' : ' mph';
  if (r.unitDisplay === 'narrow') text = { '__proto__': null, 'celsius': '°C', 'fahrenheit': '°', 'second': 's', 'minute': 'm', 'hour': 'h', 'day': 'd',
    'week': 'w', 'month': 'm', 'year': 'y', 'byte': 'B', 'foot': '′', 'inch': '″', 'degree': '°', 'pound': '#' }[unit] ?? text.trim();
  return per === undefined ? text : text + (PER[per] ?? `/${UNITS[per][0].trim()}`);
}

// affixes puts sign, currency, percent sign and unit around a number.
function affixes(r, parts, negative, isZero, isOne) {
  let sign = negative ? '-' : '';
  switch (r.signDisplay) {
    case 'never': sign = ''; break;
    case 'always': sign ||= '+'; break;
    case 'exceptZero': sign = isZero ? '' : sign || '+'; break;
    case 'negative': if (isZero) sign = ''; break;
  }
  const signPart = sign && { type: sign === '-' ? 'minusSign' : 'plusSign', value: sign };
  if (r.style === 'currency') {
    const { currency } = r;
    if (r.currencyDisplay === 'name') {
      parts.push({ type: 'literal', value: ' ' }, { type: 'currency', value: NAMES[currency]?.[isOne ? 0 : 1] ?? currency });
    } else {
      let symbol = currency;
      if (r.currencyDisplay === 'narrowSymbol') symbol = NARROW[currency] ?? SYMBOLS[currency] ?? currency;
      else if (r.currencyDisplay === 'symbol') symbol = SYMBOLS[currency] ?? currency;
      if (/[A-Z]$/i.test(symbol) && parts[0].type === 'integer') parts.unshift({ type: 'literal', value: '\xa0' });
      parts.unshift({ type: 'currency', value: symbol });
      if (sign === '-' && r.currencySign === 'accounting') {
        return [{ type: 'literal', value: '(' }, ...parts, { type: 'literal', value: ')' }];
      }
    }
  }
  if (r.style === 'percent') parts.push({ type: 'percentSign', value: '%' });
  if (r.style === 'unit') {
    const text = unitText(r, isOne), name = text.trimStart();
    if (name !== text) parts.push({ type: 'literal', value: ' ' });
    parts.push({ type: 'unit', value: name });
  }
  return sign ? [signPart, ...parts] : parts;
}

function partsOf(r, value) {
  if (typeof value === 'string') value = /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?\s*$/i.test(value) ? value.trim().replace(/^\+/, '') : Number(value);
  else if (typeof value !== 'bigint') value = Number(value);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    const isNaN = Number.isNaN(value);
    return affixes(r, [{ type: isNaN ? 'nan' : 'infinity', value: isNaN ? 'NaN' : '∞' }], value < 0, isNaN, false);
  }
  const exact = decimalOf(value);
  if (r.style === 'percent' && exact.digits !== '') exact.point += 2;
  let d, parts;
  if (r.notation === 'compact') ({ parts, d } = compactParts(r, exact));
  else if (r.notation === 'standard') {
    d = round(r, exact);
    parts = plainParts(r, d, r.minimumFractionDigits);
  } else ({ parts, d } = exponentParts(r, exact));
  const isOne = d.digits === '1' && d.point === 1 && parts.length === 1;
  return affixes(r, parts, exact.negative, d.digits === '', isOne);
}

const joined = (parts) => {
  let text = '';
  for (let i = 0; i < parts.length; i++) text += parts[i].value;
  return text;
};

function resolve(options, caller = 'Intl.NumberFormat') {
  const r = { locale: 'en-US', numberingSystem: 'latn' };
  const read = (name, values, otherwise) => choice(options, name, values, otherwise, caller);
  r.style = read('style', ['decimal', 'percent', 'currency', 'unit'], 'decimal');
  const currency = read('currency'), unit = read('unit');
  if (currency !== undefined && !/^[a-z]{3}$/i.test(currency)) throw new RangeError(`Invalid currency code : ${currency}`);
  if (unit !== undefined && !unit.split('-per-').every((u) => UNITS[u] !== undefined)) throw new RangeError(`Invalid unit argument for Intl.NumberFormat() '${unit}'`);
  if (r.style === 'currency') {
    if (currency === undefined) throw new TypeError('Currency code is required with currency style.');
    r.currency = currency.toUpperCase();
    r.currencyDisplay = read('currencyDisplay', ['code', 'symbol', 'narrowSymbol', 'name'], 'symbol');
    r.currencySign = read('currencySign', ['standard', 'accounting'], 'standard');
  } else if (r.style === 'unit') {
    if (unit === undefined) throw new TypeError('Required unit option is missing for unit style.');
    r.unit = unit;
    r.unitDisplay = read('unitDisplay', ['short', 'narrow', 'long'], 'short');
  }
  r.notation = read('notation', ['standard', 'scientific', 'engineering', 'compact'], 'standard');
  const minor = r.style === 'currency' && r.notation === 'standard' ? MINOR[r.currency] ?? 2 : 0;
  digitOptions(options, r, minor, r.style === 'currency' ? minor : r.style === 'percent' ? 0 : 3);
  if (r.notation === 'compact') r.compactDisplay = read('compactDisplay', ['short', 'long'], 'short');
  const { useGrouping } = options;
  r.useGrouping = useGrouping === false || useGrouping === 'false' ? false : useGrouping === 'always' || useGrouping === 'min2' ? useGrouping :
    r.notation === 'compact' && useGrouping === undefined ? 'min2' : 'auto';
  r.signDisplay = read('signDisplay', ['auto', 'never', 'always', 'exceptZero', 'negative'], 'auto');
  r.roundingMode = read('roundingMode', ['ceil', 'floor', 'expand', 'trunc', 'halfCeil', 'halfFloor', 'halfExpand', 'halfTrunc', 'halfEven'], 'halfExpand');
  r.trailingZeroDisplay = read('trailingZeroDisplay', ['auto', 'stripIfInteger'], 'auto');
  r.roundingIncrement = count(options, 'roundingIncrement', 1, 5000) ?? 1;
  r.roundingPriority = read('roundingPriority', ['auto', 'morePrecision', 'lessPrecision'], 'auto');
  for (const name of ['roundingIncrement', 'roundingPriority']) {
    if (r[name] !== 1 && r[name] !== 'auto') throw new RangeError(`${name} ${r[name]} is not supported`);
  }
  if (r.isFree) r.roundingPriority = 'morePrecision';
  return r;
}

const SHOWN = ['locale', 'numberingSystem', 'style', 'currency', 'currencyDisplay', 'currencySign', 'unit', 'unitDisplay',
  'minimumIntegerDigits', 'minimumFractionDigits', 'maximumFractionDigits', 'minimumSignificantDigits', 'maximumSignificantDigits',
  'useGrouping', 'notation', 'compactDisplay', 'signDisplay', 'roundingMode', 'roundingIncrement', 'trailingZeroDisplay', 'roundingPriority'];

class NumberFormat {
  #r;
  #format;
  constructor(locales, options) {
    const locale = env.checkLocales(locales);
    if (options === null) throw new TypeError('Cannot convert undefined or null to object');
    this.#r = resolve(options === undefined ? {} : Object(options));
    this.#r.locale = locale;
  }
  get format() { return this.#format ??= (value) => joined(partsOf(this.#r, value)); }
  formatToParts(value) { return partsOf(this.#r, value); }
  formatRange(from, to) {
    const a = joined(partsOf(this.#r, from)), b = joined(partsOf(this.#r, to));
    return a === b ? `~${a}` : this.#r.style === 'currency' ? `${a} – ${b}` : `${a}–${b}`;
  }
  formatRangeToParts(from, to) {
    const a = partsOf(this.#r, from), b = partsOf(this.#r, to), of = (parts, source) => parts.map((part) => ({ ...part, source }));
    if (joined(a) === joined(b)) return [{ type: 'approximatelySign', value: '~', source: 'shared' }, ...of(a, 'shared')];
    return [...of(a, 'startRange'), { type: 'literal', value: this.#r.style === 'currency' ? ' – ' : '–', source: 'shared' }, ...of(b, 'endRange')];
  }
  resolvedOptions() {
    const r = this.#r, out = {};
    for (let i = 0; i < SHOWN.length; i++) if (r[SHOWN[i]] !== undefined) out[SHOWN[i]] = r[SHOWN[i]];
    return out;
  }
}

env.NumberFormat = NumberFormat;
env.numberUnits = () => Object.keys(UNITS);
let plain;
env.formatNumber = (value, locales, options, caller) => {
  if (options !== undefined || locales !== undefined) {
    env.checkLocales(locales);
    if (options === null) throw new TypeError('Cannot convert undefined or null to object');
    return joined(partsOf(resolve(options === undefined ? {} : Object(options), caller), value));
  }
  plain ??= resolve({});
  return joined(partsOf(plain, value));
};
