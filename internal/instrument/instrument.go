package instrument

import (
	"strconv"
	"strings"
)

// Names that the rewriter adds. A guest can neither import from ImportModule nor export a name that begins with
// "belljar:", so it can't reach the fuel.
const (
	// ImportModule is the module from which a metered module imports ImportTick.
	ImportModule = "belljar.meter"
	// ImportTick is called with the fuel left, which is negative, and returns the fuel to go on with; if that is
	// negative too it is called again, at once or at the next check. Its type is (func (param i64) (result i64)).
	ImportTick = "tick"

	reservedPrefix = "belljar:"
	fuelName       = reservedPrefix + "fuel"
	startName      = reservedPrefix + "start"
	probeName      = reservedPrefix + "probe"
	skeletonName   = reservedPrefix + "skeleton"
	globalPrefix   = reservedPrefix + "g" // followed by the global's index
)

// MaxTableEntries bounds the elements of all tables of a module together, because tables live in the host's memory.
const MaxTableEntries = 1 << 20

// Config says what to insert. The zero value meters nothing but still exports globals and extracts data.
type Config struct {
	Meter bool // insert checks
	// LazyTable sets each element of the module's table at the first indirect call through it rather than at
	// instantiation, which takes an allocation for each; until then it is a stub, one for all elements of a type. It
	// needs Meter, and changes nothing for a module whose table is imported, exported, or looked into by anything but
	// indirect calls.
	LazyTable bool
	// Probe exports a function of that name which answers 1, and traps in the module's Skeleton. It needs Meter.
	Probe bool
}

// Module is a rewritten module and what its host must know of it.
type Module struct {
	// Wasm is the rewritten module. It shares no memory with the input.
	Wasm []byte
	// Fuel is the name of the exported mutable i64 global that holds the fuel in instructions, at first 0; "" unless
	// metered.
	Fuel string
	// Probe is the name of the exported function () -> i32 that Config.Probe has asked for; "" in a module without code.
	Probe string
	// Start is the name under which the start function is exported, "" if there is none. The host calls it after it
	// has written Data.
	Start string
	// Globals are the module's own mutable globals, in the order of their indices.
	Globals []Global
	// Data are the active data segments taken out of the module, to be written in this order before anything runs. A
	// segment that ends beyond the memory must make instantiation fail.
	Data []Segment
	// Memory is the module's only memory, the zero value if it has none.
	Memory Memory
	// Stateful says why an instance can't be rebuilt from its memory and Globals alone. Empty means that these two are
	// its whole state.
	Stateful []string
}

// Global is a mutable global defined by the module.
type Global struct {
	Name string // it is exported under this name
	Type string // i32, i64, f32, f64, v128, funcref, externref, exnref or ref
}

// Segment is a piece of the memory's first content.
type Segment struct {
	Offset uint64 // in bytes
	Bytes  []byte // aliases the input of Rewrite
}

// Memory describes a linear memory; sizes are in pages of 64 KiB.
type Memory struct {
	Defined  bool   // by the module
	Imported bool   // at most one of Defined and Imported is set
	Min      uint32 // pages
	Max      uint32 // pages; 0 unless HasMax
	HasMax   bool
	// Shared tells that the original memory was shared. The rewritten one never is, since a process has one thread:
	// memory.atomic.wait traps instead of blocking the host, and everything else behaves the same.
	Shared bool
}

// Rewrite rewrites a module. It takes time and memory linear in the size of the input, which it doesn't change, and may
// be called concurrently. An error is always an *Error.
//
// It accepts what https://webassembly.github.io/spec/core/ version 2 defines, and exception handling (without its legacy
// form), tail calls, threads, extended constants and typed function references.
func Rewrite(wasm []byte, cfg Config) (*Module, error) {
	rw := &rewriter{src: wasm, cfg: cfg}
	if err := rw.read(); err != nil {
		return nil, err
	}
	if cfg.Meter {
		rw.meter()
		rw.out.Fuel = fuelName
	}
	rw.write()
	return &rw.out, nil
}

// rewriter holds one module on its way through: read parses every section and keeps the rewritten form of all but the
// code, meter decides where checks stand, write puts the sections together.
type rewriter struct {
	src []byte
	cfg Config
	out Module

	sections [sectionCount][]byte // rewritten content; nil: absent
	names    []byte               // rewritten name section; nil: absent

	sigs     []signature // by type index
	sigCount int         // distinct signatures
	funcs    []uint32    // type index by function index, imported functions first
	imports  int         // imported functions
	escapes  []bool      // by function index: it may be called through a reference
	bodies   []body      // of the defined functions

	tables, tags int        // imported and defined
	globalCount  int        // imported and defined
	mutable      []uint32   // indices of out.Globals
	elems, datas int        // segments; datas may come from the data count section
	passive      bool       // a data segment is passive
	dropsData    bool       // the code drops data segments
	start        uint32     // rewritten index of the start function
	lazy         *lazyTable // nil: the table is filled at instantiation
	stateful     map[string]bool

	// counts are the elements of the sections that elements are added to, whose content is kept without its count.
	counts [sectionCount]int

	events     []event
	labels     []uint32 // of br_table and try_table: count, then depths
	entryPrice []uint32 // by defined function: what the check at its entry pays; 0: none
}

// shift maps a function index of the original module to its index in the rewritten one, where the imported tick
// function follows the imported functions.
func (rw *rewriter) shift(f uint32) uint32 {
	if rw.cfg.Meter && int(f) >= rw.imports {
		return f + 1
	}
	return f
}

func (rw *rewriter) reason(s string) {
	if rw.stateful == nil {
		rw.stateful = make(map[string]bool)
	}
	rw.stateful[s] = true
}

func reserved(name string) bool { return strings.HasPrefix(name, reservedPrefix) }

func globalName(index int) string { return globalPrefix + strconv.Itoa(index) }
