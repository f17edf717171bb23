// Runs the checks of a file, and prints a line for each: its number, a tab, and what was wrong, if anything.
'use strict';

const assert = require('node:assert');
const AsyncFunction = (async () => {}).constructor;
const indirectEval = eval;

const checks = require('node:fs').readFileSync(process.argv[2], 'utf8').split('\n');

function eq(actual, expected) { assert.deepStrictEqual(actual, expected); }

// throws has a function, or the source of a script, throw an error of a type.
function throws(type, what) {
  const run = typeof what === 'function' ? what : () => indirectEval(what);
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof type, `${what} throws ${error}`);
    return;
  }
  assert.fail(`${what} throws nothing`);
}

async function rejects(type, what) {
  try {
    await (typeof what === 'function' ? what() : what);
  } catch (error) {
    assert.ok(error instanceof type, `rejected with ${error}`);
    return;
  }
  assert.fail('is not rejected');
}

// What a check waits for that never comes would end the process without a word.
const held = setInterval(() => {}, 1000);

(async () => {
  for (const [at, check] of checks.entries()) {
    if (check === '' || check.startsWith('# ')) continue;
    let wrong = '';
    try {
      await new AsyncFunction('eq', 'throws', 'rejects', 'log', check)(eq, throws, rejects, []);
    } catch (error) {
      wrong = `${error}`.replace(/\s+/g, ' ').slice(0, 400);
    }
    process.stdout.write(`${at + 1}\t${wrong}\n`);
  }
  clearInterval(held);
})();
