#include "session.h"

#include <config.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bashansi.h"
#include "shell.h"
#include "builtins/common.h"
#include "bashline.h"
#include "execute_cmd.h"
#include "flags.h"
#include "input.h"
#include "jobs.h"
#include "parser.h"
#include "sig.h"
#include "trap.h"
#include "unwind_prot.h"
#include "lib/readline/readline.h"

#include "host.h"

__attribute__((import_module("belljar"), import_name("host_call")))
int32_t belljar_host_call(const char *name, size_t name_len, const void *request, size_t request_len, uint32_t *ret_len);

__attribute__((import_module("belljar"), import_name("host_take")))
int32_t belljar_host_take(void *buf, size_t len);

extern void __wasm_call_ctors(void);

extern int main(int, char **);
extern int shell_initialized, expand_aliases, evalnest, sourcenest, funcnest, running_trap;
extern char *trap_list[];
extern procenv_t subshell_top_level;
extern int subshell_argc;
extern char **subshell_argv, **subshell_envp;
extern pid_t dollar_dollar_pid;

// What a cell is for.
enum what { WHAT_RUN, WHAT_COMPLETE, WHAT_CHECK };

enum part {
	PART_COMPLETION = 3, // where the replaced text starts, names ...
	PART_CHECK,          // "complete", "incomplete" or "invalid", then the indentation of the next line
};

// Flags of a cell.
enum {
	CELL_COPIED = 1, // this memory has become another session's: what two of them may not share is made anew
};

struct cell {
	uint32_t what, flags, number, cursor;
	char *source; // ends in a NUL
	size_t length;
};

static int begins, alive;

enum heard { HEARD_NOTHING, HEARD_UNFINISHED, HEARD_WRONG };
static int hearing;
static enum heard heard;

int session_begins(void) { return begins; }
int session_lives(void) { return alive && getpid() == dollar_dollar_pid; }

int session_bore(void) { return alive && getpid() != dollar_dollar_pid; }

int session_hears(const char *text)
{
	if (!hearing)
		return 0;
	if (heard == HEARD_NOTHING)
		heard = strstr(text, "unexpected EOF") || strstr(text, "unexpected end of file") ||
			strstr(text, "delimited by end-of-file") ? HEARD_UNFINISHED : HEARD_WRONG;
	return 1;
}

// begin makes the shell, as main does up to its first command.
static void begin(void)
{
	static char name[] = "bash";
	static char *arguments[] = {name, NULL};
	__wasm_call_ctors();
	begins = 1;
	main(1, arguments);
	begins = 0;
	alive = 1;
	expand_aliases = 1;
}

static char *ask(size_t *len)
{
	uint32_t answer_len = 0;
	if (belljar_host_call("cell", 4, NULL, 0, &answer_len) != 0)
		return NULL;
	char *answer = xmalloc((size_t)answer_len + 1);
	if (belljar_host_take(answer, answer_len) != 0) {
		free(answer);
		return NULL;
	}
	answer[answer_len] = 0;
	*len = answer_len;
	return answer;
}

static char *put(char *at, const void *bytes, size_t len) { return (char *)memcpy(at, bytes, len) + len; }

static char *put_u32(char *at, size_t value)
{
	uint32_t word = (uint32_t)value;
	return put(at, &word, sizeof word);
}

static void tell(enum part kind, const char *const *items, size_t count)
{
	size_t size = 8;
	uint32_t none;
	for (size_t i = 0; i < count; i++)
		size += 4 + strlen(items[i]);
	char *request = xmalloc(size), *at = put_u32(put_u32(request, kind), count);
	for (size_t i = 0; i < count; i++)
		at = put(put_u32(at, strlen(items[i])), items[i], strlen(items[i]));
	belljar_host_call("part", 4, request, size, &none);
	free(request);
}

