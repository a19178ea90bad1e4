/*
 * signals.c: their names, numbers and masks; waiting for one, and forwarding it.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "foster.h"

/* A mask is a 64-bit number, handed to the kernel as it is: libc's sets refuse 32 to 34. */
#define MASK_SIZE 8
#define RETRY_MS 5
#define ROOMY 16384		/* signals */

/* the first row of a number is the name that is printed; no pointers, so that no page of
 * the binary must be relocated */
static const struct {
	char name[7];
	unsigned char sig;
} table[] = {
	{"HUP", SIGHUP}, {"INT", SIGINT}, {"QUIT", SIGQUIT}, {"ILL", SIGILL},
	{"TRAP", SIGTRAP}, {"ABRT", SIGABRT}, {"BUS", SIGBUS}, {"FPE", SIGFPE},
	{"KILL", SIGKILL}, {"USR1", SIGUSR1}, {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},
	{"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM}, {"STKFLT", SIGSTKFLT},
	{"CHLD", SIGCHLD}, {"CONT", SIGCONT}, {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},
	{"TTIN", SIGTTIN}, {"TTOU", SIGTTOU}, {"URG", SIGURG}, {"XCPU", SIGXCPU},
	{"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
	{"IO", SIGIO}, {"PWR", SIGPWR}, {"SYS", SIGSYS},
	{"IOT", SIGABRT}, {"CLD", SIGCHLD}, {"POLL", SIGIO}, {"UNUSED", SIGSYS},
};

static int
digits(const char *word, size_t len)
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

/* whether word, of len bytes, begins with the n capitals of name, in either case; digits and
 * signs have the bit anyway */
static bool
same(const char *word, size_t len, const char *name, size_t n)
{
	if (len < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (word[i] != name[i] && word[i] != (name[i] | 0x20))
			return false;
	return true;
}

int
signal_by_name(const char *word, size_t len)
{
	int n = digits(word, len);
	bool min;

	if (n >= 0)
		return n <= LAST_SIGNAL ? n : 0;
	if (same(word, len, "SIG", 3)) {
		word += 3;
		len -= 3;
	}
	min = same(word, len, "RTMIN", 5);
	if (min || same(word, len, "RTMAX", 5)) {
		if (len == 5)
			n = 0;
		else if (word[5] == (min ? '+' : '-'))
			n = digits(word + 6, len - 6);
		if (n < 0 || n > LAST_SIGNAL - FIRST_RT)
			return 0;
		return min ? FIRST_RT + n : LAST_SIGNAL - n;
	}
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (length(table[i].name) == len && same(word, len, table[i].name, len))
			return table[i].sig;
	return 0;
}

const char *
signal_name(char buf[NUMBER_SIZE], int sig)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].sig == sig)
			return table[i].name;
	if (sig == FIRST_RT || sig == LAST_SIGNAL)
		return sig == FIRST_RT ? "RTMIN" : "RTMAX";
	if (sig > FIRST_RT)
		format(buf, NUMBER_SIZE, "RTMIN+%d", sig - FIRST_RT);
	else
		format(buf, NUMBER_SIZE, "%d", sig);
	return buf;
}

long
insist(long call, long a, long b, long c, long d)
{
	long result;

	for (int tries = 0; tries < 4; tries++) {
		result = syscall(call, a, b, c, d);
		if (result >= 0 || errno == ENOENT || errno == ENXIO || (errno == ESRCH && tries))
			break;
	}
	return result;
}

pid_t
own_pid(void)
{
	return (pid_t)insist(SYS_getpid, 0, 0, 0, 0);
}

bool
set_mask(uint64_t mask, uint64_t *old)
{
	return insist(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, (long)old, MASK_SIZE) >= 0;
}

/* the kernel's struct sigaction has the handler first and is otherwise zero for our two
 * (on every machine but MIPS); libc's function refuses 32 to 34 */
