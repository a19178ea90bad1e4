/*
 * sig.h: signals by name and by the kernel's own calls.
 * SPDX-License-Identifier: MIT
 *
 * A mask is a 64-bit number here: the sets of a libc leave out 32 to 34, and musl's RTMIN is
 * 35, where everybody else's is 34.
 */
#ifndef SIG_H
#define SIG_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAST_SIGNAL 64
#define FIRST_RT 34
#define BIT(sig) (UINT64_C(1) << ((sig) - 1))
#define ALL UINT64_MAX

static const struct {
	const char *name;
	int sig;
} sig_names[] = {
	{"HUP", SIGHUP}, {"INT", SIGINT}, {"QUIT", SIGQUIT}, {"ILL", SIGILL},
	{"TRAP", SIGTRAP}, {"ABRT", SIGABRT}, {"BUS", SIGBUS}, {"FPE", SIGFPE},
	{"KILL", SIGKILL}, {"USR1", SIGUSR1}, {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},
	{"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM}, {"STKFLT", SIGSTKFLT},
	{"CHLD", SIGCHLD}, {"CONT", SIGCONT}, {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},
	{"TTIN", SIGTTIN}, {"TTOU", SIGTTOU}, {"URG", SIGURG}, {"XCPU", SIGXCPU},
	{"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
	{"IO", SIGIO}, {"PWR", SIGPWR}, {"SYS", SIGSYS},
};

/* its number: TERM, SIGTERM, RTMIN+3, RTMAX-3 or a number from 1 to 64; exits if it is none */
static inline int
sig_number(const char *word)
{
	const char *name = word ? word : "";
	char *end;
	long n = strtol(name, &end, 10);

	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	if (strncasecmp(name, "RTMIN", 5) == 0)
		n = FIRST_RT + strtol(name + 5, &end, 10);
	else if (strncasecmp(name, "RTMAX", 5) == 0)
		n = LAST_SIGNAL + strtol(name + 5, &end, 10);
	if (*end == '\0' && n >= 1 && n <= LAST_SIGNAL)
		return (int)n;
	for (size_t i = 0; i < sizeof sig_names / sizeof *sig_names; i++)
		if (strcasecmp(sig_names[i].name, name) == 0)
			return sig_names[i].sig;
	fprintf(stderr, "%s: no such signal\n", word ? word : "(nothing)");
	exit(2);
}

/* TERM, RTMIN, RTMIN+3; 32 and 33 have no name but their number */
static inline const char *
sig_name(int sig)
{
	static char buf[16];

	for (size_t i = 0; i < sizeof sig_names / sizeof *sig_names; i++)
		if (sig_names[i].sig == sig)
			return sig_names[i].name;
	if (sig == FIRST_RT)
		return "RTMIN";
	snprintf(buf, sizeof buf, sig > FIRST_RT ? "RTMIN+%d" : "%d",
	    sig > FIRST_RT ? sig - FIRST_RT : sig);
	return buf;
}

/* the mask now */
static inline uint64_t
get_mask(void)
{
	uint64_t mask = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof mask);
	return mask;
}

static inline void
set_mask(uint64_t mask)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
}

/* The kernel's struct begins with the handler; what follows differs between machines, and is
 * all zero for the dispositions that are set here. */
struct disposition {
	void (*handler)(int);
	unsigned long rest[8];
};

static inline bool
is_ignored(int sig)
{
	struct disposition old = {0};

	syscall(SYS_rt_sigaction, sig, NULL, &old, sizeof(uint64_t));
	return old.handler == SIG_IGN;
}

static inline void
set_disposition(int sig, void (*handler)(int))
{
	struct disposition new = {.handler = handler};

	syscall(SYS_rt_sigaction, sig, &new, NULL, sizeof(uint64_t));
}

#endif
