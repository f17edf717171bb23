package git

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxAdvertisement bounds what a server may say of its refs, in bytes: about a million of them.
const maxAdvertisement = 64 << 20

// discovery is what a server has said of a service.
type discovery struct {
	service string
	version int    // of the protocol
	header  string // Git-Protocol, for the requests that follow; "" is none
	rest    []byte // all after the announcement of the service
	format  string // of hashes
}

// remoteRef is a ref of the server's.
type remoteRef struct{ hash, name, target string }

// discover asks the server, unless that has been done.
func (r *remote) discover(service string) (*discovery, error) {
	if r.found != nil && r.found.service == service && r.found.rest != nil {
		return r.found, nil
	}
	header := r.client.protocol
	if service == "git-receive-pack" && header == "version=2" {
		header = "" // there is no pushing in version 2
	}
	kind, body, err := r.client.advertisement(r.ctx, service, header)
	if err != nil {
		return nil, err
	}
	d := &discovery{service: service, header: header, rest: body, format: "sha1"}
	if err := d.read(kind); err != nil {
		return nil, err
	}
	if r.client.moved && r.opts.verbosity > 0 {
		fmt.Fprintf(r.call.Stderr, "warning: redirecting to %s\n", r.client.name())
	}
	r.found = d
	return d, nil
}

// read takes the announcement off the advertisement and looks at its version.
func (d *discovery) read(kind string) error {
	smart := kind == "application/x-"+d.service+"-advertisement"
	var buf [packetMax]byte
	in := bytes.NewReader(d.rest)
	_, first, err := readPacket(in, buf[:])
	if !smart && (err != nil || !bytes.HasPrefix(first, []byte("# service="))) {
		return fatalf("the server does not speak git's smart protocol here, and the dumb one is not supported")
	}
	if err != nil {
		return fatalf("invalid server response; %v", err)
	}
	line := strings.TrimSuffix(string(first), "\n")
	if service, ok := strings.CutPrefix(line, "# service="); ok {
		if service != d.service {
			return fatalf("invalid server response; got '%s'", line)
		}
		for length := -1; length != packetFlush; {
			if length, _, err = readPacket(in, buf[:]); err != nil {
				return fatalf("invalid server response; %v", err)
			}
		}
		d.rest = d.rest[len(d.rest)-in.Len():]
		_, first, err = readPacket(in, buf[:])
		if err != nil && !errors.Is(err, io.EOF) {
			return fatalf("invalid server response; %v", err)
		}
		line = strings.TrimSuffix(string(first), "\n")
	}
	switch {
	case line == "version 2":
		d.version = 2
	case line == "version 1":
		d.version = 1
	}
	if message, ok := strings.CutPrefix(line, "ERR "); ok {
		return fatalf("remote error: %s", message)
	}
	return nil
}

// refs takes the advertisement of versions 0 and 1 apart.
func (d *discovery) refs() ([]remoteRef, error) {
	if d.version == 2 {
		return nil, fatalf("invalid server response; version 2 where refs were asked for")
	}
	var buf [packetMax]byte
	var refs []remoteRef
	targets := map[string]string{}
	for in := bytes.NewReader(d.rest); ; {
		length, content, err := readPacket(in, buf[:])
		if err != nil {
			return nil, fatalf("invalid server response; %v", err)
		}
		if length == packetFlush {
			break
		}
		line := strings.TrimSuffix(string(content), "\n")
		line, caps, _ := strings.Cut(line, "\x00")
		d.capabilities(caps, targets)
		hash, name, ok := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(line, "ERR "):
			return nil, fatalf("remote error: %s", line[len("ERR "):])
		case !ok || hash == "shallow" || hash == "version" || name == ".have" || name == "capabilities^{}":
			continue
		}
		refs = append(refs, remoteRef{hash: hash, name: name})
	}
	for i := range refs {
		refs[i].target = targets[refs[i].name]
	}
	return refs, nil
}

func (d *discovery) capabilities(caps string, targets map[string]string) {
	for _, c := range strings.Fields(caps) {
		if format, ok := strings.CutPrefix(c, "object-format="); ok {
			d.format = format
		}
		if link, ok := strings.CutPrefix(c, "symref="); ok {
			if from, to, ok := strings.Cut(link, ":"); ok {
				targets[from] = to
			}
		}
	}
}
