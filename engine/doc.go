// Package engine runs programs compiled to WebAssembly in sandboxes inside the calling process.
//
// An [Engine] holds the compiled images and their warm memory. [Engine.Create] makes a [Sandbox]: a
// copy-on-write file tree, limits and a meter. [Sandbox.Run], [Sandbox.Start] and [Sandbox.Eval] start
// processes in it. The engine knows no language; packages under runtimes bring an [Image] each.
//
// All exported types are safe for concurrent use unless their comment says otherwise.
//
// Lock order: Engine.mu, then program.mu, then table.mu, then pool.mu. No lock is held while a guest runs.
package engine
