module github.com/belljar-dev/belljar

go 1.26.0

require (
	github.com/Masterminds/semver/v3 v3.5.0 // used by runtimes/js/npm: versions
	github.com/dustin/go-humanize v1.1.0 // used by cmd/belljar: sizes such as 512MiB
	github.com/evanw/esbuild v0.28.2 // used by runtimes/js/esbuild: TypeScript and JSX
	github.com/go-git/go-billy/v5 v5.9.2 // used by vfs/billyfs: the interface that go-git takes
	github.com/go-git/go-git/v5 v5.19.3 // used by gitops: objects and storage; by the tests of vfs/billyfs: repositories in a tree
	github.com/klauspost/compress v1.20.3 // used by runtimes, store, engine and vfs/archive: zstd; by gitops: zlib
	github.com/mark3labs/mcp-go v1.2.1 // used by mcpbridge: the Model Context Protocol
	github.com/peterh/liner v1.2.3 // used by cmd/belljar: editing lines in the repl
	github.com/rogpeppe/go-internal v1.16.0 // used by the tests of cmd/belljar: testscript
	github.com/schollz/progressbar/v3 v3.19.1 // used by cmd/belljar: progress of a first start
	github.com/spf13/afero v1.15.0 // used by vfs/aferofs: the interface that Go programs know
	github.com/spf13/cobra v1.10.2 // used by cmd/belljar: the command line
	github.com/spf13/pflag v1.0.10 // used by cmd/belljar: sets of flags that commands share
	github.com/tailscale/hujson v0.0.0-20260727124030-b80ff77dac4f // used by mcpbridge/clients: JSON with comments
	github.com/tetratelabs/wazero v1.12.0 // used by engine and wasi: the WebAssembly runtime
	go.etcd.io/bbolt v1.5.0 // used by store: the database
	golang.org/x/crypto v0.56.0 // used by gitops, runtimes/git and cmd/belljar: SSH
	golang.org/x/crypto/x509roots/fallback v0.0.0-20261030153154-30a33513ff6d // used by engine: the authorities that guests' TLS trusts
	golang.org/x/sys v0.49.0 // used by engine: memory mappings
	golang.org/x/term v0.47.0 // used by cmd/belljar: is standard error a terminal
	gopkg.in/check.v1 v1.0.0-20201130134442-10cb98267c6c // used by the tests of vfs/billyfs: billy's own suite
)

require (
	dario.cat/mergo v1.0.0 // indirect
	github.com/Microsoft/go-winio v0.6.2 // indirect
	github.com/ProtonMail/go-crypto v1.1.6 // indirect
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	github.com/cloudflare/circl v1.6.3 // indirect
	github.com/cyphar/filepath-securejoin v0.6.1 // indirect
	github.com/emirpasic/gods v1.18.1 // indirect
	github.com/go-git/gcfg v1.5.1-0.20230307220236-3a3c6141e376 // indirect
	github.com/golang/groupcache v0.0.0-20241129210726-2c02b8208cf8 // indirect
	github.com/google/jsonschema-go v0.4.2 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/jbenet/go-context v0.0.0-20150711004518-d14ea06fba99 // indirect
	github.com/kevinburke/ssh_config v1.2.0 // indirect
	github.com/kr/pretty v0.3.1 // indirect
	github.com/kr/text v0.2.0 // indirect
	github.com/mattn/go-runewidth v0.0.31 // indirect
	github.com/mitchellh/colorstring v0.0.0-20190213212951-d06e56a500db // indirect
	github.com/pjbgf/sha1cd v0.7.0 // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.2 // indirect
	github.com/sergi/go-diff v1.3.2-0.20230802210424-5b0b94c5c0d3 // indirect
	github.com/skeema/knownhosts v1.3.1 // indirect
	github.com/spf13/cast v1.7.1 // indirect
	github.com/xanzy/ssh-agent v0.3.3 // indirect
	github.com/yosida95/uritemplate/v3 v3.0.2 // indirect
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/text v0.41.0 // indirect
	golang.org/x/tools v0.48.0 // indirect
	gopkg.in/warnings.v0 v0.1.2 // indirect
)
