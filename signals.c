/*
 * signals.c: their names, numbers and masks; waiting for one, sending and forwarding it.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "foster.h"

/* A mask is a 64-bit number, handed to the kernel as it is: libc's sets refuse 32 to 34. */
#define MASK_SIZE 8
#define RETRY_MS 5
#define SURVIVED_MS 1000

static const char names[LAST_SIGNAL + 1][9] = {
	"", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT",
	[SIGBUS] = "BUS", [SIGFPE] = "FPE", [SIGKILL] = "KILL", [SIGUSR1] = "USR1",
	[SIGSEGV] = "SEGV", [SIGUSR2] = "USR2", [SIGPIPE] = "PIPE", [SIGALRM] = "ALRM",
	[SIGTERM] = "TERM", [SIGSTKFLT] = "STKFLT", [SIGCHLD] = "CHLD", [SIGCONT] = "CONT",
	[SIGSTOP] = "STOP", [SIGTSTP] = "TSTP", [SIGTTIN] = "TTIN", [SIGTTOU] = "TTOU",
	[SIGURG] = "URG", [SIGXCPU] = "XCPU", [SIGXFSZ] = "XFSZ", [SIGVTALRM] = "VTALRM",
	[SIGPROF] = "PROF", [SIGWINCH] = "WINCH", [SIGIO] = "IO", [SIGPWR] = "PWR",
	[SIGSYS] = "SYS", "32", "33",
	"RTMIN", "RTMIN+1", "RTMIN+2", "RTMIN+3", "RTMIN+4", "RTMIN+5", "RTMIN+6", "RTMIN+7",
	"RTMIN+8", "RTMIN+9", "RTMIN+10", "RTMIN+11", "RTMIN+12", "RTMIN+13", "RTMIN+14",
	"RTMIN+15", "RTMIN+16", "RTMIN+17", "RTMIN+18", "RTMIN+19", "RTMIN+20", "RTMIN+21",
	"RTMIN+22", "RTMIN+23", "RTMIN+24", "RTMIN+25", "RTMIN+26", "RTMIN+27", "RTMIN+28",
	"RTMIN+29", "RTMAX",
};

static const struct {
	char name[7];
	int sig;
} aliases[] = {{"IOT", SIGABRT}, {"CLD", SIGCHLD}, {"POLL", SIGIO}, {"UNUSED", SIGSYS}};

int
decimal(const char *word, size_t len)
{
	int n = 0;

	if (len == 0 || len > 9)
		return -1;
	for (; len; len--, word++) {
		if (*word < '0' || *word > '9')
			return -1;
		n = n * 10 + (*word - '0');
	}
	return n;
}

static bool
is_name(const char *name, const char *word, size_t len)
{
	return len == strlen(name) && strncasecmp(name, word, len) == 0;
}

int
signal_by_name(const char *word, size_t len)
{
	int n = decimal(word, len);

	if (n >= 0)
		return n <= LAST_SIGNAL ? n : 0;
	if (len > 3 && strncasecmp(word, "SIG", 3) == 0) {
		word += 3;
		len -= 3;
	}
	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		if ((sig < 32 || sig >= RTMIN) && is_name(names[sig], word, len))
			return sig;
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (is_name(aliases[i].name, word, len))
			return aliases[i].sig;
	if (len < 7 || strncasecmp(word, "RTM", 3) != 0)
		return 0;
	n = decimal(word + 6, len - 6);
	if (n < 0 || n > LAST_SIGNAL - RTMIN)
		return 0;
	if (strncasecmp(word, "RTMIN+", 6) == 0)
		return RTMIN + n;
	return strncasecmp(word, "RTMAX-", 6) == 0 ? LAST_SIGNAL - n : 0;
}

const char *
signal_name(int sig)
{
	return names[sig];
}

bool
set_mask(uint64_t mask, uint64_t *old)
{
	return retry(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, old, MASK_SIZE)) == 0;
}

/* the kernel's struct sigaction has the handler first and is otherwise zero for our two
 * (on every machine but MIPS); libc's function refuses 32 to 34 */
static bool
change_disposition(int sig, const unsigned long *new)
{
	unsigned long old[8] = {0};

	retry(syscall(SYS_rt_sigaction, sig, new, old, MASK_SIZE));
	return old[0] == (unsigned long)SIG_IGN;
}

bool
set_disposition(int sig, void (*handler)(int))
{
	unsigned long new[8] = {(unsigned long)handler};

	return change_disposition(sig, new);
}

bool
is_ignored(int sig)
{
	return change_disposition(sig, NULL);
}

int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
in_ms(int64_t ms)
{
	return now_us() + ms * 1000;
}

/* one raw rt_sigtimedwait(2): libc's starts over with the full time when foster was suspended
 * and continued. The two longs are the kernel's old timespec on 32-bit machines too. */
