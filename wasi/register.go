package wasi

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// function is a host function that answers an errno. p holds its parameters as
// wazero passes them: an i32 in the lower half.
type function func(ctx context.Context, h *Host, mem memory, p []uint64) errno

// Call is the one way into every host function, and the one place where signals are
// delivered to a guest: when the call has let go of the guest's memory, which a handler
// may move.
func (f function) Call(ctx context.Context, m api.Module, stack []uint64) {
	defer rethrow()
	h, first := hostOf(ctx), stack[0]
	if h.catchUp != nil {
		h.catchUp()
	}
	for {
		e := f(ctx, h, memoryOf(m), stack)
		var handled, restart bool
		pending := h.signals != nil && h.signals.Pending() && h.handlesSignals(ctx)
		if pending {
			handled, restart = h.signals.Deliver(ctx)
		}
		switch {
		case e == errRestart && (handled && !restart || h.signals == nil):
			e = errIntr
		case e == errRestart, e == errIntr && pending && !handled: // no handler ran: the guest hears of nothing
			stack[0] = first
			continue
		}
		stack[0] = uint64(e)
		return
	}
}

// export is a host function as it is linked: by name and by the types of its
// parameters, i for i32 and I for i64.
type export struct {
	name   string
	params string
	call   function
}

// preview1 lists the functions in the order of the specification, and then those of
// WasmEdge's socket extension.
func preview1() []export {
	return []export{
		{"args_get", "ii", argsGet},
		{"args_sizes_get", "ii", argsSizesGet},
		{"environ_get", "ii", environGet},
		{"environ_sizes_get", "ii", environSizesGet},
		{"clock_res_get", "ii", clockResGet},
		{"clock_time_get", "iIi", clockTimeGet},
		{"fd_advise", "iIIi", fdAdvise},
		{"fd_allocate", "iII", fdAllocate},
		{"fd_close", "i", fdClose},
		{"fd_datasync", "i", fdDatasync},
		{"fd_fdstat_get", "ii", fdFdstatGet},
		{"fd_fdstat_set_flags", "ii", fdFdstatSetFlags},
		{"fd_fdstat_set_rights", "iII", fdFdstatSetRights},
		{"fd_filestat_get", "ii", fdFilestatGet},
		{"fd_filestat_set_size", "iI", fdFilestatSetSize},
		{"fd_filestat_set_times", "iIIi", fdFilestatSetTimes},
		{"fd_pread", "iiiIi", fdPread},
		{"fd_prestat_get", "ii", fdPrestatGet},
		{"fd_prestat_dir_name", "iii", fdPrestatDirName},
		{"fd_pwrite", "iiiIi", fdPwrite},
		{"fd_read", "iiii", fdRead},
		{"fd_readdir", "iiiIi", fdReaddir},
		{"fd_renumber", "ii", fdRenumber},
		{"fd_seek", "iIii", fdSeek},
		{"fd_sync", "i", fdSync},
		{"fd_tell", "ii", fdTell},
		{"fd_write", "iiii", fdWrite},
		{"path_create_directory", "iii", pathCreateDirectory},
		{"path_filestat_get", "iiiii", pathFilestatGet},
		{"path_filestat_set_times", "iiiiIIi", pathFilestatSetTimes},
		{"path_link", "iiiiiii", pathLink},
		{"path_open", "iiiiiIIii", pathOpen},
		{"path_readlink", "iiiiii", pathReadlink},
		{"path_remove_directory", "iii", pathRemoveDirectory},
		{"path_rename", "iiiiii", pathRename},
		{"path_symlink", "iiiii", pathSymlink},
		{"path_unlink_file", "iii", pathUnlinkFile},
		{"poll_oneoff", "iiii", pollOneoff},
		{"proc_raise", "i", procRaise},
		{"sched_yield", "", schedYield},
		{"random_get", "ii", randomGet},
		{"sock_accept", "iii", sockAccept},
		{"sock_accept_v2", "iii", sockAccept},
		{"sock_recv", "iiiiii", sockRecv},
		{"sock_send", "iiiii", sockSend},
		{"sock_shutdown", "ii", sockShutdown},
		{"sock_open", "iii", sockOpen},
		{"sock_bind", "iii", sockBind},
		{"sock_listen", "ii", sockListen},
		{"sock_connect", "iii", sockConnect},
		{"sock_recv_from", "iiiiiiii", sockRecvFrom},
		{"sock_send_to", "iiiiiii", sockSendTo},
		{"sock_getsockopt", "iiiii", sockGetsockopt},
		{"sock_setsockopt", "iiiii", sockSetsockopt},
		{"sock_getlocaladdr", "iiii", sockGetlocaladdr},
		{"sock_getpeeraddr", "iiii", sockGetpeeraddr},
		{"sock_getaddrinfo", "iiiiiiii", sockGetaddrinfo},
	}
}

