// Dates as Node prints them in English, in any zone that /usr/share/zoneinfo has.
'use strict';

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const UTC = ['utc', 'gmt', 'etc/utc', 'etc/gmt', 'etc/uct', 'uct', 'etc/zulu', 'zulu', 'universal', 'etc/universal'];
const WIDTHS = ['narrow', 'short', 'long'], DIGITS = ['2-digit', 'numeric'];
const FIELDS = { '__proto__': null, 'weekday': WIDTHS, 'era': WIDTHS, 'year': DIGITS, 'month': [...DIGITS, ...WIDTHS], 'day': DIGITS,
  'dayPeriod': WIDTHS, 'hour': DIGITS, 'minute': DIGITS, 'second': DIGITS };
const DATE_STYLES = { '__proto__': null, 'full': { weekday: 'long', month: 'long', day: 'numeric', year: 'numeric' },
  'long': { month: 'long', day: 'numeric', year: 'numeric' }, 'medium': { month: 'short', day: 'numeric', year: 'numeric' },
  'short': { month: 'numeric', day: 'numeric', year: '2-digit' } };
const TIME = { hour: 'numeric', minute: '2-digit' };
const TIME_STYLES = { '__proto__': null, 'full': { ...TIME, second: '2-digit', timeZoneName: 'long' },
  'long': { ...TIME, second: '2-digit', timeZoneName: 'short' }, 'medium': { ...TIME, second: '2-digit' }, 'short': TIME };

const localZone = () => env.process.env.TZ || 'UTC';
env.isUTC = () => UTC.includes(localZone().toLowerCase());

function zoneOf(value) {
  const own = localZone();
  if (value === undefined) return { name: env.isUTC() ? 'UTC' : own, isUTC: false };
  const text = `${value}`;
  if (UTC.includes(text.toLowerCase())) return { name: 'UTC', isUTC: true };
  if (text.toLowerCase() === own.toLowerCase()) return { name: own, isUTC: false };
  const offset = /^([+-])([01]\d|2[0-3]):?([0-5]\d)?$/.exec(text);
  if (offset !== null) return { name: `${offset[1]}${offset[2]}:${offset[3] ?? '00'}`, isUTC: false, fixed: `<own>${offset[1] === '+' ? '-' : '+'}${offset[2]}:${offset[3] ?? '00'}` };
  const found = zoneNamed(text);
  if (found !== undefined) return { name: found, isUTC: false, other: found };
  throw new RangeError(`Invalid time zone specified: ${text}`);
}

const ZONES = '/usr/share/zoneinfo';
const isZone = (name) => /^[A-Za-z]\w*(?:[/+-]\w+)*$/.test(name) && env.readText(`${ZONES}/${name}`)?.startsWith('TZif');
const knownZones = new Map();

// zoneNamed answers a zone's name as it is written, or undefined where there is none.
function zoneNamed(text) {
  const key = text.toLowerCase();
  let name = knownZones.get(key);
  if (name === undefined) {
    const words = key.replace(/(^|[/_-])([a-z])/g, (all, before, letter) => before + letter.toUpperCase());
    name = [text, words, key.toUpperCase(), words.replace(/_(?:Of|Es|Au)(?=_)/g, (word) => word.toLowerCase())].find((n) => /^[A-Za-z]/.test(n) && isZone(n));
    if (name !== undefined) knownZones.set(key, name);
  }
  return name;
}
env.zones = () => {
  const found = env.readText(`${ZONES}/zone.tab`);
  return [...new Set((found ?? '').split('\n').filter((line) => line && line[0] !== '#').map((line) => line.split('\t')[2])), 'UTC'];
};

// inZone runs f in another zone, for C knows only one at a time.
function inZone(zone, f) {
  const before = env.process.env.TZ;
  env.native.setenv('TZ', zone);
  try { return f(); } finally { env.native.setenv('TZ', before); }
}

