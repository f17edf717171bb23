import { loadPyodide } from 'pyodide';
import { serve } from './serve.mjs';

await serve(async (code) => {
  let out = '';
  let python = await loadPyodide({ stdout: (line) => (out += line + '\n') });
  python.runPython(code);
  return { out, free: () => (python = null) };
});
