package git

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"

	"github.com/belljar-dev/belljar/engine"
)

const (
	rootsFile  = "/etc/ssl/certs/ca-certificates.crt" // as git names it, where nothing else is set
	maxRoots   = 4 << 20                              // bytes of a file of authorities
	maxRootDir = 1000                                 // files of a folder of them
)

// trust says whom https believes: the host's roots or Config.TLS, with those that the sandbox has written into its own
// file of authorities, as curl and Python there do; or who the sandbox's settings name in their place.
func (cl *client) trust() (*tls.Config, error) {
	cfg := cl.config.TLS.Clone()
	if cfg == nil {
		cfg = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if cl.unchecked() {
		cfg.InsecureSkipVerify = true
	}
	if added := cl.changedRoots(); added != nil && cl.authorities() == "" {
		if err := addRoots(cfg, added); err != nil {
			return nil, err
		}
		cl.ownRoots = true
	}
	if file := cl.authorities(); file != "" {
		pem, err := cl.read(file)
		if err != nil {
			return nil, fatalf("unable to access '%s': Problem with the SSL CA cert (path? access rights?)", cl.name())
		}
		cfg.RootCAs = x509.NewCertPool()
		cfg.RootCAs.AppendCertsFromPEM(pem)
	}
	if dir := cl.setting("sslcapath", "GIT_SSL_CAPATH"); dir != "" {
		if cl.authorities() == "" {
			cfg.RootCAs = x509.NewCertPool()
		}
		cl.addFolder(cfg.RootCAs, dir)
	}
	return cfg, nil
}

// changedRoots answers the sandbox's file of authorities; nil if it is as the engine has made it, or is missing.
func (cl *client) changedRoots() []byte {
	pem, err := cl.read(rootsFile)
	if err != nil || bytes.Equal(pem, engine.Authorities()) {
		return nil
	}
	return pem
}

// addRoots lets cfg believe more authorities than it did.
func addRoots(cfg *tls.Config, pem []byte) (err error) {
	if cfg.RootCAs != nil {
		cfg.RootCAs = cfg.RootCAs.Clone()
	} else if cfg.RootCAs, err = x509.SystemCertPool(); err != nil {
		return fmt.Errorf("read the host's authorities: %w", err)
	}
	cfg.RootCAs.AppendCertsFromPEM(pem)
	return nil
}

// ownTrust reports that the sandbox has changed whom https believes: then nothing of the host's is told to who answers.
func (cl *client) ownTrust() bool {
	return cl.ownRoots || cl.unchecked() || cl.authorities() != "" || cl.setting("sslcapath", "GIT_SSL_CAPATH") != ""
}

func (cl *client) unchecked() bool {
	return cl.settings["sslverify"] == "false" || cl.call.Getenv("GIT_SSL_NO_VERIFY") != ""
}

// authorities names the file of those that the sandbox believes, if it says so.
func (cl *client) authorities() string { return cl.setting("sslcainfo", "GIT_SSL_CAINFO") }

// setting is one of http.*, unless the environment has another.
func (cl *client) setting(key, env string) string {
	return firstOf(cl.call.Getenv(env), cl.settings[key])
}

func (cl *client) read(name string) ([]byte, error) {
	f, err := cl.call.Files.Open(cl.call.Abs(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxRoots))
}

// addFolder adds what certificates a folder of the sandbox's has; other files in it say nothing.
func (cl *client) addFolder(to *x509.CertPool, dir string) {
	entries, err := fs.ReadDir(cl.call.Files.FS(), cl.call.Abs(dir)[1:])
	if err != nil {
		return
	}
	for _, e := range entries[:min(len(entries), maxRootDir)] {
		if pem, err := cl.read(dir + "/" + e.Name()); err == nil {
			to.AppendCertsFromPEM(pem)
		}
	}
}

// untrusted tells in the words of git's curl why a server's certificate was refused; "" where that was not what failed.
func (cl *client) untrusted(err error) string {
	var refused *tls.CertificateVerificationError
	if !errors.As(err, &refused) {
		return ""
	}
	var other x509.HostnameError
	if errors.As(err, &other) {
		host, _, splitErr := net.SplitHostPort(cl.base.Host)
		if splitErr != nil {
			host = cl.base.Host
		}
		return "SSL: certificate subject name (" + printable(other.Certificate.Subject.CommonName) + ") does not match target host name '" + host + "'"
	}
	return "server certificate verification failed. CAfile: " + firstOf(cl.authorities(), rootsFile) + " CRLfile: none"
}