// Zones whose names people know: a pattern of Olson's names, then standard and summer time, and what is short for them.
const NAMED = [
  [/^(?:America\/(?:New_York|Detroit|Toronto|Kentucky|Indiana|Nassau|Port-au-Prince|Montreal)|US\/Eastern|EST5EDT)/, 'Eastern', 'E'],
  [/^(?:America\/(?:Chicago|Winnipeg|Menominee|North_Dakota|Matamoros)|US\/Central|CST6CDT)/, 'Central', 'C'],
  [/^(?:America\/(?:Denver|Boise|Phoenix|Edmonton)|US\/(?:Mountain|Arizona)|MST7MDT)/, 'Mountain', 'M'],
  [/^(?:America\/(?:Los_Angeles|Vancouver|Tijuana)|US\/Pacific|PST8PDT)/, 'Pacific', 'P'],
  [/^America\/(?:Anchorage|Juneau|Nome|Sitka)/, 'Alaska', 'AK'],
  [/^(?:America\/(?:Halifax|Bermuda)|Atlantic\/Bermuda|America\/Puerto_Rico)/, 'Atlantic', 'A'],
  [/^(?:Pacific\/Honolulu|US\/Hawaii|HST)/, 'Hawaii-Aleutian', 'H'],
  [/^Europe\/(?:Berlin|Paris|Madrid|Rome|Vienna|Zurich|Brussels|Amsterdam|Prague|Warsaw|Budapest|Stockholm|Oslo|Copenhagen|Belgrade|Luxembourg|Zagreb)/, 'Central European'],
  [/^Europe\/(?:Athens|Helsinki|Kiev|Kyiv|Bucharest|Sofia|Riga|Tallinn|Vilnius)/, 'Eastern European'],
  [/^(?:Europe\/Lisbon|Atlantic\/(?:Madeira|Canary))/, 'Western European'],
  [/^Australia\/(?:Sydney|Melbourne|Brisbane|Hobart)/, 'Australian Eastern'], [/^Australia\/(?:Adelaide|Darwin)/, 'Australian Central'],
  [/^Australia\/Perth/, 'Australian Western'], [/^Pacific\/Auckland/, 'New Zealand'], [/^Asia\/Tokyo|^Japan$/, 'Japan'], [/^Asia\/Seoul/, 'Korean'],
  [/^Asia\/Shanghai|^PRC$/, 'China'], [/^Asia\/Hong_Kong/, 'Hong Kong'], [/^Asia\/(?:Kolkata|Calcutta)/, 'India'], [/^Asia\/Singapore/, 'Singapore'],
  [/^Asia\/Dubai/, 'Gulf'], [/^Asia\/Jerusalem/, 'Israel'], [/^Europe\/Moscow/, 'Moscow'], [/^America\/Sao_Paulo/, 'Brasilia'],
  [/^America\/(?:Argentina|Buenos_Aires)/, 'Argentina'], [/^Africa\/Johannesburg/, 'South Africa'], [/^Asia\/Manila/, 'Philippine'],
];
const PLAIN = { '__proto__': null, 'Singapore': 'Singapore Standard Time', 'Moscow': 'Moscow Standard Time', 'India': 'India Standard Time' };

// zoneWords answers a zone's long and short name at an offset, as far as it has any in English.
function zoneWords(zone, offset, standard) {
  if (/^Europe\/London|^GB$/.test(zone)) return offset === 0 ? ['Greenwich Mean Time', 'GMT'] : ['British Summer Time', 'GMT+1'];
  if (/^Europe\/Dublin|^Eire$/.test(zone)) return offset === 0 ? ['Greenwich Mean Time', 'GMT'] : ['Irish Standard Time', 'GMT+1'];
  const found = NAMED.find(([pattern]) => pattern.test(zone));
  if (found === undefined) return [undefined, undefined];
  const [, name, short] = found, isSummer = offset !== standard;
  const summer = /European|Brasilia|Argentina|Moscow/.test(name) ? 'Summer' : 'Daylight';
  return [PLAIN[name] ?? `${name} ${isSummer ? summer : 'Standard'} Time`, short === undefined ? undefined : `${short}${isSummer ? 'D' : 'S'}T`];
}

// standardOffset is that of winter in the date's year, where one of its halves has summer time.
function standardOffset(year) {
  return Math.min(-new Date(year, 0, 1).getTimezoneOffset(), -new Date(year, 6, 1).getTimezoneOffset());
}

