// What a process is given by its host, read afresh at every start. A warm image is started many times and each
// start is another process: nothing in here may be answered from memory that was written before the image was taken.
#ifndef BELLJAR_PROCESS_H
#define BELLJAR_PROCESS_H

// process_args reads the argument vector. The strings and the NULL-terminated vector live until the process ends.
// It returns -1 when memory is short or the host refuses.
int process_args(int *argc, char ***argv);

// process_environ makes libc forget the environment it has read and returns the one of this process.
char **process_environ(void);

// process_forget_environ makes libc forget the environment, to read it again when it is asked for.
void process_forget_environ(void);

// process_find_program returns the first file called name in the folders of PATH, as an allocated string, or NULL.
char *process_find_program(const char *name);

// fd_kind is everything about a descriptor that Python's standard streams are built from.
struct fd_kind {
	int open;
	unsigned format; // st_mode & S_IFMT
	long block_size; // st_blksize
	int terminal;
	long long position; // -1: has none
};

// process_fd_kind describes fd.
struct fd_kind process_fd_kind(int fd);

// process_same_kind says whether streams built for a and b would be the same.
int process_same_kind(const struct fd_kind *a, const struct fd_kind *b);

#endif