// extension lists the functions of module "belljar". ABI.md documents them.
func extension() []export {
	return []export{
		{"fd_pipe", "ii", fdPipe},
		{"fd_dup", "iiii", fdDup},
		{"fd_dup2", "iii", fdDup2},
		{"fd_flags_get", "ii", fdFlagsGet},
		{"fd_flags_set", "ii", fdFlagsSet},
		{"fd_stat", "ii", fdStat},
		{"fd_chmod", "ii", fdChmod},
		{"fd_chown", "iii", fdChown},
		{"fd_bytes", "ii", fdBytes},
		{"tree_room", "i", treeRoom},
		{"fd_seek_sparse", "iIii", fdSeekSparse},
		{"fd_punch", "iII", fdPunch},
		{"path_stat", "iiiii", pathStat},
		{"path_chmod", "iiiii", pathChmod},
		{"path_chown", "iiiiii", pathChown},
		{"path_open_mode", "iiiiiIIiiii", pathOpenMode},
		{"path_mkdir_mode", "iiii", pathMkdirMode},
		{"path_mkfifo", "iiii", pathMkfifo},
		{"fd_flock", "ii", fdFlock},
		{"fd_lock", "iiiIIi", fdLock},
		{"path_rename_flags", "iiiiiii", pathRenameFlags},
		{"fd_xattr_get", "iiiiii", fdXattrGet},
		{"fd_xattr_set", "iiiiii", fdXattrSet},
		{"fd_xattr_list", "iiii", fdXattrList},
		{"fd_xattr_remove", "iii", fdXattrRemove},
		{"path_xattr_get", "iiiiiiiii", pathXattrGet},
		{"path_xattr_set", "iiiiiiiii", pathXattrSet},
		{"path_xattr_list", "iiiiiii", pathXattrList},
		{"path_xattr_remove", "iiiiii", pathXattrRemove},
		{"path_access", "iiiii", pathAccess},
		{"sock_pair", "ii", sockPair},
		{"host_call", "iiiii", hostCall},
		{"host_take", "ii", hostTake},
		{"proc_fork", "i", procFork},
		{"proc_exec", "iiiiiiii", procExec},
		{"proc_spawn", "iiiiiiiiiiii", procSpawn},
		{"proc_wait", "iii", procWait},
		{"proc_kill", "ii", procKill},
		{"proc_id", "iii", procID},
		{"proc_setpgid", "ii", procSetpgid},
		{"proc_setsid", "i", procSetsid},
		{"proc_paths", "i", procPaths},
		{"proc_cwd_get", "iii", procCwdGet},
		{"proc_cwd_set", "ii", procCwdSet},
		{"proc_umask", "ii", procUmask},
		{"proc_rlimit_get", "ii", procRlimitGet},
		{"proc_rlimit_set", "iII", procRlimitSet},
		{"proc_times", "i", procTimes},
		{"sig_action", "iiii", sigAction},
		{"sig_mask", "iIi", sigMask},
		{"sig_pending", "i", sigPending},
		{"sig_suspend", "I", sigSuspend},
		{"sig_timer", "IIi", sigTimer},
		{"thread_create", "iiiii", threadCreate},
		{"thread_exit", "", threadExit},
		{"thread_wait", "iiI", threadWait},
		{"thread_wake", "iii", threadWake},
		{"tty_attr_get", "ii", ttyAttrGet},
		{"tty_attr_set", "iii", ttyAttrSet},
		{"tty_size_get", "ii", ttySizeGet},
		{"tty_size_set", "ii", ttySizeSet},
		{"tty_pgrp_get", "ii", ttyPgrpGet},
		{"tty_pgrp_set", "ii", ttyPgrpSet},
		{"tty_flush", "ii", ttyFlush},
		{"tty_open_pty", "ii", ttyOpenPty},
		{"tty_control", "i", ttyControl},
	}
}

// Register instantiates the modules "wasi_snapshot_preview1" and "belljar" in r. It
// must be called once for a Runtime, before guests are instantiated there.
func Register(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder("wasi_snapshot_preview1")
	addExports(b, preview1())
	b.NewFunctionBuilder().WithGoModuleFunction(function(procExit), types("i"), nil).Export("proc_exit")
	if _, err := b.Instantiate(ctx); err != nil {
		return fmt.Errorf("register wasi_snapshot_preview1: %w", err)
	}
	b = r.NewHostModuleBuilder("belljar")
	addExports(b, extension())
	if _, err := b.Instantiate(ctx); err != nil {
		return fmt.Errorf("register belljar: %w", err)
	}
	return nil
}

func addExports(b wazero.HostModuleBuilder, list []export) {
	errno := types("i")
	for _, e := range list {
		b.NewFunctionBuilder().WithGoModuleFunction(e.call, types(e.params), errno).Export(e.name)
	}
}

func types(signature string) []api.ValueType {
	list := make([]api.ValueType, len(signature))
	for i, c := range signature {
		list[i] = api.ValueTypeI32
		if c == 'I' {
			list[i] = api.ValueTypeI64
		}
	}
	return list
}
