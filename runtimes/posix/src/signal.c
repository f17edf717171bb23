// Signals. The host keeps dispositions and masks and calls belljar_signal; this file keeps the handlers.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

enum { HOW_DEFAULT, HOW_IGNORE, HOW_HANDLE, HOW_ASK };
enum { FLAG_RESTART = 1, FLAG_RESETHAND = 2, FLAG_NODEFER = 4, FLAG_NOCLDSTOP = 8 };
enum { MASK_ASK = 3 };

#define BIT(sig) ((sigset_t)1 << ((sig) - 1))

static struct sigaction actions[NSIG];
static int waiting;                 // calls under way that handlers are put off to the end of
static volatile sigset_t put_off;
static volatile int stop_waiting;   // a handler without SA_RESTART ran
static volatile int handled;        // a handler ran

static int valid(int sig) { return sig > 0 && sig < NSIG; }

// handle runs sig's handler as ordinary code.
static void handle(int sig)
{
	struct sigaction act = actions[sig];
	if (act.sa_handler == SIG_DFL || act.sa_handler == SIG_IGN)
		return;
	handled = 1;
	if (!((unsigned)act.sa_flags & SA_RESTART))
		stop_waiting = 1;
	if ((unsigned)act.sa_flags & SA_RESETHAND)
		actions[sig].sa_handler = SIG_DFL;
	uint64_t old = 0;
	sigset_t block = act.sa_mask;
	if (!((unsigned)act.sa_flags & SA_NODEFER))
		block |= BIT(sig);
	host_sig_mask(SIG_BLOCK, block, &old);
	int err = errno;
	if (act.sa_flags & SA_SIGINFO) {
		siginfo_t info = {.si_signo = sig};
		act.sa_sigaction(sig, &info, NULL);
	} else
		act.sa_handler(sig);
	errno = err;
	host_sig_mask(SIG_SETMASK, old, &(uint64_t){0});
}

static void run_put_off(void)
{
	while (put_off) {
		int sig = __builtin_ctzll(put_off) + 1;
		put_off &= ~BIT(sig);
		handle(sig);
	}
}

// Programs with threads have them of their own.
__attribute__((weak)) int __belljar_handles_signals(void) { return 1; }

void __belljar_enter(void)
{
	if (__belljar_handles_signals())
		waiting++;
}

int __belljar_leave(void)
{
	if (!__belljar_handles_signals())
		return 1;
	// A handler may jump out of here and never come back to count down.
	waiting = 0;
	stop_waiting = handled = 0;
	run_put_off();
	return !stop_waiting;
}

int __belljar_leave_poll(void) { return __belljar_leave() && !handled; }

int __belljar_has_put_off(void) { return put_off != 0; }

__attribute__((weak)) int __belljar_due(void) { return 0; }

// What asyncify is about: a module that isn't asyncified has no such function, and never unwinds.
__attribute__((weak)) int __belljar_unwinding(void) { return 0; }

__attribute__((export_name("belljar_signal"))) void belljar_signal(int sig)
{
	// Code may be interrupted that keeps things below the stack pointer.
	volatile char red_zone[256];
	red_zone[0] = 0;
	if (!valid(sig))
		return;
	if (waiting > 0 || __belljar_unwinding())
		put_off |= BIT(sig);
	else
		handle(sig);
}

static int how(void (*handler)(int))
{
	return handler == SIG_DFL ? HOW_DEFAULT : handler == SIG_IGN ? HOW_IGNORE : HOW_HANDLE;
}

// flags_of gives the host's. SA_RESTART isn't the host's to know: see BLOCKING.
static uint32_t flags_of(const struct sigaction *act)
{
	return (act->sa_flags & SA_NOCLDSTOP ? FLAG_NOCLDSTOP : 0) |
		((unsigned)act->sa_flags & SA_RESETHAND ? FLAG_RESETHAND : 0) |
		((unsigned)act->sa_flags & SA_NODEFER ? FLAG_NODEFER : 0);
}

void __belljar_tell_actions(void)
{
	for (int sig = 1; sig < NSIG; sig++) {
		uint32_t was[2] = {0};
		int want = how(actions[sig].sa_handler);
		if (want == HOW_DEFAULT)
			continue;
		// Who starts a program may want a signal ignored.
		if (host_sig_action(sig, HOW_ASK, 0, was) == 0 && was[0] == HOW_DEFAULT)
			host_sig_action(sig, want, flags_of(&actions[sig]), was);
	}
}

int sigaction(int sig, const struct sigaction *restrict act, struct sigaction *restrict old)
{
	uint32_t was[2] = {0};
	if (!valid(sig))
		return done(EINVAL);
	struct sigaction before = actions[sig];
	uint32_t flags = 0, want = HOW_ASK;
	if (act) {
		want = how(act->sa_handler);
		flags = flags_of(act);
		if (want == HOW_HANDLE)
			actions[sig] = *act;
	}
	int err = host_sig_action(sig, want, flags, was);
	// A host may have no signals while a program is being prepared, and hear of this when it begins.
	if (err && err != ENOSYS) {
		actions[sig] = before;
		return done(err);
	}
	if (act)
		actions[sig] = *act;
	if (old)
		*old = before;
	if (old && err == 0) {
		// Ignored signals stay so over exec, and this program hasn't said anything yet.
		if (was[0] == HOW_IGNORE)
			old->sa_handler = SIG_IGN;
		else if (was[0] == HOW_DEFAULT)
			old->sa_handler = SIG_DFL;
	}
	return 0;
}

