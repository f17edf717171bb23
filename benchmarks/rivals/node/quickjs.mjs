// A context is all that a new isolate is made of when the module's memory is shared; a runtime of its own is the least
// that can be limited by itself.
import { getQuickJS } from 'quickjs-emscripten';
import { serve } from './serve.mjs';

const quickjs = await getQuickJS();
await serve(async (code) => {
  let out = '';
  const runtime = quickjs.newRuntime();
  const vm = runtime.newContext();
  const log = vm.newFunction('log', (...args) => {
    out += args.map((a) => String(vm.dump(a))).join(' ') + '\n';
  });
  const console = vm.newObject();
  vm.setProp(console, 'log', log);
  vm.setProp(vm.global, 'console', console);
  log.dispose();
  console.dispose();
  vm.unwrapResult(vm.evalCode(code)).dispose();
  return { out, free: () => { vm.dispose(); runtime.dispose(); } };
});
