package js_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/internal/localca"
)

// hostServer is an https server of the host's that authority vouches for. It ends with the test.
func hostServer(t *testing.T, authority *localca.Authority, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(answer)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{authority.Server(t, "127.0.0.1", time.Now().Add(time.Hour))}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func fromTheHost(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("from the host")) }

// TestTLS has node ask a server of the host's by https and fetch, and servers of its own, with authorities that it is told
// and others.
func TestTLS(t *testing.T) {
	authority := localca.New(t)
	server := hostServer(t, authority, fromTheHost)
	own := authority.Server(t, "localhost", time.Now().Add(time.Hour))
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	var chain []byte
	for _, der := range own.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	sb := newSandbox(t, newEngine(t), engine.Spec{Image: "js", Network: engine.Network{Dial: []string{strings.TrimPrefix(server.URL, "https://")}}})
	for name, content := range map[string][]byte{
		"ca.pem": authority.PEM, "cert.pem": chain, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"serve.js": []byte(tlsProgram),
	} {
		if err := sb.Files().WriteFile("/home/user/"+name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const ask = "fetch(process.argv[1]).then((r) => r.text()).then(console.log, (e) => console.log(e.cause.code))"
	for _, c := range []struct {
		name, want string
		env        []string
		args       []string
	}{
		{"a host that is trusted", "from the host\n", []string{"NODE_EXTRA_CA_CERTS=/home/user/ca.pem"}, []string{"node", "-e", ask, server.URL}},
		{"a host that is not", "SELF_SIGNED_CERT_IN_CHAIN\n", nil, []string{"node", "-e", ask, server.URL}},
		{"its own server", "200 /x 300000 TLSv1.3\nSELF_SIGNED_CERT_IN_CHAIN\nERR_TLS_CERT_ALTNAME_INVALID\nhi, bye\n", nil, []string{"node", "serve.js"}},
	} {
		res, err := sb.Run(t.Context(), engine.Command{Args: c.args, Env: c.env})
		if err != nil || res.Stdout != c.want {
			t.Errorf("%s: got %q, %v\n%s", c.name, res.Stdout, err, res.Stderr)
		}
	}
}

const tlsProgram = `
const https = require('https'), tls = require('tls'), fs = require('fs');
const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => fs.readFileSync(name));
const failing = (options) => new Promise((resolve) => https.get({ host: 'localhost', port: 4433, ...options }, () => resolve('no error')).on('error', (e) => resolve(e.code)));
const server = https.createServer({ key, cert }, (q, r) => {
  let n = 0;
  q.on('data', (d) => { n += d.length; });
  q.on('end', () => r.end(q.url + ' ' + n + ' ' + q.socket.getProtocol()));
}).listen(4433, () => {
  https.request({ host: 'localhost', port: 4433, path: '/x', method: 'POST', ca }, async (r) => {
    for await (const d of r) console.log(r.statusCode, String(d));
    console.log(await failing({}));
    console.log(await failing({ ca, servername: 'other.example' }));
    server.close();
    server.closeAllConnections();
    const echo = tls.createServer({ key, cert }, (c) => { c.write('hi, '); c.pipe(c); }).listen(4434, async () => {
      const c = tls.connect({ port: 4434, host: 'localhost', ca }, () => c.end('bye'));
      let all = '';
      for await (const d of c) all += d;
      console.log(all);
      echo.close();
    });
  }).end(Buffer.alloc(300000));
});
`
