// The url binding, over ada.
'use strict';

const { native, bindings } = env;

const urlComponents = new Uint32Array(9);
bindings.url = () => ({
  urlComponents,
  parse(input, base, raise) {
    const href = native.urlParse(`${input}`, base === undefined ? undefined : `${base}`, urlComponents);
    if (href === undefined) {
      if (!raise) return undefined;
      throw invalid(input, base);
    }
    return href;
  },
  canParse: (input, base) => native.urlParse(`${input}`, base === undefined ? undefined : `${base}`, new Uint32Array(9)) !== undefined,
  domainToASCII: (s) => native.domainToASCII(s), domainToUnicode: (s) => native.domainToUnicode(s),
  format: (href, hash, unicode, search, auth) => native.urlFormat(href, hash, unicode, search, auth),
  update(href, action, value) {
    const made = native.urlUpdate(href, action, `${value}`, urlComponents);
    return made === undefined ? false : made;
  },
  getOrigin: (href) => new (env.require('internal/url').URL)(href).origin,
  pathToFileURL(path, windows, base) { return native.urlParse(`file://${path}`, undefined, urlComponents); },
});

function invalid(input, base) {
  const { codes: { ERR_INVALID_URL } } = env.require('internal/errors');
  const error = new ERR_INVALID_URL(`${input}`, base);
  return error;
}