// moved says that this process is not the one that ran the cell before, but has its memory, its descriptors and what its
// signals do: no program has told the host yet how it takes paths.
static int moved(void)
{
	struct host_stat st;
	return host_path_stat(AT_FDCWD, 0, ".", 1, &st) == EBADF;
}

// move tells the host of the process what it was told of the one before. Its children are not this one's.
static void move(void)
{
	__belljar_resume();
	without_job_control();
	last_asynchronous_pid = last_made_pid = NO_PID;
	dollar_dollar_pid = getpid();
	shell_pgrp = getpgid(0);
	set_ppid();
}

// attend makes the shell ready for a cell, whose interrupts are those that come from here on.
static void attend(void)
{
	if (moved())
		move();
	interrupt_state = 0; // one that came too late for the cell before
	if (signal_is_trapped(SIGINT) == 0 && signal_is_ignored(SIGINT) == 0)
		set_signal_handler(SIGINT, sigint_sighandler);
}

// prepare makes the shell as a cell finds it, wherever the one before has left it.
static void prepare(const struct cell *cell)
{
	if (cell->flags & CELL_COPIED) {
		seedrand();
		seedrand32();
	}
	read_but_dont_execute = 0;
}

// run runs a command line. It answers whether it was left by a jump, as by exit.
static int run(const char *line, int flags)
{
	switch (setjmp_nosigs(top_level)) {
	case NOT_JUMPED:
		last_command_exit_value = parse_and_execute(savestring(line), dollar_vars[0], SEVAL_NOHIST | SEVAL_RESETLINE | flags);
		return 0;
	case FORCE_EOF:
		last_command_exit_value = 127;
		break;
	case DISCARD:
		if (last_command_exit_value == 0)
			last_command_exit_value = EXECUTION_FAILURE;
	}
	return 1;
}

// tidy does what is left to do after a jump, which in another shell would be its end.
static void tidy(void)
{
	unlink_fifo_list();
	run_unwind_protects();
	if (running_trap > 0)
		run_trap_cleanup(running_trap - 1);
	running_trap = 0;
	reset_local_contexts();
	parse_and_execute_level = variable_context = 0;
	loop_level = continuing = breaking = funcnest = evalnest = sourcenest = 0;
	executing_list = comsub_ignore_return = return_catch_flag = wait_intr_flag = 0;
	reset_parser();
	restore_sigmask();
}

static void run_cell(const struct cell *cell)
{
	if (strlen(cell->source) != cell->length) {
		fprintf(stderr, "%s: the cell contains a null byte\n", dollar_vars[0]);
		last_command_exit_value = EX_BADUSAGE;
		return;
	}
	int left = run(cell->source, 0);
	if (left)
		tidy();
	// What exit does elsewhere at the shell's end, it does here at the cell's.
	while (left && signal_is_trapped(EXIT_TRAP) && signal_is_ignored(EXIT_TRAP) == 0 && last_command_exit_value != 128 + SIGINT) {
		int status = last_command_exit_value;
		char *trap = savestring(trap_list[EXIT_TRAP]);
		restore_default_signal(EXIT_TRAP);
		left = run(trap, 0);
		free(trap);
		if (left)
			tidy();
		else
			last_command_exit_value = status;
	}
}

// check says whether code is a whole one.
static void check(const struct cell *cell)
{
	size_t slashes = 0;
	while (slashes < cell->length && cell->source[cell->length - 1 - slashes] == '\\')
		slashes++;
	heard = slashes % 2 ? HEARD_UNFINISHED : HEARD_NOTHING;
	if (heard == HEARD_NOTHING) {
		hearing = 1;
		if (run(cell->source, SEVAL_PARSEONLY))
			tidy();
		hearing = 0;
	}
	const char *const status[] = {"complete", "incomplete", "invalid"};
	tell(PART_CHECK, (const char *[]){status[heard], ""}, 2);
}

