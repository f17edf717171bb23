package main

import (
	"bytes"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Head("https://registry.npmjs.org/react")
	if err != nil {
		t.Skipf("npm's registry can't be reached: %v", err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Skipf("npm's registry answers %s", answer.Status)
	}
	// Where the registry has a mirror on a private network, the sandbox must be let there by number.
	addresses, err := net.DefaultResolver.LookupNetIP(t.Context(), "ip", "registry.npmjs.org")
	if err != nil {
		t.Skip(err)
	}
	dial := []string{registry}
	for _, a := range addresses {
		dial = append(dial, netip.AddrPortFrom(a.Unmap(), 443).String())
	}

	var out bytes.Buffer
	if err := run(t.Context(), &out, dial...); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	for _, want := range []string{
		`npm ci: [0-9.]+ s\n`, `npm run --silent build: [0-9.]+ s\n`, `npm run --silent render: [0-9.]+ s\n`,
		`GET /: 200 OK, text/html; charset=utf-8, [0-9]{4,} bytes\n<!doctype html>\n`,
		`GET /app.js: 200 OK, text/javascript, [0-9]{6} bytes\n`, // react-dom is 180 KB minified
		`GET /app.css: 200 OK, text/css, [0-9]{2,} bytes\n`,
		`GET /none.js: 404 Not Found, `,
	} {
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	// The page as node rendered it.
	for _, want := range []string{`<div id="root"><header><h1>Shelf`, "<h2>Frankenstein</h2>", `aria-label="4 of 5"`, "Ursula K. Le Guin"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
