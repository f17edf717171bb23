package js_test

import (
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/internal/localca"
)

// TestTLSTrust has node trust what it was told to when it began, whatever contexts it makes, and speak TLS over streams
// of its own.
func TestTLSTrust(t *testing.T) {
	authority := localca.New(t)
	server := hostServer(t, authority, fromTheHost)
	sb := newSandbox(t, newEngine(t), engine.Spec{Image: "js", Network: engine.Network{Dial: []string{strings.TrimPrefix(server.URL, "https://")}}})
	if err := sb.Files().WriteFile("/home/user/ca.pem", authority.PEM, 0o644); err != nil {
		t.Fatal(err)
	}
	const begin = `const tls = require('tls'), https = require('https'), net = require('net'), ca = require('fs').readFileSync('ca.pem'), { port } = new URL(process.argv[1]);
const get = (o) => https.get(process.argv[1], { agent: new https.Agent(), ...o }, (r) => { r.resume(); console.log(r.statusCode); }).on('error', (e) => console.log(e.code));
`
	for _, c := range []struct{ name, code, want string }{
		{"after a context with an authority of its own", "tls.createSecureContext({ ca }); get({})", "200\n"},
		{"with one more than the roots", "const c = tls.createSecureContext(); c.context.addCACert(tls.rootCertificates[0]); get({ secureContext: c })", "200\n"},
		{"an authority that is none", "tls.createSecureContext({ ca: 'x' }); console.log('ok')", "ok\n"},
		{"a list of revoked ones that is none", "try { tls.createSecureContext({ crl: 'x' }); } catch { console.log('refused'); }", "refused\n"},
		{"a stream of its own", `const n = net.connect(port, '127.0.0.1');
const d = new (require('stream').Duplex)({ read() {}, write(c, e, f) { n.write(c, f); }, final(f) { n.end(f); } });
n.on('data', (c) => d.push(c)); n.on('end', () => d.push(null));
let all = '';
const t = tls.connect({ socket: d, host: '127.0.0.1', ca }, () => t.write('GET / HTTP/1.0\r\n\r\n'));
t.on('data', (c) => { all += c; }).on('end', () => console.log(all.split('\r\n\r\n')[1]));`, "from the host\n"},
		{"in the middle of something", `const s = net.connect(port, '127.0.0.1', () => {
  process.nextTick(() => console.log('tick'));
  const t = tls.connect({ socket: s, ciphers: 'TLS_AES_128_GCM_SHA256', maxVersion: 'TLSv1.2' });
  t.on('error', () => console.log('error'));
  console.log('sync');
});`, "sync\ntick\nerror\n"},
	} {
		res, err := sb.Run(t.Context(), engine.Command{Args: []string{"node", "-e", begin + c.code, server.URL}, Env: []string{"NODE_EXTRA_CA_CERTS=/home/user/ca.pem"}})
		if err != nil || res.Stdout != c.want {
			t.Errorf("%s: got %q, %v\n%.600s", c.name, res.Stdout, err, res.Stderr)
		}
	}
}

// An offset is a zone that needs no file.
func TestOffsetZones(t *testing.T) {
	sb := newSandbox(t, newEngine(t), engine.Spec{Image: "js"})
	code := "console.log(['+05:30', '-03:00', '+0100'].map((timeZone) => new Date(0).toLocaleTimeString('en-US', { timeZone, hourCycle: 'h23' })).join()); try { new Date(0).toLocaleString('en', { timeZone: '+24:00' }) } catch (e) { console.log(e.name) }"
	res, err := sb.Run(t.Context(), engine.Command{Args: []string{"node", "-e", code}})
	if want := "05:30:00,21:00:00,01:00:00\nRangeError\n"; err != nil || res.Stdout != want {
		t.Errorf("got %q, %v, want %q\n%s", res.Stdout, err, want, res.Stderr)
	}
}
