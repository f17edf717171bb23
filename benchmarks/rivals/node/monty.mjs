import { Monty } from '@pydantic/monty';
import { serve } from './serve.mjs';

await serve(async (code) => {
  let out = '';
  let monty = new Monty(code);
  monty.run({ printCallback: (_stream, text) => { out += text } }); // an answer would be an error
  return { out, free: () => (monty = null) };
});
