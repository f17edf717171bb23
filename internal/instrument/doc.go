// Package instrument rewrites WebAssembly modules so that they can be metered, imaged and forked.
//
// # Metering
//
// The rewriter inserts checks: each subtracts a constant from an exported global, the fuel, and calls an imported host
// function when the fuel has run out. A check pays in advance for the dearest path that leads from it to the next check
// or to the end of its function, so at every moment the guest has executed at most what it has paid for.
//
//	global.get fuel
//	i64.const price
//	i64.sub
//	global.set fuel
//	global.get fuel
//	i64.const 0
//	i64.lt_s
//	if
//	  global.get fuel
//	  call tick
//	  global.set fuel
//	end
//
// A price is in instructions, of which a few weigh more than one (see the weights in event.go). Checks stand at the
// header of every loop that is branched back to, at the entry of enough functions, and before enough indirect calls,
// that no cycle of the call graph is free of them (see cuts), and wherever a path without any would become dearer than
// maxPrice; cases of a br_table pay for themselves a little before that. What a function executes before its first check
// is paid for by its caller, as part of the price of the call, up to maxEntry; dearer functions have a check at their
// entry. Operations whose work depends on an operand, such as memory.fill, pay for that operand when they meet it.
//
// So between two ticks a guest executes no more instructions than it was given, and the price of one check.
//
// What is unpaid is what the host itself starts: calling an exported function executes at most maxEntry before the
// first check, and so does every call back into the guest from an imported function.
//
// # Hostile modules
//
// Rewriting precedes every other use of a module, so its reader is strict: sections in order and of the stated size,
// counts that fit the bytes they count, LEB128 within its length, every instruction known, every block closed, every
// index that the rewriter moves or that could reach what it adds within the bounds of the original module. It is no
// validator: types are left to the runtime, and everything inserted leaves the operand stack as it was, so that a
// module of wrong types stays one.
//
// See https://webassembly.github.io/spec/core/binary/index.html.
package instrument
