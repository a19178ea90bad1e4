/*
 * init.c: main, and the life cycle: start, live, stop, drain, leave.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "foster.h"

#ifndef SYS_clock_gettime
#define SYS_clock_gettime SYS_clock_gettime32	/* musl's name for the call with two longs */
#endif

#define TIMED_OUT 124	/* as timeout(1) */
#define LOOK_MS 100	/* between two looks at what is left */
#define GRACE_MS 1000	/* after a final KILL, for who can't be killed at once */

/* LICENSE as it is in the tree */
__asm__(".pushsection .rodata\nlicense_text: .incbin \"LICENSE\"\nlicense_end:\n.popsection");
extern const char license_text[] __attribute__((visibility("hidden")));
extern const char license_end[] __attribute__((visibility("hidden")));

static void
print(const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(STDOUT_FILENO, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die(FAILED, "standard output:");
		text += n;
		len -= (size_t)n;
	}
}

/* the options that start no program */
APART static int
act(const struct options *opt)
{
	char buf[LINE_SIZE];

	switch (opt->action) {
	case HELP: print(buf, help_text(buf, sizeof buf)); break;
	case VERSION_LINE: print("foster " VERSION " - git." COMMIT "\n", sizeof "foster " VERSION " - git." COMMIT); break;
	case LICENSE: print(license_text, (size_t)(license_end - license_text)); break;
	case INSTALL: return install(opt->install);
	case RUN: break;
	}
	return 0;
}

static int
open_report(const char *file)
{
	int fd = open_file(file, O_WRONLY | O_APPEND | O_CREAT, 0666);

	if (fd < 0)
		die(FAILED, "%s:", file);
	return fd;
}

static void
prepare(struct state *st, const struct options *opt)
{
	pid_t parent;

	if (opt->verbose > 1)
		say_options(opt);
	/* "ignored" would make the kernel throw exit statuses away, wait(2) */
	st->ignore_chld = set_disposition(SIGCHLD, SIG_DFL);
	if (opt->report)
		st->report = open_report(opt->report);
	if (opt->parent_death) {
		parent = getppid();
		if (syscall(SYS_prctl, PR_SET_PDEATHSIG, opt->parent_death) < 0)
			die(FAILED, "--parent-death-signal:");
		if (getppid() != parent)
			send_to(st->self, opt->parent_death);
	}
	if (!st->init && insist(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0) < 0)
		say("PR_SET_CHILD_SUBREAPER:");	/* orphans will be another's */
	else if (!st->init && opt->verbose)
		say("not PID 1: child subreaper");
	if (opt->report || opt->verbose)
		st->oom_kills = oom_kills();
	if (!opt->pause)
		find_terminal(st);
}

static void
close_between(unsigned first, unsigned last)
{
	struct rlimit limit;
	uint64_t slots;

	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	if (!read_field("/proc/self/status", "FDSize:", 10, &slots, NULL))
		slots = prlimit(0, RLIMIT_NOFILE, NULL, &limit) < 0 || limit.rlim_cur > 1 << 20 ? 1 << 20 : limit.rlim_cur;
	for (; first <= last && first < slots; first++)
		close((int)first);
}

