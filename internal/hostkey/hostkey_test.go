package hostkey

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"slices"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestAlgorithms(t *testing.T) {
	secret, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ofRSA, err := ssh.NewPublicKey(&secret.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ofEd25519, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"rsa-sha2-256", "rsa-sha2-512", "ssh-ed25519"}
	if got := Algorithms(ofRSA, ofEd25519, ofRSA); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Algorithms(); len(got) > 0 {
		t.Errorf("of no keys: %q", got)
	}
}