static bool
change_disposition(int sig, const unsigned long *new)
{
	unsigned long old[8] = {0};

	insist(SYS_rt_sigaction, sig, (long)new, (long)old, MASK_SIZE);
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

bool
is_pending(int sig)
{
	uint64_t pending = 0;

	syscall(SYS_rt_sigpending, &pending, MASK_SIZE);
	return pending & BIT(sig);
}

/* one raw rt_sigtimedwait(2): libc's starts over with the full time when foster was stopped
 * and continued. The two longs are the kernel's old timespec on 32-bit machines too. */
static int
take(uint64_t set, siginfo_t *info, int64_t deadline)
{
	long time[2];
	int64_t left = deadline == NEVER || !deadline ? 0 : deadline - now_ms();
	int sig;

	if (left < 0)
		left = 0;
	time[0] = left / 1000 > INT32_MAX ? INT32_MAX : (long)(left / 1000);
	time[1] = (long)(left % 1000) * 1000000;
	sig = (int)syscall(SYS_rt_sigtimedwait, &set, info, deadline == NEVER ? NULL : time, MASK_SIZE);
	/* never seen, but a wait that fails for good must not make foster spin */
	if (sig < 0 && errno != EINTR && (errno != EAGAIN || deadline == NEVER))
		poll(NULL, 0, 10);
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
next_signal(struct state *st, const struct options *opt, siginfo_t *info, int64_t deadline)
{
	/* each real-time number keeps its order behind the one that is held */
	uint64_t set = st->retry == NEVER ? ALL_SIGNALS : ~opt->queued;
	int sig = 0;

	if (st->passed_over) {
		sig = take(set & ~st->passed_over, info, 0);
		if (!sig)
			st->passed_over = 0;
	}
	if (!sig)
		sig = take(set, info, deadline);
	if (sig && (st->passed_over || ++st->turn % 64 == 0))
		st->passed_over |= BIT(sig);
	return sig;
}

void
put_bit(uint64_t *set, int sig, bool in)
{
	*set = in ? *set | BIT(sig) : *set & ~BIT(sig);
}

bool
send_to(pid_t pid, int sig)
{
	return insist(SYS_kill, pid, sig, 0, 0) == 0;
}

void
send_and_continue(pid_t pid, int sig)
{
	send_to(pid, sig);
	send_to(pid, SIGCONT);
}

/* to the group, or the program alone. A group without a member, or one that may not be
 * signalled, falls back to the program; one that the program left misses it. */
static bool
deliver(struct state *st, int sig, bool group)
{
	bool sent = false;
	pid_t now;

	if (!st->program && !st->group) {
		errno = ESRCH;
		return false;
	}
	if (group || !st->program) {
		sent = send_to(-st->group, sig);
		if (sent)
			st->told |= BIT(sig);
		if (!st->program)
			return sent;
		now = sent ? getpgid(st->program) : 0;
		if (sent && (now <= 0 || now == st->group))
			return true;
	}
	if (send_to(st->program, sig)) {
		if (!sent)
			st->sent_alone |= BIT(sig);
		sent = true;
	}
	return sent;
}

void
continue_program(struct state *st)
{
	deliver(st, SIGCONT, true);
}

static bool
goes_to_group(const struct options *opt, int sig)
{
	if (opt->single_child)
		return false;
	return opt->group || sig == SIGTERM || sig == SIGINT || sig == SIGWINCH || sig == SIGCONT;
}

/* Whether a real-time sig would be merged without a word, as kill(2) does where the queue is full
 * and one is pending, and both calls do behind one that found no room. What waits for foster
 * itself fills the queue, too, so that it may never have room. To ask costs several times what to
 * send does, so once a millisecond will do while there is more room than can be filled in one. */
static bool
would_merge(struct state *st, int sig)
{
	char file[32];
	uint64_t queued, limit, pending;
	int64_t now = now_ms();

	if (now == st->roomy)
		return false;
	format(file, sizeof file, "/proc/%d/status", (int)st->program);
	if (!own_proc() || !read_field(file, "SigQ:", 10, &queued, &limit))
		return false;
	if (queued + ROOMY < limit && !st->roomless)
		st->roomy = now;
	if (queued < limit && !(st->roomless & BIT(sig)))
		return false;
	if (read_field(file, "ShdPnd:", 16, &pending, NULL) && (pending & BIT(sig)))
		return true;
	put_bit(&st->roomless, sig, queued >= limit);
	return false;
}

static void
hold(struct state *st, int sig, const siginfo_t *info)
{

	st->held = *info;
	st->held.si_signo = sig;
	st->retry = now_ms() + RETRY_MS;
	if (!st->said_full)
		say("%S: the program's signal queue is full, trying again", sig);
	st->said_full = true;
}

/* false if the program's queue is full */
static bool
try_forward(struct state *st, const struct options *opt, int sig, siginfo_t *info)
{
	/* sigqueue(3), a timer, a message queue; SI_TKILL is tgkill(2), which has no payload */
	bool payload = info->si_code < 0 && info->si_code != SI_TKILL;
	bool group = goes_to_group(opt, sig);

	if (sig >= FIRST_QUEUED && st->program && (!payload || st->roomless) && would_merge(st, sig))
		return false;
	if (payload && st->program) {
		info->si_signo = sig;
		if (insist(SYS_rt_sigqueueinfo, st->program, sig, (long)info, 0) == 0) {
			st->sent_alone |= BIT(sig);
			return true;
		}
		if (errno == EAGAIN)
			return false;
		group = false;
	}
	if (!deliver(st, sig, group) && (st->program || errno != ESRCH))
		say("%S:", sig);
	return true;
}

void
forward(struct state *st, const struct options *opt, int sig, siginfo_t *info)
{

	if (opt->verbose > 1)
		say("%S from pid %d: forwarded", sig, (int)info->si_pid);
	if (!try_forward(st, opt, sig, info))
		hold(st, sig, info);
}

void
forward_held(struct state *st, const struct options *opt)
{
	if (try_forward(st, opt, st->held.si_signo, &st->held))
		st->retry = NEVER;
	else
		st->retry = now_ms() + RETRY_MS;
}

void
send_stop(struct state *st, const struct options *opt, int sig)
{

	if (!deliver(st, sig, !opt->single_child) && (st->program || errno != ESRCH))
		say("%S:", sig);
	else if (sig != SIGKILL)
		deliver(st, SIGCONT, !opt->single_child);
}
