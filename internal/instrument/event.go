package instrument

// event is an instruction that matters to metering or is rewritten. All others are only counted.
type event struct {
	pos    uint32 // offset of the instruction in the module
	before uint32 // price of the check before it; 0: none
	after  uint32 // price of the check after it, for calls and loops; 0: none
	arg    uint32 // see eventKind
	run    uint16 // weight of the instructions between the previous event and this one
	size   uint8  // bytes of the instruction, 255 if longer
	kind   eventKind
	entry  bool // a call through a reference that the function may execute before its first check
}

type eventKind uint8

const (
	evMark        eventKind = iota // splits a long run; stands before an instruction
	evBlock                        // arg: 1 if a br_table leads to its end
	evLoop                         // arg: 1 if it is branched back to
	evIf                           // arg: 1 if it has an else
	evTryTable                     // arg: index into labels
	evElse                         //
	evEnd                          // arg: event that opened the block, relative to the function's first
	evBr                           // arg: depth
	evBrIf                         // and the other conditional branches; arg: depth
	evBrTable                      // arg: index into labels
	evReturn                       //
	evTrap                         //
	evThrow                        //
	evCall                         // arg: function
	evTailCall                     // arg: function
	evCallRef                      // through a table or a reference; arg: class of the signature
	evTailCallRef                  // arg: class of the signature
	evRefFunc                      // arg: function
	evBulk                         // length on top of the stack; arg: elements or bytes per unit of price, as a shift
)

// body is one defined function.
type body struct {
	start, code, end uint32 // offsets in the module: local declarations, instructions, end
	first, last      uint32 // events
	locals           uint32 // with parameters
	scratch          bool   // needs one more local: for the length of an evBulk
}

// Weights, in instructions.
const (
	weightCall     = 4
	weightCallRef  = 8
	weightDivide   = 8
	weightThrow    = 200
	weightBulk     = 32  // covers the first bulkFree bytes or elements
	weightHostCall = 100 // imported functions: what crossing to the host costs, not what the host does
	weightGrow     = 500 // memory.grow and table.grow: what crossing to the host costs
)

// Units in which bulk operations are charged, as shifts of their length, and the length that weightBulk covers.
const (
	bulkBytes = 4 // 16 bytes an instruction
	bulkElems = 0
	bulkFree  = 512
)

// maxRun is the weight after which a run is split by an evMark.
const maxRun = 1 << 10