env.localZoneName = (date) => {
  if (env.isUTC()) return 'Coordinated Universal Time';
  const offset = -date.getTimezoneOffset(), [long] = zoneWords(localZone(), offset, standardOffset(date.getFullYear()));
  if (long !== undefined) return long;
  const minutes = Math.abs(offset);
  return `GMT${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
};

function choice(options, name, values, caller) {
  const value = options[name];
  if (value === undefined) return undefined;
  const text = `${value}`;
  if (!values.includes(text)) throw new RangeError(`Value ${text} out of range for ${caller} options property ${name}`);
  return text;
}

// resolve reads what is wanted; where nothing is, `lacking` is: 'date', 'time' or 'all'.
function resolve(given, required, lacking, caller = 'Intl.DateTimeFormat') {
  const options = given === undefined ? {} : Object(given), r = {}, { name, isUTC, other, fixed } = zoneOf(options.timeZone);
  const read = (name, values) => choice(options, name, values, caller);
  const cycle = read('hourCycle', ['h11', 'h12', 'h23', 'h24']), { hour12 } = options;
  for (const field in FIELDS) r[field] = read(field, FIELDS[field]);
  r.fractionalSecondDigits = options.fractionalSecondDigits;
  if (r.fractionalSecondDigits !== undefined && !(r.fractionalSecondDigits >= 1 && r.fractionalSecondDigits <= 3)) {
    throw new RangeError('fractionalSecondDigits value is out of range.');
  }
  r.timeZoneName = read('timeZoneName', ['short', 'long', 'shortOffset', 'longOffset', 'shortGeneric', 'longGeneric']);
  r.dateStyle = read('dateStyle', ['full', 'long', 'medium', 'short']);
  r.timeStyle = read('timeStyle', ['full', 'long', 'medium', 'short']);
  const hasDate = r.weekday ?? r.year ?? r.month ?? r.day, hasTime = r.dayPeriod ?? r.hour ?? r.minute ?? r.second ?? r.fractionalSecondDigits;
  if (r.dateStyle !== undefined || r.timeStyle !== undefined) {
    if (hasDate !== undefined || hasTime !== undefined) {
      const field = Object.keys(FIELDS).find((f) => r[f] !== undefined) ?? 'fractionalSecondDigits';
      throw new TypeError(`Can't set option ${field} when ${r.dateStyle === undefined ? 'timeStyle' : 'dateStyle'} is used`);
    }
    if (required === 'date' && r.timeStyle !== undefined) throw new TypeError('Invalid option : timeStyle');
    if (required === 'time' && r.dateStyle !== undefined) throw new TypeError('Invalid option : dateStyle');
    Object.assign(r, DATE_STYLES[r.dateStyle], TIME_STYLES[r.timeStyle]);
  } else {
    const isLacking = (required === 'date' || hasTime === undefined) && (required === 'time' || hasDate === undefined);
    if (isLacking && lacking !== 'time') r.year = r.month = r.day = 'numeric';
    if (isLacking && lacking !== 'date') r.hour = r.minute = r.second = 'numeric';
  }
  r.zone = name;
  r.isUTC = isUTC;
  r.other = other ?? fixed;
  if (r.hour !== undefined) {
    r.isTwelve = hour12 === undefined ? cycle === undefined || cycle === 'h11' || cycle === 'h12' : !!hour12;
    r.cycle = hour12 === undefined ? cycle ?? 'h12' : hour12 ? 'h12' : cycle === 'h23' ? 'h23' : 'h24';
    if (hour12 === false) r.cycle = 'h24';
  }
  return r;
}

function fieldsOf(date, isUTC) {
  if (isUTC) {
    return { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate(), weekday: date.getUTCDay(), hour: date.getUTCHours(),
      minute: date.getUTCMinutes(), second: date.getUTCSeconds(), ms: date.getUTCMilliseconds(), offset: 0 };
  }
  return { year: date.getFullYear(), month: date.getMonth(), day: date.getDate(), weekday: date.getDay(), hour: date.getHours(),
    minute: date.getMinutes(), second: date.getSeconds(), ms: date.getMilliseconds(), offset: -date.getTimezoneOffset(),
    standard: standardOffset(date.getFullYear()) };
}