static int
take(uint64_t set, siginfo_t *info, int64_t deadline)
{
	int64_t left = deadline == NEVER || !deadline ? 0 : deadline - now_us();
	long time[2] = {0, 0};
	int sig;

	if (left > 0) {
		time[0] = left / 1000000 > INT32_MAX ? INT32_MAX : (long)(left / 1000000);
		time[1] = (long)(left % 1000000) * 1000;
	}
	sig = (int)syscall(SYS_rt_sigtimedwait, &set, info, deadline == NEVER ? NULL : time, MASK_SIZE);
	return sig < 0 ? 0 : sig;
}

int
take_pending(uint64_t set, siginfo_t *info)
{
	return take(set, info, 0);
}

/* The kernel hands out the lowest number first, so a flood of one signal would starve those
 * above it, and SIGCHLD among them. So after every few, each number gets its turn. */
int
next_signal(struct turns *turns, uint64_t set, siginfo_t *info, int64_t deadline)
{
	int sig = 0;

	if (turns->passed_over) {
		sig = take(set & ~turns->passed_over, info, 0);
		if (!sig)
			turns->passed_over = 0;
	}
	if (!sig)
		sig = take(set, info, deadline);
	if (sig && (turns->passed_over || ++turns->taken % 64 == 0))
		turns->passed_over |= BIT(sig);
	return sig;
}

bool
signal_process(pid_t pid, int sig)
{
	errno = ESRCH;
	return pid > 0 && retry(kill(pid, sig)) == 0;
}

bool
signal_group(pid_t group, int sig)
{
	int tries = 0;

	errno = ESRCH;
	if (group <= 1)
		return false;
	/* EINTR and EAGAIN come before anybody was reached. After any other failure some members may
	 * have the signal, so it is never sent again. */
	while (kill(-group, sig) < 0)
		if ((errno != EINTR && errno != EAGAIN) || ++tries == 4)
			return false;
	return true;
}

void
signal_everybody(const struct self *self, int sig)
{
	if (self->init)
		kill(-1, sig);
}

bool
group_exists(pid_t group)
{
	/* group 1 is that of PID 1, which lives */
	return group == 1 || signal_group(group, 0) || errno != ESRCH;
}

bool
signal_target(const struct program *program, int sig, bool to_group)
{
	bool reached = to_group && signal_group(program->group, sig);

	/* a program that moved to another group would miss it; an empty group reaches nobody */
	if (!reached || getpgid(program->pid) != program->group)
		if (!signal_process(program->pid, sig) && !reached)
			say("%s:", signal_name(sig));
	return reached;
}

static bool
goes_to_group(const struct options *opt, int sig, const siginfo_t *info)
{
	if (opt->target != BY_SIGNAL)
		return opt->target == TO_GROUP;
	switch (sig) {
	case SIGTERM: case SIGINT: case SIGWINCH: case SIGCONT: return true;
	case SIGTSTP: return info->si_code == SI_KERNEL;	/* a key */
	default: return false;
	}
}

static void
hold(struct queue *queue, int sig, const siginfo_t *info)
{
	queue->held = *info;
	queue->held.si_signo = sig;
	queue->retry_at = in_ms(RETRY_MS);
	if (!queue->said_full)
		say("%s: the program's signal queue is full, trying again", signal_name(sig));
	queue->said_full = true;
}

/* Remembers what the program may die of. What it survived for a second before the next signal is
 * forgotten. */
static void
note_sent(struct program *program, int sig, bool to_group)
{
	int64_t now = now_us();

	if (now - program->recent_at > SURVIVED_MS * 1000)
		program->recent = program->recent_to_group = 0;
	program->recent_at = now;
	program->forwarded |= BIT(sig);
	program->recent |= BIT(sig);
	if (to_group)
		program->recent_to_group |= BIT(sig);
}

bool
deliver(struct program *program, int sig, bool to_group)
{
	to_group = signal_target(program, sig, to_group);
	note_sent(program, sig, to_group);
	return to_group;
}

bool
forward(struct program *program, struct queue *queue, const struct options *opt, int sig, siginfo_t *info)
{
	/* sigqueue(3), a timer, a message queue; SI_TKILL is tgkill(2), which has no payload */
	bool payload = info->si_code < 0 && info->si_code != SI_TKILL;

	if (!payload)
		return deliver(program, sig, goes_to_group(opt, sig, info));
	info->si_signo = sig;
	if (retry_unless(EAGAIN, syscall(SYS_rt_sigqueueinfo, program->pid, sig, info)) < 0) {
		if (errno == EAGAIN && sig >= FIRST_REAL_TIME)
			hold(queue, sig, info);
		else	/* the kernel refuses this payload: the signal alone */
			signal_target(program, sig, false);
	}
	note_sent(program, sig, false);
	return false;
}

void
forward_held(struct program *program, struct queue *queue, const struct options *opt)
{
	siginfo_t info = queue->held;

	queue->retry_at = NEVER;
	forward(program, queue, opt, info.si_signo, &info);
}
