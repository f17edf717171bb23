package engine

import (
	"bytes"
	"encoding/pem"
	"sync"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// rootsFile is where Debian keeps the certificates of the authorities that TLS clients trust. OpenSSL as we build it looks
// at the other name.
const (
	rootsFile = "/etc/ssl/certs/ca-certificates.crt"
	rootsLink = "/etc/ssl/cert.pem"
)

// roots answers Mozilla's authorities, in PEM. Those that are trusted under a condition only are left out: a file can't
// say so.
var roots = sync.OnceValue(func() []byte {
	var out bytes.Buffer
	for r := range bundle.Roots() {
		if r.Constraint != nil {
			continue
		}
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate}))
	}
	return out.Bytes()
})

// Authorities returns what a new sandbox has in /etc/ssl/certs/ca-certificates.crt: the authorities that Mozilla trusts
// with TLS servers, in PEM. The bytes must not be changed.
func Authorities() []byte { return roots() }