const two = (n) => `${n}`.padStart(2, '0');
const width = (name, style) => (style === 'long' ? name : style === 'short' ? name.slice(0, 3) : name[0]);
const pad = (n, style) => (style === '2-digit' ? two(n) : `${n}`);

function dateParts(r, f, out) {
  const put = (type, value) => out.push({ type, value }), literal = (value) => out.push({ type: 'literal', value });
  const weekday = r.weekday && width(DAYS[f.weekday], r.weekday);
  const isBC = f.year < 1, shown = r.era && isBC ? 1 - f.year : f.year, year = r.year === '2-digit' ? two(Math.abs(shown) % 100) : `${shown}`;
  const isNumeric = r.month === 'numeric' || r.month === '2-digit';
  if (r.month === undefined) {
    if (r.day !== undefined) put('day', pad(f.day, r.day));
    if (r.year !== undefined) {
      if (out.length > 0) literal(' ');
      put('year', year);
    }
    if (weekday !== undefined) {
      if (out.length > 0) literal(' ');
      put('weekday', weekday);
    }
  } else {
    if (weekday !== undefined) {
      put('weekday', weekday);
      literal(r.day === undefined && !isNumeric ? ' ' : ', ');
    }
    put('month', isNumeric ? pad(f.month + 1, r.month) : width(MONTHS[f.month], r.month));
    if (r.day !== undefined) {
      literal(isNumeric ? '/' : ' ');
      put('day', pad(f.day, r.day));
    }
    if (r.year !== undefined) {
      literal(isNumeric ? '/' : r.day === undefined ? ' ' : ', ');
      put('year', year);
    }
  }
  if (r.era) {
    if (out.length > 0) literal(' ');
    put('era', r.era === 'long' ? (isBC ? 'Before Christ' : 'Anno Domini') : r.era === 'short' ? (isBC ? 'BC' : 'AD') : isBC ? 'B' : 'A');
  }
}

function zoneName(r, f) {
  if (r.zone === 'UTC' && r.timeZoneName === 'short') return 'UTC';
  if (r.zone === 'UTC' && r.timeZoneName === 'long') return 'Coordinated Universal Time';
  const style = r.timeZoneName;
  if (style === 'short' || style === 'long') {
    const [long, short] = zoneWords(r.zone, f.offset, f.standard);
    if (style === 'long' && long !== undefined) return long;
    if (style === 'short' && short !== undefined) return short;
  }
  if (style === 'shortGeneric' || style === 'longGeneric') {
    const [long, short] = zoneWords(r.zone, f.offset, f.offset);
    const text = style === 'longGeneric' ? long?.replace(' Standard', '') : short?.replace('ST', 'T');
    if (text !== undefined) return text;
  }
  if (f.offset === 0) return 'GMT';
  const minutes = Math.abs(f.offset), rest = minutes % 60, isLong = r.timeZoneName.startsWith('long');
  return `GMT${f.offset < 0 ? '-' : '+'}${isLong ? two(Math.floor(minutes / 60)) : Math.floor(minutes / 60)}${rest || isLong ? `:${two(rest)}` : ''}`;
}

function timeParts(r, f, out) {
  const put = (type, value) => out.push({ type, value }), literal = (value) => out.push({ type: 'literal', value });
  if (r.hour !== undefined) {
    let { hour } = f;
    if (r.cycle === 'h12') hour = hour % 12 || 12;
    else if (r.cycle === 'h11') hour %= 12;
    else if (r.cycle === 'h24') hour ||= 24;
    put('hour', r.isTwelve ? pad(hour, r.hour) : two(hour));
  }
  if (r.minute !== undefined) {
    if (r.hour !== undefined) literal(':');
    put('minute', r.hour !== undefined || r.second !== undefined ? two(f.minute) : `${f.minute}`);
  }
  if (r.second !== undefined) {
    if (r.minute !== undefined) literal(':');
    put('second', r.minute !== undefined ? two(f.second) : `${f.second}`);
  }
  if (r.fractionalSecondDigits !== undefined) {
    if (r.second !== undefined) literal('.');
    put('fractionalSecond', `${f.ms}`.padStart(3, '0').slice(0, r.fractionalSecondDigits));
  }
  if (r.isTwelve) {
    literal('\u202f');
    put('dayPeriod', f.hour < 12 ? 'AM' : 'PM');
  }
}

