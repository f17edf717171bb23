// fork, for modules that are asyncified with belljar.proc_fork as what may unwind.
#include <sys/types.h>
#include <unistd.h>

#include "host.h"

// Where the frames of the stack go: enough for bash's deepest recursion that a fork may come from.
#define STACK_SIZE (2 << 20)

static char frames[STACK_SIZE] __attribute__((aligned(16)));

__attribute__((export_name("belljar_stack"))) struct host_stack *belljar_stack(void)
{
	static struct host_stack stack;
	stack = (struct host_stack){frames, frames + STACK_SIZE};
	return &stack;
}

pid_t fork(void)
{
	uint32_t pid = 0;
	int err = host_proc_fork(&pid);
	return err ? done(err) : (pid_t)pid;
}

pid_t vfork(void) { return fork(); }