void (*signal(int sig, void (*handler)(int)))(int)
{
	struct sigaction old, act = {.sa_flags = (int)SA_RESTART};
	act.sa_handler = handler;
	return sigaction(sig, &act, &old) < 0 ? SIG_ERR : old.sa_handler;
}

int siginterrupt(int sig, int on)
{
	struct sigaction act;
	if (sigaction(sig, NULL, &act) < 0)
		return -1;
	act.sa_flags = (int)(on ? (unsigned)act.sa_flags & ~SA_RESTART : (unsigned)act.sa_flags | SA_RESTART);
	return sigaction(sig, &act, NULL);
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
	uint64_t was = 0;
	int err = BLOCKING(host_sig_mask(set ? (uint32_t)how : MASK_ASK, set ? *set : 0, &was));
	if (err == 0 && old)
		*old = was;
	return done(err);
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
	return sigprocmask(how, set, old) < 0 ? errno : 0;
}

int sigpending(sigset_t *set)
{
	uint64_t pending = 0;
	int err = host_sig_pending(&pending);
	*set = pending;
	return done(err);
}

int sigsuspend(const sigset_t *mask)
{
	__belljar_enter();
	int err = host_sig_suspend(*mask);
	__belljar_leave();
	return done(err ? err : EINTR);
}

int pause(void)
{
	sigset_t mask;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	return sigsuspend(&mask);
}

static volatile sigset_t caught;

static void catch(int sig) { caught |= BIT(sig); }

// sigwait has handlers for a moment: the host has no call that takes a signal without one.
int sigwait(const sigset_t *restrict set, int *restrict sig)
{
	struct sigaction before[NSIG], act = {.sa_mask = *set};
	sigset_t mask, rest;
	act.sa_handler = catch;
	if (sigprocmask(SIG_BLOCK, set, &mask) < 0)
		return errno;
	for (int i = 1; i < NSIG; i++)
		if (*set & BIT(i))
			sigaction(i, &act, &before[i]);
	caught = 0;
	rest = mask & ~*set;
	while ((caught & *set) == 0)
		sigsuspend(&rest);
	rest = caught & *set;
	for (int i = 1; i < NSIG; i++)
		if (*set & BIT(i))
			sigaction(i, &before[i], NULL);
	*sig = __builtin_ctzll(rest) + 1;
	// Others that came with it wait on.
	for (rest &= rest - 1; rest; rest &= rest - 1)
		kill(getpid(), __builtin_ctzll(rest) + 1);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return 0;
}

int kill(pid_t pid, int sig) { return done(BLOCKING(host_proc_kill(pid, sig))); }
int raise(int sig) { return kill(getpid(), sig); }

int killpg(pid_t pgrp, int sig) { return pgrp < 0 ? done(EINVAL) : kill(-pgrp, sig); }

int sigaltstack(const stack_t *restrict new, stack_t *restrict old)
{
	(void)new;
	if (old)
		*old = (stack_t){.ss_flags = SS_DISABLE};
	return 0;
}

int sigemptyset(sigset_t *set) { return *set = 0, 0; }
int sigfillset(sigset_t *set) { return *set = ~(sigset_t)0 >> (64 - (NSIG - 1)), 0; }
int sigaddset(sigset_t *set, int sig) { return valid(sig) ? (*set |= BIT(sig), 0) : done(EINVAL); }
int sigdelset(sigset_t *set, int sig) { return valid(sig) ? (*set &= ~BIT(sig), 0) : done(EINVAL); }
int sigismember(const sigset_t *set, int sig) { return valid(sig) ? (*set & BIT(sig)) != 0 : done(EINVAL); }

// The texts of Linux's C libraries.
char *strsignal(int sig)
{
	static const char *const names[NSIG] = {
		"Unknown signal", "Hangup", "Interrupt", "Quit", "Illegal instruction", "Trace/breakpoint trap", "Aborted",
		"Bus error", "Floating point exception", "Killed", "User defined signal 1", "Segmentation fault",
		"User defined signal 2", "Broken pipe", "Alarm clock", "Terminated", "Stack fault", "Child exited",
		"Continued", "Stopped (signal)", "Stopped", "Stopped (tty input)", "Stopped (tty output)",
		"Urgent I/O condition", "CPU time limit exceeded", "File size limit exceeded", "Virtual timer expired",
		"Profiling timer expired", "Window changed", "I/O possible", "Power failure", "Bad system call",
	};
	static char unknown[32];
	if (valid(sig) && names[sig])
		return (char *)names[sig];
	int real_time = sig >= SIGRTMIN && sig <= SIGRTMAX;
	snprintf(unknown, sizeof unknown, real_time ? "Real-time signal %d" : "Unknown signal %d", real_time ? sig - SIGRTMIN : sig);
	return unknown;
}

void psignal(int sig, const char *text)
{
	fprintf(stderr, "%s%s%s\n", text ? text : "", text && *text ? ": " : "", strsignal(sig));
}