function partsOf(r, value) {
  const date = value === undefined ? new Date() : new Date(+value); // so that a text is no date
  if (Number.isNaN(date.getTime())) throw new RangeError('Invalid time value');
  const f = r.other === undefined ? fieldsOf(date, r.isUTC) : inZone(r.other, () => fieldsOf(date, false)), out = [], time = [];
  dateParts(r, f, out);
  timeParts(r, f, time);
  if (time.length > 0) {
    if (out.length > 0) {
      const isWordy = r.month === 'long' && (r.dateStyle === undefined || r.dateStyle === 'full' || r.dateStyle === 'long');
      const isBare = out.length === 1 && r.weekday !== undefined;
      out.push({ type: 'literal', value: isWordy ? ' at ' : isBare ? ' ' : ', ' });
    }
    out.push(...time);
  }
  if (r.timeZoneName !== undefined) {
    if (out.length > 0) out.push({ type: 'literal', value: time.length > 0 ? ' ' : ', ' });
    out.push({ type: 'timeZoneName', value: zoneName(r, f) });
  }
  return out;
}

// joined is the text of parts; there, as in V8, the narrow space before AM and PM is a plain one.
function joined(parts) {
  let text = '';
  for (let i = 0; i < parts.length; i++) text += parts[i].value === '\u202f' ? ' ' : parts[i].value;
  return text;
}

class DateTimeFormat {
  #r;
  #format;
  constructor(locales, options) {
    const locale = env.checkLocales(locales);
    if (options === null) throw new TypeError('Cannot convert undefined or null to object');
    this.#r = resolve(options, 'any', 'date');
    this.#r.locale = locale;
  }
  get format() { return this.#format ??= (value) => joined(partsOf(this.#r, value)); }
  formatToParts(value) { return partsOf(this.#r, value); }
  formatRange(from, to) {
    const a = joined(partsOf(this.#r, from)), b = joined(partsOf(this.#r, to));
    return a === b ? a : `${a} – ${b}`;
  }
  formatRangeToParts(from, to) {
    const a = partsOf(this.#r, from), b = partsOf(this.#r, to), of = (parts, source) => parts.map((part) => ({ ...part, source }));
    if (joined(a) === joined(b)) return of(a, 'shared');
    return [...of(a, 'startRange'), { type: 'literal', value: ' – ', source: 'shared' }, ...of(b, 'endRange')];
  }
  resolvedOptions() {
    const r = this.#r, out = { locale: r.locale, calendar: 'gregory', numberingSystem: 'latn', timeZone: r.zone };
    if (r.hour !== undefined) {
      out.hourCycle = r.cycle;
      out.hour12 = r.isTwelve;
    }
    if (r.dateStyle === undefined && r.timeStyle === undefined) {
      for (const field in FIELDS) if (r[field] !== undefined) out[field] = field === 'minute' || field === 'second' ? '2-digit' : r[field];
      if (r.fractionalSecondDigits !== undefined) out.fractionalSecondDigits = r.fractionalSecondDigits;
      if (r.timeZoneName !== undefined) out.timeZoneName = r.timeZoneName;
    }
    if (r.dateStyle !== undefined) out.dateStyle = r.dateStyle;
    if (r.timeStyle !== undefined) out.timeStyle = r.timeStyle;
    return out;
  }
}

const timeOf = Function.prototype.call.bind(Date.prototype.getTime);
env.DateTimeFormat = DateTimeFormat;
env.formatDate = (date, locales, options, required, lacking, caller) => {
  let time;
  try { time = timeOf(date); } catch { throw new TypeError(`Method ${caller} called on incompatible receiver ${String(date)}`); }
  if (Number.isNaN(time)) return 'Invalid Date';
  env.checkLocales(locales);
  return joined(partsOf(resolve(options, required, lacking, caller), time));
};
