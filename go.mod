module github.com/belljar-dev/belljar

go 1.26

require github.com/tetratelabs/wazero v1.12.0 // used by engine and wasi: the WebAssembly runtime

require golang.org/x/sys v0.44.0 // indirect
