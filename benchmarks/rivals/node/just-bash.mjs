import { Bash } from 'just-bash';
import { serve } from './serve.mjs';

await serve(async (code) => {
  let bash = new Bash();
  const { stdout } = await bash.exec(code);
  return { out: stdout, free: () => (bash = null) };
});
