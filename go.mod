module github.com/belljar-dev/belljar

go 1.26.0

require (
	github.com/dustin/go-humanize v1.1.0 // used by cmd/belljar: sizes such as 512MiB
	github.com/klauspost/compress v1.20.3 // used by runtimes/python: zstd
	github.com/rogpeppe/go-internal v1.16.0 // used by the tests of cmd/belljar: testscript
	github.com/schollz/progressbar/v3 v3.19.1 // used by cmd/belljar: progress of a first start
	github.com/spf13/cobra v1.10.2 // used by cmd/belljar: the command line
	github.com/tetratelabs/wazero v1.12.0 // used by engine and wasi: the WebAssembly runtime
	golang.org/x/sys v0.49.0 // used by engine: memory mappings
	golang.org/x/term v0.47.0 // used by cmd/belljar: is standard error a terminal
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/mitchellh/colorstring v0.0.0-20190213212951-d06e56a500db // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	golang.org/x/tools v0.26.0 // indirect
)
