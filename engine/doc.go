// Package engine runs programs compiled to WebAssembly in sandboxes inside the calling process.
//
// An [Engine] holds the compiled images and their warm memory. [Engine.Create] makes a [Sandbox]: a
// copy-on-write file tree, limits and a meter. [Sandbox.Run], [Sandbox.Start] and [Sandbox.Eval] start
// processes in it. A [Session] is an interpreter that lives from cell to cell; a [Snapshot] is a sandbox as it was at one
// moment, in memory or in a file. The engine knows no language; packages under runtimes bring an [Image] each.
//
// All exported types are safe for concurrent use unless their comment says otherwise.
//
// Lock order: Snapshot.mu, then the turns of sessions by name, then Engine.mu, program.mu, sessionSet.mu, Session.mu,
// table.mu, pool.mu. No lock but a session's turn is held while a guest runs.
package engine
