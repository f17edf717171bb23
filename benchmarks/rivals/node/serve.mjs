// Answers lines of JSON: {eval: code}, {keep: code}, {drop: true}. make(code) runs code in a new isolate and answers
// {out, free}: what was printed, and how the isolate is let go.
import { createInterface } from 'node:readline';

export async function serve(make) {
  let kept = [];
  for await (const line of createInterface({ input: process.stdin })) {
    const question = JSON.parse(line);
    let answer = {};
    try {
      if (question.drop) {
        kept.forEach((free) => free());
        kept = [];
      } else {
        const { out, free } = await make(question.eval ?? question.keep);
        answer = { out };
        if (question.keep !== undefined) kept.push(free);
        else free();
      }
    } catch (e) {
      answer = { error: String(e) };
    }
    process.stdout.write(JSON.stringify(answer) + '\n');
  }
}
