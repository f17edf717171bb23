// TypeScript and JSX: their types are taken out on the host, by the service "esbuild".
'use strict';

const { native } = env;
const TYPED = /\.(?:[mc]?ts|tsx|jsx)$/;

function transform(file, source, format) {
  const head = { file, target: 'esnext' };
  if (format) head.format = format;
  const answer = native.hostCall('esbuild', native.bytesOf(`${JSON.stringify(head)}\n${source}`, 1));
  if (typeof answer === 'number') {
    const { codes: { ERR_UNKNOWN_FILE_EXTENSION } } = env.require('internal/errors');
    throw new ERR_UNKNOWN_FILE_EXTENSION(/\.\w+$/.exec(file)[0], file);
  }
  const at = answer.indexOf(10), told = JSON.parse(native.textOf(answer, 1, 0, at));
  if (told.errors?.length > 0) {
    const { text, line, column, source: shown } = told.errors[0];
    const error = new SyntaxError(text);
    error[env.privateSymbols.arrow_message_private_symbol] = `${file}:${line}\n${shown ?? ''}\n${' '.repeat(column)}^\n`;
    throw error;
  }
  return native.textOf(answer, 1, at + 1);
}

const fileOf = (name) => {
  if (name.startsWith('/')) return name;
  return name.startsWith('file://') ? env.require('internal/url').fileURLToPath(name) : undefined;
};

// plain answers the JavaScript of a source, by its file's name.
env.plain = (name, source, format) => {
  const path = name.replace(/[?#].*$/, '');
  return TYPED.test(path) ? transform(fileOf(path), source, format) : source;
};

env.polish = () => {
  const { extensionFormatMap } = env.require('internal/modules/esm/formats');
  for (const ext of ['.ts', '.tsx', '.jsx', '.mts']) extensionFormatMap[ext] = 'module';
  extensionFormatMap['.cts'] = 'commonjs';
  const { Module } = env.require('internal/modules/cjs/loader');
  const { readFileSync } = env.require('fs');
  for (const ext of ['.ts', '.tsx', '.jsx', '.mts', '.cts']) {
    Module._extensions[ext] = function(module, filename) {
      module._compile(env.plain(filename, readFileSync(filename, 'utf8')), filename);
    };
  }
};
