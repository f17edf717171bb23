package js_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/belljar-dev/belljar/engine"
	"github.com/belljar-dev/belljar/internal/localca"
)

// frame is one of RFC 6455's frames, without a mask.
type frame struct {
	kind    byte
	payload []byte
}

const (
	textFrame, binaryFrame, closeFrame, pingFrame, pongFrame = 1, 2, 8, 9, 10
)

// readFrame reads a client's frame, which has a mask.
func readFrame(r io.Reader) (frame, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	if head[0]&0x80 == 0 || head[1]&0x80 == 0 {
		return frame{}, fmt.Errorf("a part of a message, or no mask: %x", head)
	}
	size := uint64(head[1] & 0x7f)
	for code, width := range map[uint64]int{126: 2, 127: 8} {
		if uint64(head[1]&0x7f) == code {
			var long [8]byte
			if _, err := io.ReadFull(r, long[8-width:]); err != nil {
				return frame{}, err
			}
			size = binary.BigEndian.Uint64(long[:])
		}
	}
	if size > 1<<24 {
		return frame{}, fmt.Errorf("%d bytes", size)
	}
	body := make([]byte, 4+size)
	if _, err := io.ReadFull(r, body); err != nil {
		return frame{}, err
	}
	for i := range body[4:] {
		body[4+i] ^= body[i&3]
	}
	return frame{head[0] & 15, body[4:]}, nil
}

func writeFrame(w io.Writer, f frame) error {
	head := []byte{0x80 | f.kind}
	switch n := len(f.payload); {
	case n < 126:
		head = append(head, byte(n))
	case n < 1<<16:
		head = binary.BigEndian.AppendUint16(append(head, 126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 127), uint64(n))
	}
	_, err := w.Write(append(head, f.payload...))
	return err
}

// echo speaks WebSocket: it asks for a sign of life, sends what it gets back, and ends as the client does.
func echo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "websocket" {
		http.Error(w, "no WebSocket", http.StatusBadRequest)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	protocol, _, _ := strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), ",")
	if protocol != "" {
		protocol = "Sec-WebSocket-Protocol: " + protocol + "\r\n"
	}
	// The first message comes with the answer.
	greeting := frame{textFrame, []byte("hello " + r.URL.Path)}
	fmt.Fprintf(buffered, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
		base64.StdEncoding.EncodeToString(sum[:]), protocol)
	if writeFrame(buffered, greeting) != nil || writeFrame(buffered, frame{pingFrame, []byte("alive?")}) != nil || buffered.Flush() != nil {
		return
	}
	reader := bufio.NewReader(buffered)
	for {
		f, err := readFrame(reader)
		if err != nil {
			return
		}
		if f.kind == pongFrame {
			f = frame{textFrame, append([]byte("pong "), f.payload...)}
		}
		if writeFrame(conn, f) != nil || f.kind == closeFrame {
			return
		}
	}
}

// TestWebSocket has node talk with servers of the host's, with and without TLS.
func TestWebSocket(t *testing.T) {
	authority := localca.New(t)
	plain := httptest.NewServer(http.HandlerFunc(echo))
	defer plain.Close()
	secure := hostServer(t, authority, echo)
	dial := []string{strings.TrimPrefix(plain.URL, "http://"), strings.TrimPrefix(secure.URL, "https://")}
	sb := newSandbox(t, newEngine(t), engine.Spec{Image: "js", Network: engine.Network{Dial: dial}})
	if err := sb.Files().WriteFile("/home/user/ca.pem", authority.PEM, 0o644); err != nil {
		t.Fatal(err)
	}
	const talk = `const w = new WebSocket(process.argv[1] + '/path', ['one', 'two']); w.binaryType = 'arraybuffer';
w.onopen = () => { console.log('open', w.protocol, w.readyState); w.send('text é'); w.send(new Uint8Array(70000).fill(7)); };
const got = [];
w.onmessage = ({ data }) => {
  got.push(typeof data === 'string' ? data : data.byteLength + ' bytes of ' + new Uint8Array(data)[69999]);
  if (got.length === 4) { console.log(got.sort().join('|')); w.close(4000, 'enough'); }
};
w.onclose = (e) => console.log('close', e.code, e.reason, e.wasClean);
w.onerror = (e) => console.log('error', e.message);`
	const talked = "open one 1\n70000 bytes of 7|hello /path|pong alive?|text é\nclose 4000 enough true\n"
	const fails = `const w = new WebSocket(process.argv[1]); w.onopen = () => console.log('open'); w.onerror = () => console.log('error');
try { new WebSocket('gopher://x') } catch (e) { console.log(e.name) }`
	refusing := httptest.NewServer(http.NotFoundHandler())
	defer refusing.Close()
	for _, c := range []struct{ name, code, url, want string }{
		{"plain", talk, strings.Replace(plain.URL, "http", "ws", 1), talked},
		{"over TLS", talk, strings.Replace(secure.URL, "https", "wss", 1), talked},
		{"where the network is not", fails, strings.Replace(refusing.URL, "http", "ws", 1), "SyntaxError\nerror\n"},
	} {
		res, err := sb.Run(t.Context(), engine.Command{Args: []string{"node", "-e", c.code, c.url}, Env: []string{"NODE_EXTRA_CA_CERTS=/home/user/ca.pem"}})
		if err != nil || res.Stdout != c.want {
			t.Errorf("%s: got %q, %v\n%.900s", c.name, res.Stdout, err, res.Stderr)
		}
	}
}
