// The heap of a warm image. Copies of it share its pages until they write into them, so a program's first
// allocations should not be spread over the gaps that the interpreter's start has left everywhere.
#ifndef BELLJAR_HEAP_H
#define BELLJAR_HEAP_H

// heap_close makes everything free below the top of the heap used for good, so that whatever is allocated from now
// on lies side by side, and leaves room bytes of untouched memory there. Called last before the image is taken.
// It returns -1 when memory is short.
int heap_close(unsigned long room);

#endif
