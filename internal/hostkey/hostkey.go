// Package hostkey knows by which algorithms a server proves that it has a host key
// (https://www.rfc-editor.org/rfc/rfc8332).
package hostkey

import (
	"slices"

	"golang.org/x/crypto/ssh"
)

// Algorithms answers the algorithms that keys may sign with, as a client asks for them: each once, sorted. An RSA key
// has several, of which the one with SHA-1 is not among them.
func Algorithms(keys ...ssh.PublicKey) []string {
	var list []string
	for _, k := range keys {
		if kind := k.Type(); kind == ssh.KeyAlgoRSA {
			list = append(list, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		} else {
			list = append(list, kind)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
