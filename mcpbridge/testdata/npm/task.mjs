// A whole task by the official TypeScript SDK: create, write, run, fork, git, download. It ends with "done", or an error.
//   node task.mjs stdio FOLDER COMMAND ARG…
//   node task.mjs http FOLDER URL TOKEN
import { readFileSync } from 'node:fs'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'

const [kind, folder, target, ...rest] = process.argv.slice(2)
const transport = kind === 'stdio'
  ? new StdioClientTransport({ command: target, args: rest, stderr: 'inherit' })
  : new StreamableHTTPClientTransport(new URL(target), { requestInit: { headers: { Authorization: `Bearer ${rest[0]}` } } })
const client = new Client({ name: 'belljar-test', version: '1' })

function want(what, got, expected) {
  const same = expected instanceof RegExp ? expected.test(got) : got === expected
  if (!same) throw new Error(`${what}: ${JSON.stringify(got)}, want ${expected}`)
}
// call checks the structured result against the tool's schema too: the SDK does.
async function call(name, args, expected, options) {
  const r = await client.callTool({ name, arguments: args }, undefined, options)
  if (r.isError) throw new Error(`${name}: ${r.content[0].text}`)
  want(`${name} ${JSON.stringify(args)}`, r.content[0].text, expected)
  return r
}

await client.connect(transport)
const { tools } = await client.listTools()
want('tools', tools.map(t => t.name).filter(n => /^(run_code|git|sandbox|download)$/.test(n)).length, 4)
await call('sandbox', { action: 'create', name: 'work' }, 'made sandbox work')
await call('write_file', { sandbox: 'work', path: 'repo/add.py', content: 'def add(a, b):\n    return a - b\n' }, /wrote 32 bytes/)
await call('run_code', { sandbox: 'work', code: 'import sys; sys.path.insert(0, "repo"); import add; add.add(1, 1)' }, '0\n')
await call('sandbox', { action: 'fork', from: 'work', name: 'attempt' }, 'made sandbox attempt')
await call('edit_file', { sandbox: 'attempt', path: 'repo/add.py', edits: [{ old: 'a - b', new: 'a + b + 0' }] }, /^@@/)
await call('run_command', { sandbox: 'attempt', command: 'cd repo && python3 -c "import add; print(add.add(1, 1))"' }, '2\n')
await call('run_code', { sandbox: 'work', code: 'add.add(1, 1)' }, '0\n')
for (const [args, expected] of [
  [{ action: 'init' }, 'init: done'], [{ action: 'add', paths: ['add.py'] }, 'add: done'],
  [{ action: 'commit', message: 'add: add' }, /^committed [0-9a-f]{40}$/], [{ action: 'log' }, /add: add\n$/], [{ action: 'status' }, /^On branch main/],
]) await call('git', { sandbox: 'attempt', repo: 'repo', ...args }, expected)

const updated = new Promise(resolve => client.setNotificationHandler(ResourceUpdatedNotificationSchema, n => resolve(n.params.uri)))
const uri = 'belljar://sandbox/attempt/files/home/user/repo/add.py'
await client.subscribeResource({ uri })
await call('run_command', { sandbox: 'attempt', command: 'echo "# more" >> repo/add.py' }, '(no output)')
want('subscription', await updated, uri)
want('resource', (await client.readResource({ uri })).contents[0].text, 'def add(a, b):\n    return a + b + 0\n# more\n')
want('completion', (await client.complete({ ref: { type: 'ref/resource', uri: 'belljar://sandbox/{id}/files/{+path}' }, argument: { name: 'id', value: 'att' } })).completion.values.join(), 'attempt')
want('prompt', (await client.getPrompt({ name: 'analyse_data', arguments: { path: 'a.csv' } })).messages[0].content.text, /a\.csv/)

const told = []
await call('run_command', { command: 'for i in 1 2 3; do echo step $i; sleep 0.2; done' }, 'step 1\nstep 2\nstep 3\n', { onprogress: p => told.push(p) })
if (kind === 'stdio') want('progress', told.length > 0 && /step/.test(told[0].message), true)
const stop = new AbortController()
const endless = client.callTool({ name: 'run_code', arguments: { code: 'while True: pass', timeout_s: 600 } }, undefined, { signal: stop.signal })
setTimeout(() => stop.abort('enough'), 300)
await endless.then(() => { throw new Error('it was not cancelled') }, () => {})
await call('run_code', { code: '"free again"' }, "'free again'\n")

await call('download', { sandbox: 'attempt', path: 'repo/add.py', host_path: `${folder}/out.py` }, /^downloaded/)
want('downloaded file', readFileSync(`${folder}/out.py`, 'utf8'), 'def add(a, b):\n    return a + b + 0\n# more\n')
await call('sandbox', { action: 'destroy', name: 'attempt' }, 'destroyed sandbox attempt')
await client.close()
console.log('done')
process.exit(0)
