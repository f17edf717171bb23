#include "heap.h"

#include <Python.h>

#include "pycore_gc.h"       // _PyGC_ClearAllFreeLists
#include "pycore_interp.h"   // PyInterpreterState
#include "pycore_obmalloc.h" // struct _obmalloc_state
#include "pycore_pystate.h"  // _PyInterpreterState_GET

// Gaps are filled from this size down.
#define FIRST_FILLER (1 << 20)

// close_pools fills the pools of small objects, and takes the free ones of every arena. The pools to come are
// neighbours in a new arena.
static int close_pools(struct _obmalloc_state *state)
{
	size_t arenas = state->mgmt.narenas_currently_allocated;
	while (state->mgmt.narenas_currently_allocated == arenas)
		if (PyObject_Malloc(SMALL_REQUEST_THRESHOLD) == NULL)
			return -1;
	for (size_t i = 0; i < NB_SMALL_SIZE_CLASSES; i++)
		while (state->pools.used[i + i] != state->pools.used[i + i]->nextpool)
			if (PyObject_Malloc(INDEX2SIZE(i)) == NULL)
				return -1;
	return 0;
}

// close_gaps takes all memory below top from libc. What is left there is shorter than a block's own header.
static void close_gaps(char *top)
{
	for (size_t size = FIRST_FILLER; size > 0;) {
		char *block = malloc(size);
		if (block != NULL && block < top)
			continue;
		free(block);
		size = size > 4096 ? size / 2 : size - 8;
	}
}

// reserve makes libc own room free bytes, and returns where they begin, or NULL. A memory that had to grow again for
// the same request would mean that libc gave the first block back, and every program would pay for growing.
static char *reserve(unsigned long room)
{
	char *volatile block = malloc(room);
	free(block);
	size_t size = __builtin_wasm_memory_size(0);
	block = malloc(room);
	free(block);
	return __builtin_wasm_memory_size(0) == size ? block : NULL;
}

int heap_close(unsigned long room)
{
	PyInterpreterState *interp = _PyInterpreterState_GET();
	_PyGC_ClearAllFreeLists(interp);
	if (close_pools(interp->obmalloc) < 0)
		return -1;
	char *top = reserve(room);
	if (top == NULL)
		return -1;
	close_gaps(top);
	return 0;
}