// word_start answers where the word begins that ends at the cursor.
static size_t word_start(const struct cell *cell)
{
	size_t at = cell->cursor;
	while (at > 0 && (strchr(" \t\n\"'><=;|&(`{", cell->source[at - 1]) == NULL || (at > 1 && cell->source[at - 2] == '\\')))
		at--;
	return at;
}

// takes_command says whether a word that starts there names a command.
static int takes_command(const char *source, size_t at)
{
	static const char *const before[] = {"then", "do", "else", "if", "while", "until", "elif", "!", "sudo", "exec", "time", "command"};
	while (at > 0 && (source[at - 1] == ' ' || source[at - 1] == '\t'))
		at--;
	if (at == 0 || strchr("\n;|&(`{", source[at - 1]))
		return 1;
	for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
		size_t len = strlen(before[i]);
		if (at >= len && memcmp(source + at - len, before[i], len) == 0 && (at == len || strchr(" \t\n;|&", source[at - len - 1])))
			return 1;
	}
	return 0;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

// named gives a match the form that stands in code.
static char *named(char *match, int variable)
{
	struct stat st;
	char *out = NULL;
	if (variable)
		asprintf(&out, "$%s", match);
	else if (stat(match, &st) == 0 && S_ISDIR(st.st_mode) && match[strlen(match) - 1] != '/')
		asprintf(&out, "%s/", match);
	if (out == NULL)
		return match;
	free(match);
	return out;
}

static void complete(const struct cell *cell)
{
	size_t start = word_start(cell), count = 0;
	char *word = substring(cell->source, (int)start, (int)cell->cursor);
	int variable = *word == '$';
	char **found;
	if (variable)
		found = all_variables_matching_prefix(word + 1);
	else if (strchr(word, '/') == NULL && takes_command(cell->source, start))
		found = rl_completion_matches(word, command_word_completion_function);
	else
		found = rl_completion_matches(word, rl_filename_completion_function);
	size_t first = variable ? 0 : 1; // readline's lists begin with what all have in common
	if (found && !variable && found[1] == NULL)
		first = 0;
	for (; found && found[first + count]; count++)
		found[first + count] = named(found[first + count], variable);
	if (count)
		qsort(found + first, count, sizeof *found, by_name);
	const char **items = xmalloc((count + 1) * sizeof *items);
	char place[24];
	snprintf(place, sizeof place, "%zu", start);
	items[0] = place;
	size_t kept = 1;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(found[first + i], found[first + i - 1]) != 0)
			items[kept++] = found[first + i];
	tell(PART_COMPLETION, items, kept);
	free(items);
	strvec_dispose(found);
	free(word);
}

static void do_cell(const struct cell *cell)
{
	prepare(cell);
	if (cell->what == WHAT_RUN) {
		run_cell(cell);
		return;
	}
	int status = last_command_exit_value;
	if (cell->what == WHAT_CHECK)
		check(cell);
	else
		complete(cell);
	last_command_exit_value = status;
}

// be_script goes on as a script that a child of the shell was told to execute, and that says no interpreter.
static _Noreturn void be_script(void)
{
	alive = 0;
	environ = subshell_envp;
	exit(main(subshell_argc, subshell_argv));
}

__attribute__((export_name("belljar_cell"))) int belljar_cell(void)
{
	if (!alive)
		begin();
	struct cell cell;
	size_t length;
	attend();
	char *answer = ask(&length);
	if (answer == NULL || length < 16) {
		fputs("belljar: ask for a cell: no answer\n", stderr);
		return 1;
	}
	memcpy(&cell, answer, 16);
	cell.source = answer + 16;
	cell.length = length - 16;
	if (cell.cursor > cell.length)
		cell.cursor = (uint32_t)cell.length;
	if (setjmp_sigs(subshell_top_level))
		be_script();
	do_cell(&cell);
	free(answer);
	fflush(stdout);
	fflush(stderr);
	return cell.what == WHAT_RUN ? last_command_exit_value : 0;
}
