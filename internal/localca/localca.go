// Package localca makes certificates for tests of TLS: an authority that nobody else knows, and what it vouches for.
package localca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// Authority is a certificate authority of one test's.
type Authority struct {
	PEM  []byte         // its certificate, as files have it
	Pool *x509.CertPool // of it alone
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New makes an authority.
func New(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{Pool: x509.NewCertPool()}
	ask := template("an authority of a test's")
	ask.IsCA, ask.BasicConstraintsValid, ask.KeyUsage = true, true, x509.KeyUsageCertSign
	a.key = newKey(t)
	a.cert = sign(t, ask, ask, a.key, a.key)
	a.PEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	a.Pool.AddCert(a.cert)
	return a
}

// Server makes a certificate for a server at a name or an IP address, valid until the given time.
func (a *Authority) Server(t testing.TB, host string, until time.Time) tls.Certificate {
	t.Helper()
	ask := template(host)
	ask.NotAfter, ask.KeyUsage, ask.ExtKeyUsage = until, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if ip := net.ParseIP(host); ip != nil {
		ask.IPAddresses = []net.IP{ip}
	} else {
		ask.DNSNames = []string{host}
	}
	key := newKey(t)
	return tls.Certificate{Certificate: [][]byte{sign(t, ask, a.cert, key, a.key).Raw, a.cert.Raw}, PrivateKey: key}
}

func template(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, ask, by *x509.Certificate, key, with *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, ask, by, &key.PublicKey, with)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