/* lets go of what is the program's, so that no pipe stays open and no mount is pinned */
static void
settle(struct state *st)
{
	int keep[] = {STDERR_FILENO, st->report, st->init ? -1 : st->tty};
	unsigned from = 0, next;
	struct rlimit limit;

	for (;;) {
		next = ~0U;
		for (size_t i = 0; i < sizeof keep / sizeof *keep; i++)
			if (keep[i] >= (int)from && (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		if (next == ~0U)
			break;
		if (next > from)
			close_between(from, next - 1);
		from = next + 1;
	}
	close_between(from, ~0U);
	if (st->init)
		st->tty = -1;
	if (chdir("/") < 0)
		say("/:");
	/* so that senders can't refill every slot of a queue that the program shares */
	if (prlimit(0, RLIMIT_SIGPENDING, NULL, &limit) == 0 && limit.rlim_cur > 0 && limit.rlim_cur != RLIM_INFINITY) {
		limit.rlim_cur--;
		prlimit(0, RLIMIT_SIGPENDING, &limit, NULL);
	}
}

static void
write_report(const struct state *st, const struct options *opt, const char *words)
{
	char line[96];
	size_t len = format(line, sizeof line, "%s\n", words);
	off_t size = lseek(st->report, 0, SEEK_END);
	ssize_t n;

	n = insist(SYS_write, st->report, (long)line, (long)len, 0);
	if (n == (ssize_t)len)
		return;
	if (n >= 0)
		errno = ENOSPC;
	say("%s:", opt->report);
	/* complete or absent; but another's line behind it stays */
	if (n > 0 && size >= 0 && lseek(st->report, 0, SEEK_END) == size + n && ftruncate(st->report, size) < 0)
		say("%s:", opt->report);
}

static void after_group(struct state *, const struct options *);
static void tell_rest(const struct state *, int sig);

/* the next step of the schedule */
static void
next_step(struct state *st, const struct options *opt)
{
	const struct schedule *s = st->schedule;
	bool drain = st->phase == DRAINING;
	char who[128];
	int sig = s->step[++st->step].sig;

	if (st->step > 0) {
		left_text(st, drain, who, sizeof who);
		say("%s: still running after %T, sending %S", who, s->step[st->step - 1].wait_ms, sig);
	}
	if (drain)
		send_drain(st, sig);
	else
		send_stop(st, opt, sig);
	if (drain && sig == SIGKILL && !st->init)
		send_drain(st, sig);	/* who was born behind the first walk */
	st->due = NEVER;
	if (st->step < s->steps - 1)
		st->due = now_ms() + s->step[st->step].wait_ms;
	else if (sig == SIGKILL && drain && st->init)
		st->phase = DONE;	/* the kernel ends what may not be signalled */
	else if (sig == SIGKILL)
		st->due = now_ms() + GRACE_MS;
}

/* a final KILL was a while ago: who can't be killed stays behind, but never the program */
static void
give_up(struct state *st, const struct options *opt)
{
	char who[128];

	st->due = now_ms() + GRACE_MS;
	if (st->program)
		return;
	left_text(st, st->phase == DRAINING, who, sizeof who);
	say("%s: still there after KILL, left behind", who);
	if (st->phase == DRAINING)
		st->phase = DONE;
	else
		after_group(st, opt);
}

static void
start_schedule(struct state *st, const struct options *opt, const struct schedule *s)
{
	st->schedule = s;
	st->step = -1;
	/* the pause is for a program that still serves */
	if (s->pause_ms && (st->program || st->phase == DRAINING))
		st->due = now_ms() + s->pause_ms;
	else
		next_step(st, opt);
}

/* a stop is asked for by sig, as rewritten; the first time it begins */
static void
stop(struct state *st, const struct options *opt, int sig, siginfo_t *info)
{
	const struct schedule *s = st->phase == DRAINING ? &opt->drain : &opt->stop;
	bool first = !st->stopping && st->phase != DRAINING;
	siginfo_t plain = {0};

	st->stopping = true;
	st->timeout = NEVER;
	if (first) {
		st->stop_signal = s->steps ? s->step[0].sig : sig;
		if (opt->verbose)
			say("stop: begins");
	}
	if (!s->steps) {
		forward(st, opt, sig, info);
		forward(st, opt, SIGCONT, &plain);	/* so that stopped processes see it too */
	} else if (first) {
		start_schedule(st, opt, s);
		if (st->phase == LEFT_GROUP)
			tell_rest(st, st->stop_signal);
	} else if (st->step < 0) {
		next_step(st, opt);
	} else if (st->phase == DRAINING) {
		send_drain(st, s->step[0].sig);
	} else {
		send_stop(st, opt, s->step[0].sig);
	}
}

static void
receive(struct state *st, const struct options *opt, int from, siginfo_t *info)
{
	int sig = opt->rewrite[from] ? opt->rewrite[from] : from;

	if (opt->pause) {
		if (from == SIGTERM || from == SIGINT)
			st->phase = DONE;
		return;
	}
	/* foster's own writing caused it */
	if ((from == SIGPIPE || from == SIGXFSZ) && info->si_code == SI_USER && info->si_pid == st->self)
		return;
	if (from == SIGCONT && !st->init)
		give_terminal(st);
	if (opt->stops & BIT(from))
		stop(st, opt, sig, info);
	else if (sig > 0)
		forward(st, opt, sig, info);
	else if (opt->verbose > 1)
		say("%S: dropped", from);
}

/* The program ended on request: those of its group that were not told yet are told now, by
 * sig; those that ignore it (a shell's background jobs ignore Ctrl-C) by SIGTERM. */
static void
tell_rest(const struct state *st, int sig)
{
	bool told = st->told & BIT(sig);

	/* a terminal's key reaches the whole group; what foster sent to the program alone doesn't */
	if ((sig == SIGINT || sig == SIGQUIT) && !(st->sent_alone & BIT(sig)))
		told = told || group_in_foreground(st);
	if (!told)
		send_and_continue(-st->group, sig);
	if (sig != SIGTERM && !(st->told & BIT(SIGTERM)))
		tell_ignoring(st->group, sig);
}

/* nothing of the group is left, or nothing that could be ended */
static void
after_group(struct state *st, const struct options *opt)
{
	st->schedule = NULL;
	st->due = NEVER;
	st->phase = DONE;
	if (!opt->drain.steps || nothing_left(st, true))
		return;
	st->phase = DRAINING;
	if (group_gone(st->group))
		st->group = 0;	/* the number may soon be another's */
	st->look = now_ms() + LOOK_MS;
	if (opt->verbose)
		say("drain: begins");
	start_schedule(st, opt, &opt->drain);
}

/* looks at what is left; thorough: also for what no SIGCHLD tells */
static void
look(struct state *st, const struct options *opt, bool thorough)
{
	if (thorough)
		st->look = now_ms() + LOOK_MS;
	if (st->phase == LEFT_GROUP && (thorough ? group_empty(st->group) : group_gone(st->group)))
		after_group(st, opt);
	if (st->phase == DRAINING && st->group && group_gone(st->group))
		st->group = 0;
	if (st->phase == DRAINING && nothing_left(st, thorough))
		st->phase = DONE;
}

/* Ctrl-C has ended the program: the schedule runs, and its first step counts as done, since
 * all were told */
static void
stop_after_key(struct state *st, const struct options *opt)
{
	st->stopping = true;
	st->schedule = &opt->stop;
	st->step = -1;
	if (opt->stop.step[0].sig == SIGKILL) {
		next_step(st, opt);
		return;
	}
	st->step = 0;
	if (opt->stop.steps > 1)
		st->due = now_ms() + opt->stop.step[0].wait_ms;
}

static void
program_ended(struct state *st, const struct options *opt)
{
	int sig = WIFSIGNALED(st->status) ? WTERMSIG(st->status) : 0, from;
	bool asked = sig && ((st->told | st->sent_alone) & BIT(sig));
	char words[80];
	siginfo_t info;

	asked = asked || sig == SIGTERM || sig == SIGINT || sig == SIGQUIT || sig == SIGHUP;
	st->timeout = NEVER;
	if (st->report >= 0 || opt->verbose) {
		status_text(words, st->status, sig == SIGKILL && oom_kills() > st->oom_kills);
		if (st->report >= 0)
			write_report(st, opt, words);
		if (opt->verbose)
			say("%s: %s", opt->program[0], words);
	}
	/* one that came together with the end */
	while (!st->stopping && (from = take_pending(opt->stops, &info)))
		receive(st, opt, from, &info);
	st->phase = LEFT_GROUP;
	if (!st->stopping && !asked) {
		if (!opt->drain.steps && !opt->single_child)
			send_to(-st->group, SIGTERM);
		after_group(st, opt);
		return;
	}
	if (st->schedule && st->step < 0) {
		next_step(st, opt);
		sig = st->stop_signal;
	}
	tell_rest(st, asked ? sig : st->stop_signal);
	if (!st->schedule && sig == SIGINT && opt->stop.steps)
		stop_after_key(st, opt);
	if (opt->verbose && !group_gone(st->group))
		say("process group %d: waiting for it", (int)st->group);
	look(st, opt, true);
}

static void
look_at_clock(struct state *st, const struct options *opt)
{
	int64_t now = now_ms();
	siginfo_t plain = {0};
	int sig;

	if (now >= st->retry)
		forward_held(st, opt);
	if (now >= st->timeout && st->retry != NEVER && (opt->queued & BIT(SIGTERM))) {
		st->timeout = st->retry;	/* one real-time signal is held at a time */
	} else if (now >= st->timeout) {
		sig = opt->rewrite[SIGTERM];
		st->timed_out = true;
		stop(st, opt, sig > 0 ? sig : SIGTERM, &plain);
	} else if (now >= st->due) {
		if (st->step < st->schedule->steps - 1)
			next_step(st, opt);
		else
			give_up(st, opt);
	}
	if (now >= st->look)
		look(st, opt, true);
}

/* the children that ended; true if there may be more */
static bool
look_at_children(struct state *st, const struct options *opt)
{
	bool more, ended = reap(st, opt, &more);

	if (st->stopped_by && st->program)
		program_stopped(st);
	if (ended)
		program_ended(st, opt);
	else if (st->phase != RUNNING)
		look(st, opt, false);
	return more;
}

static int64_t
next_deadline(const struct state *st)
{
	int64_t first = st->timeout;

	first = st->due < first ? st->due : first;
	first = st->retry < first ? st->retry : first;
	return st->look < first ? st->look : first;
}

/* the one loop: signals are taken one at a time, no handler runs any code */
static void
live(struct state *st, const struct options *opt)
{
	bool more = true;	/* children may have ended before foster was there */
	siginfo_t info;
	int sig;

	while (st->phase != DONE) {
		sig = next_signal(st, opt, &info, more ? 0 : next_deadline(st));
		if (sig && sig != SIGCHLD)
			receive(st, opt, sig, &info);
		if (!sig || sig == SIGCHLD || more)
			more = look_at_children(st, opt);
		/* after each signal too: a flood must not hold back a deadline */
		if (st->phase != DONE && next_deadline(st) != NEVER)
			look_at_clock(st, opt);
	}
}

static int
result(const struct state *st, const struct options *opt)
{
	int status = st->timed_out ? TIMED_OUT : exit_status(st->status);

	return (status + opt->exit_shift[status]) & 255;
}

int
main(int argc, char **argv)
{
	struct state st = {0};
	struct options opt = {0};
	int status = 0;

	if (!set_mask(ALL_SIGNALS, &st.mask))
		die(FAILED, "rt_sigprocmask:");	/* it would hear no signal */
	st.self = own_pid();
	st.init = st.self == 1;
	st.tty = st.report = -1;
	st.timeout = st.due = st.retry = st.look = NEVER;
	read_options(&opt, argc, argv);
	if (opt.action != RUN)
		_exit(act(&opt));
	prepare(&st, &opt);
	if (opt.pause || start_program(&st, &opt, &status)) {
		settle(&st);
		if (opt.verbose && !opt.pause)
			say("pid %d: started %s", (int)st.program, opt.program[0]);
		if (opt.timeout_ms >= 0 && !opt.pause)
			st.timeout = now_ms() + opt.timeout_ms;
		live(&st, &opt);
		status = opt.pause ? 0 : result(&st, &opt);
	}
	take_terminal(&st);
	_exit(status);
}

int64_t
now_ms(void)
{
	long now[2] = {0};

	/* the call itself: libc's way through the vDSO costs more pages than it saves */
	insist(SYS_clock_gettime, CLOCK_MONOTONIC, (long)now, 0, 0);
	return (int64_t)now[0] * 1000 + now[1] / 1000000;
}

const char *
end_of(const char *word, char c)
{
	while (*word && *word != c)
		word++;
	return word;
}

size_t
length(const char *word)
{
	return (size_t)(end_of(word, '\0') - word);
}

bool
equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

char *
after(char *word, const char *prefix)
{
	for (; *prefix; prefix++, word++)
		if (*word != *prefix)
			return NULL;
	return word;
}

int
copy_descriptor(int fd)
{
	return (int)insist(SYS_fcntl, fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1, 0);
}

int
open_file(const char *file, int flags, int mode)
{
	int fd, high;

	flags |= O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_LARGEFILE;
	fd = (int)insist(SYS_openat, AT_FDCWD, (long)file, flags, mode);
	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	high = copy_descriptor(fd);
	close(fd);
	return high;
}

/* n, which is not negative, and its unit, at the end of buf */
static const char *
number_text(char buf[NUMBER_SIZE], int64_t n, const char *unit)
{
	size_t len = length(unit) + 1;
	char *p = buf + NUMBER_SIZE - len;

	memcpy(p, unit, len);
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	return p;
}

size_t
format_args(char *buf, size_t size, bool escape, const char *format, va_list args)
{
	/* what follows a long word must have room too */
	size_t word_end = size > 2 * 256 ? size - 256 : size - 1, end, n = 0;
	char number[NUMBER_SIZE];
	const char *word, *unit;
	int64_t ms;

	for (const char *f = format; *f && n < size - 1; f++) {
		if (*f != '%') {
			buf[n++] = *f;
			continue;
		}
		switch (*++f) {
		case 'd':
			word = number_text(number, (unsigned)va_arg(args, int), "");
			break;
		case 't': case 'T':
			ms = va_arg(args, int64_t);
			unit = ms % 1000 ? " ms" : " s";
			word = number_text(number, ms % 1000 ? ms : ms / 1000, unit + (*f == 't'));
			break;
		case 'S':
			word = signal_name(number, va_arg(args, int));
			break;
		default:
			word = va_arg(args, const char *);
		}
		end = n < word_end ? word_end : size - 1;
		for (; *word && n < end; word++) {
			unsigned char c = (unsigned char)*word;

			if (!escape || (c >= ' ' && c != 0x7f)) {
				buf[n++] = *word;
				continue;
			}
			if (n + 4 > end)
				break;
			buf[n++] = '\\';
			if (c == '\n' || c == '\r') {
				buf[n++] = c == '\n' ? 'n' : 'r';
			} else {
				buf[n++] = 'x';
				buf[n++] = "0123456789abcdef"[c >> 4];
				buf[n++] = "0123456789abcdef"[c & 15];
			}
		}
		if (*word && n + 4 < size) {
			memcpy(buf + n, "...", 3);
			n += 3;
		}
	}
	buf[n] = '\0';
	return n;
}

size_t
format(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	size_t n;

	va_start(args, format);
	n = format_args(buf, size, false, format, args);
	va_end(args);
	return n;
}

/* Standard error shares its open file with the program, so it can't be made non-blocking; a
 * pipe or a terminal is opened once more for the line. */
static void
put_line(const char *line, size_t len)
{
	struct pollfd can = {.fd = STDERR_FILENO, .events = POLLOUT};
	int fd;

	if (send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != ENOTSOCK)
		return;
	if (lseek(STDERR_FILENO, 0, SEEK_CUR) < 0) {
		fd = open_file("/proc/self/fd/2", O_WRONLY | O_APPEND, 0);
		if (fd >= 0) {
			write(fd, line, len);
			close(fd);
			return;
		}
		/* no /proc, or not allowed: a pipe that can be written takes a line whole */
		if (poll(&can, 1, 0) <= 0)
			return;
	}
	write(STDERR_FILENO, line, len);
}

/* What errno's values mean, for those that foster's calls can bring about: libc's table of
 * all of them would be a sixteenth of the binary. */
#define REASONS \
	R(EPERM, "Operation not permitted") R(ENOENT, "No such file or directory") \
	R(ESRCH, "No such process") \
	R(EIO, "I/O error") R(ENXIO, "No such device or address") \
	R(E2BIG, "Argument list too long") R(ENOEXEC, "Exec format error") \
	R(EBADF, "Bad file descriptor") R(EAGAIN, "Resource temporarily unavailable") \
	R(ENOMEM, "Out of memory") R(EACCES, "Permission denied") R(EBUSY, "Resource busy") \
	R(EEXIST, "File exists") R(ENODEV, "No such device") \
	R(ENOTDIR, "Not a directory") R(EISDIR, "Is a directory") R(EINVAL, "Invalid argument") \
	R(ENFILE, "Too many open files in system") R(EMFILE, "No file descriptors available") \
	R(ETXTBSY, "Text file busy") R(EFBIG, "File too large") \
	R(ENOSPC, "No space left on device") R(EROFS, "Read-only file system") \
	R(EPIPE, "Broken pipe") R(ENAMETOOLONG, "Filename too long") \
	R(ENOSYS, "Function not implemented") R(ELOOP, "Symbolic link loop") \
	R(EDQUOT, "Quota exceeded") R(ESTALE, "Stale file handle")

static size_t
reason(char *buf, size_t size, int error)
{
#define R(number, text) (unsigned char)(number),
	static const unsigned char numbers[] = {REASONS};
#undef R
#define R(number, text) text "\0"
	static const char texts[] = REASONS;
#undef R
	const char *text = texts;

	for (size_t i = 0; i < sizeof numbers; i++, text = end_of(text, '\0') + 1)
		if (numbers[i] == error)
			return format(buf, size, " %s", text);
	return format(buf, size, " error %d", error);
}

APART static void
say_args(const char *format, va_list args)
{
	int error = errno;
	char line[LINE_SIZE] = "foster: ";
	size_t n = 8, len = length(format);

	n += format_args(line + n, sizeof line - n - 64, true, format, args);
	if (len && format[len - 1] == ':')
		n += reason(line + n, 64, error);
	line[n++] = '\n';
	put_line(line, n);
	errno = error;
}

void
say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_args(format, args);
	va_end(args);
}

void
die(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_args(format, args);
	va_end(args);
	_exit(status);
}
