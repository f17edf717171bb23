package mcpbridge

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Token lets a client in.
type Token struct {
	Value   string    // the secret; "" lets nobody in
	Expires time.Time // from when on it is refused; zero: never
}

// ParseTokens reads a file of tokens: one a line, and after it, if it expires, when, as RFC 3339 has it
// (2027-01-31T00:00:00Z). What follows a # at a line's beginning is a comment. Errors name the line, and no token.
func ParseTokens(text string) ([]Token, error) {
	var tokens []Token
	for i, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) > 2 {
			return nil, fmt.Errorf("line %d: use TOKEN, or TOKEN and the time at which it expires", i+1)
		}
		t := Token{Value: fields[0]}
		if len(fields) == 2 {
			expires, err := time.Parse(time.RFC3339, fields[1])
			if err != nil {
				return nil, fmt.Errorf("line %d: the time %q: use one such as 2027-01-31T00:00:00Z", i+1, fields[1])
			}
			t.Expires = expires
		}
		tokens = append(tokens, t)
	}
	return tokens, nil
}

// bearer answers the token of a request, if it is one of those that are good. It takes as long for each wrong one.
func bearer(r *http.Request, tokens []Token, now time.Time) (Token, bool) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given := sha256.Sum256([]byte(strings.TrimSpace(secret)))
	var found Token
	good := false
	for _, t := range tokens {
		want := sha256.Sum256([]byte(t.Value))
		if subtle.ConstantTimeCompare(given[:], want[:]) == 1 && t.Value != "" && (t.Expires.IsZero() || now.Before(t.Expires)) {
			found, good = t, true
		}
	}
	return found, good && strings.EqualFold(scheme, "Bearer")
}

// owner is what stands before the names of a token's sandboxes. It does not tell the token.
func (t Token) owner() string {
	sum := sha256.Sum256([]byte("belljar owner\x00" + t.Value))
	return hex.EncodeToString(sum[:8]) + "-"
}

// ownerKey finds a client's owner in the context of its requests.
type ownerKey struct{}

// ownerFrom answers the owner of a request's client, "" where there is one client alone.
func ownerFrom(ctx context.Context) string {
	owner, _ := ctx.Value(ownerKey{}).(string)
	return owner
}
