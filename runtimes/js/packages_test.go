package js_test

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
)

func TestTypeScript(t *testing.T) {
	sb := newSandbox(t, newEngine(t), engine.Spec{Image: "js"})
	for name, content := range map[string]string{
		"app.ts":  "import { half } from './lib.ts'\nenum Color { Red = 7 }\nconst n: number = half(Color.Red * 2)\nconsole.log(n satisfies number)\n",
		"lib.ts":  "export function half(n: number): number { return n / 2 }\n",
		"bad.ts":  "let x: = 1\n",
		"old.cts": "import path = require('path')\nconsole.log(path.join('a', 'b'))\n",
	} {
		if err := sb.Files().WriteFile("/home/user/"+name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ command, out string }{{"node app.ts", "7\n"}, {"tsx app.ts", "7\n"}, {"node old.cts", "a/b\n"}} {
		res, err := sb.Run(t.Context(), engine.Command{Args: strings.Fields(c.command)})
		if err != nil || res.Stdout != c.out {
			t.Errorf("%s: got %+v, %v", c.command, res, err)
		}
	}
	res, err := sb.Run(t.Context(), engine.Command{Args: []string{"node", "bad.ts"}})
	if err != nil || res.ExitCode != 1 || !strings.Contains(res.Stderr, "SyntaxError") {
		t.Errorf("got %+v, %v", res, err)
	}
}

// examples are of the packages' own READMEs.
var examples = map[string]string{
	"lodash":    `const _ = require('lodash'); console.log(_.defaults({ a: 1 }, { a: 3, b: 2 }), _.partition([1, 2, 3, 4], n => n % 2))`,
	"zod":       `const { z } = require('zod'); const User = z.object({ username: z.string() }); console.log(User.parse({ username: 'Ludwig' }), User.safeParse({ username: 1 }).success)`,
	"commander": `const { program } = require('commander'); program.option('--first').option('-s, --separator <char>').argument('<string>'); program.parse(['node', 'x', '-s', '/', 'a/b']); console.log(program.args[0].split(program.opts().separator))`,
	"express":   `const express = require('express'); const app = express(); app.get('/', (req, res) => res.send('Hello World')); const s = app.listen(0, () => require('http').get('http://localhost:' + s.address().port, r => { r.on('data', d => console.log(r.statusCode, String(d))); r.on('end', () => s.close(() => process.exit())) }))`,
	"uuid":      `const { v5, validate, version, v4 } = require('uuid'); console.log(v5('hello.example.com', v5.DNS), validate(v4()), version(v4()))`,
	"date-fns":  `const { format, compareAsc } = require('date-fns'); console.log(format(new Date(2014, 1, 11), 'yyyy-MM-dd'), [new Date(1995, 6, 2), new Date(1987, 1, 11)].sort(compareAsc).map(d => d.getFullYear()))`,
	"marked":    `const { marked } = require('marked'); console.log(marked.parse('# Marked in Node.js\n\nRendered by **marked**.'))`,
	"yaml":      `const YAML = require('yaml'); console.log(YAML.parse('YAML:\n  - A human-readable data serialization language\n'), YAML.stringify([true, false, 'maybe', null]))`,
	"chalk":     `import('chalk').then(({ Chalk }) => { const c = new Chalk({ level: 1 }); console.log(JSON.stringify(c.blue('Hello') + ' World' + c.red('!')), c.blue.bgRed.bold('Hi')) })`,
	"acorn":     `const a = require('acorn'); console.log(a.parse('let x = y?.z ?? 1; class A { #p = 1 }', { ecmaVersion: 2022 }).body.map(b => b.type)); try { a.parse('let', { ecmaVersion: 2020 }) } catch (e) { console.log(e.message) }`,
	"ajv":       `const Ajv = require('ajv'); const v = new Ajv({ allErrors: true }).compile({ type: 'object', properties: { foo: { type: 'integer' } }, required: ['foo'], additionalProperties: false }); console.log(v({ foo: 1 }), v({ foo: 'x', z: 1 }), v.errors)`,
	"axios":     `const axios = require('axios'), http = require('http'); const s = http.createServer((q, r) => { let b = ''; q.on('data', d => b += d); q.on('end', () => { if (q.url === '/bad') r.statusCode = 404; r.end(JSON.stringify({ url: q.url, method: q.method, body: b })) }) }).listen(0, async () => { const u = 'http://127.0.0.1:' + s.address().port; console.log((await axios.get(u + '/a', { params: { x: 1, y: [2, 3] } })).data, (await axios.post(u + '/p', { k: 'v' })).data); try { await axios.get(u + '/bad') } catch (e) { console.log(e.code, e.message, e.response.status) } s.close(); s.closeAllConnections() })`,
	"js-yaml":   `const y = require('js-yaml'); console.log(y.load('a: [1, 2.5, ~, true]\nb: &x {c: d}\ne: *x\nf: |\n  l1\n  l2\n'), y.dump({ a: [1, { b: 'x: y' }], n: null })); try { y.load('a: [') } catch (e) { console.log(e.name, e.reason) }`,
	"jwt":       `const jwt = require('jsonwebtoken'); const t = jwt.sign({ foo: 'bar', iat: 1 }, 'shhh'); console.log(t, jwt.verify(t, 'shhh')); try { jwt.verify(t, 'no') } catch (e) { console.log(e.name, e.message) }`,
	"jwt keys":  `const jwt = require('jsonwebtoken'), c = require('crypto'); for (const [alg, k] of [['RS256', c.generateKeyPairSync('rsa', { modulusLength: 2048 })], ['PS384', c.generateKeyPairSync('rsa', { modulusLength: 2048 })], ['ES256', c.generateKeyPairSync('ec', { namedCurve: 'P-256' })], ['ES512', c.generateKeyPairSync('ec', { namedCurve: 'P-521' })]]) { const pem = k.publicKey.export({ type: 'spki', format: 'pem' }); const t = jwt.sign({ foo: alg, iat: 1 }, k.privateKey.export({ type: 'pkcs8', format: 'pem' }), { algorithm: alg }); console.log(jwt.verify(t, pem), jwt.decode(t, { complete: true }).header); try { jwt.verify(t.slice(0, -8) + 'AAAAAAAA', pem) } catch (e) { console.log(e.name, e.message) } try { jwt.verify(t, pem, { algorithms: ['HS256'] }) } catch (e) { console.log(e.name, e.message) } }`,
	"jose":      `import('jose').then(async (jose) => { for (const alg of ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA']) { const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true }); const t = await new jose.SignJWT({ a: 1 }).setProtectedHeader({ alg }).setIssuedAt(1).setIssuer('me').sign(privateKey); const r = await jose.jwtVerify(t, publicKey, { issuer: 'me' }); console.log(r.payload, r.protectedHeader, Object.keys(await jose.exportJWK(privateKey)).sort().join()); const again = await jose.importPKCS8(await jose.exportPKCS8(privateKey), alg); console.log((await jose.jwtVerify(await new jose.SignJWT({}).setProtectedHeader({ alg }).sign(again), await jose.importSPKI(await jose.exportSPKI(publicKey), alg))).payload); await jose.jwtVerify(t, publicKey, { issuer: 'you' }).catch((e) => console.log(e.code, e.message)) } for (const alg of ['RSA-OAEP-256', 'ECDH-ES+A128KW']) { const { publicKey, privateKey } = await jose.generateKeyPair(alg); const x = await new jose.CompactEncrypt(new TextEncoder().encode('hidden')).setProtectedHeader({ alg, enc: 'A256GCM' }).encrypt(publicKey); console.log(new TextDecoder().decode((await jose.compactDecrypt(x, privateKey)).plaintext)) } console.log(await jose.calculateJwkThumbprint({ kty: 'EC', crv: 'P-256', x: 'jJ6Flys3zK9jUhnOHf6G49Dyp5hah6CNP84-gY-n9eo', y: 'nhI6iD5eFXgBTLt_1p3aip-5VbZeMhxeFSpjfEAf7Ww' })) })`,
	"koa":       `const app = new (require('koa'))(); app.use(async (ctx, next) => { await next(); ctx.set('X-T', 'yes') }); app.use(ctx => { ctx.body = { path: ctx.path, q: ctx.query } }); const s = app.listen(0, async () => { const r = await fetch('http://127.0.0.1:' + s.address().port + '/p?a=1'); console.log(r.status, r.headers.get('x-t'), await r.json()); s.close(); s.closeAllConnections() })`,
	"lodash-es": `import('lodash-es').then(({ chunk, groupBy }) => console.log(chunk([1, 2, 3], 2), groupBy([1.2, 1.8, 2.1], Math.floor)))`,
	"pino":      `const l = require('pino')({ timestamp: false, base: null }, require('pino').destination({ sync: true, fd: 1 })); l.info({ a: 1 }, 'hi %s', 'x'); l.child({ c: 2 }).warn('w')`,
	"rxjs":      `const { from, interval, map, filter, take, toArray } = require('rxjs'); from([1, 2, 3, 4]).pipe(filter(x => x % 2 === 0), map(x => x * 10)).subscribe(x => console.log(x)); interval(1).pipe(take(3), toArray()).subscribe(x => console.log(x))`,
	"ws":        `const { WebSocketServer, WebSocket } = require('ws'); const s = new WebSocketServer({ port: 0 }, () => { const c = new WebSocket('ws://127.0.0.1:' + s.address().port); c.on('open', () => c.send('x')); c.on('message', m => { console.log(String(m)); c.close(); s.close() }) }); s.on('connection', w => w.on('message', m => w.send('echo ' + m)))`,
	"immer":     `const { produce } = require('immer'); const base = [{ title: 'a', done: false }]; const next = produce(base, d => { d.push({ title: 'b' }); d[0].done = true }); console.log(next, base)`,
}

// TestPackages installs some packages in a sandbox by its own npm, and runs examples of each there and with the machine's
// node.
func TestPackages(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: fetches packages")
	}
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Head("https://registry.npmjs.org/left-pad")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Skipf("the registry can't be reached: %v", err)
	}
	_ = answer.Body.Close()
	spec := engine.Spec{Image: "js", Limits: engine.Limits{Wall: 4 * time.Minute}, Network: engine.Network{Dial: []string{"registry.npmjs.org:443"}}}
	addresses, err := net.DefaultResolver.LookupNetIP(t.Context(), "ip", "registry.npmjs.org")
	if err != nil {
		t.Skip(err)
	}
	for _, a := range addresses {
		spec.Network.Dial = append(spec.Network.Dial, netip.AddrPortFrom(a.Unmap(), 443).String())
	}
	sb := newSandbox(t, newEngine(t), spec)
	install := strings.Fields("npm install lodash@4 zod@3 commander@12 express@4 uuid@9 date-fns@3 marked@12 yaml@2 chalk@5 immer@10 " +
		"acorn@8 ajv@8 axios@1 jose@5 js-yaml@4 jsonwebtoken@9 koa@2 lodash-es@4 pino@9 rxjs@7 ws@8")
	if res, err := sb.Run(t.Context(), engine.Command{Args: install}); err != nil || res.ExitCode != 0 {
		t.Fatalf("got %+v, %v", res, err)
	}
	native := nativePackages(t, install)
	for name, code := range examples {
		res, err := sb.Run(t.Context(), engine.Command{Args: []string{"node", "-e", code}})
		if err != nil || res.ExitCode != 0 {
			t.Errorf("%s: got %+v, %v", name, res, err)
			continue
		}
		if native == "" {
			continue
		}
		cmd := exec.Command("node", "-e", code)
		cmd.Dir = native
		want, err := cmd.Output()
		if err != nil || res.Stdout != string(want) {
			t.Errorf("%s: got %s, node has %s, %v", name, res.Stdout, want, err)
		}
	}
}

// nativePackages installs the same for the machine's node; "" where that can't be done.
func nativePackages(t *testing.T, install []string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "app")
	if os.Mkdir(dir, 0o755) != nil || os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}"), 0o644) != nil {
		return ""
	}
	cmd := exec.Command(install[0], append(install[1:], "--no-audit", "--no-fund", "--ignore-scripts")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Logf("nothing to compare with: %v\n%s", err, out)
		return ""
	}
	return dir
}
