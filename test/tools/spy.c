/*
 * spy.c: the program under test: tells what it was given, and each signal that it gets.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

#include "sig.h"

#define LINE_SIZE (160 * 1024)	/* more than the kernel takes as one argument */
#define NEVER INT64_MAX

static const char usage[] =
"usage: spy [OPTION]... [-- ANYTHING...]\n"
"       spy --send PID SIG [--value V] [--count N] [--retry] [--thread]\n"
"       spy --clone-child COMMAND [ARG]...  become it, with a child whose end is no SIGCHLD\n"
"tells, then acts, then stays, in this order whatever the order of the options:\n"
"  --out FILE       append its lines to FILE, not to descriptor 1\n"
"  --name NAME      its name for the kernel, and 'NAME: ' before each line\n"
"  --state          what it was given, but for\n"
"  --env            the environment\n"
"  --setsid         a session of its own\n"
"  --setpgid        a process group of its own; if it leads one already, another one\n"
"  --fork N         N children that end at once; with --double N orphans\n"
"  --orphans N      N that foster adopts when they have ended\n"
"  --zombie         a child that ended and is never reaped\n"
"  --listen         catch all signals; ready PID, then a line for each\n"
"  --leave SIG, --ignore SIG, --default SIG      but not this one\n"
"  --exit-on SIG[:STATUS[:DELAY_MS]]             leaving, after the delay done\n"
"  --die-on SIG     be killed by that signal, when it comes\n"
"  --stop-self SIG  send itself SIG (at its default) when ready\n"
"  --block-read     when ready, one blocking read of the terminal\n"
"  --read-tty       read lines from the terminal while listening\n"
"  --die SIG        be killed by that signal now\n"
"  --exit STATUS    exit now\n"
"  --for MS         stay that long\n";

struct given {
	uint64_t mask, ignored, pending;
	int umask;
};

static struct {
	bool exits, dies;
	int status, delay_ms;
} on[LAST_SIGNAL + 1];
static int out = STDOUT_FILENO;
static const char *name;

/* one line, one write; line breaks inside are shown as \n and \r */
static void __attribute__((format(printf, 1, 2)))
say(const char *format, ...)
{
	static char text[LINE_SIZE], line[2 * LINE_SIZE];
	size_t len = 0;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	if (name)
		len = (size_t)snprintf(line, LINE_SIZE / 2, "%s: ", name);
	for (const char *c = text; *c; c++) {
		if (*c == '\n' || *c == '\r')
			line[len++] = '\\';
		line[len++] = *c == '\n' ? 'n' : *c == '\r' ? 'r' : *c;
	}
	line[len++] = '\n';
	while (write(out, line, len) < 0 && errno == EINTR)
		continue;
}

static const char *
error_name(int error)
{
	switch (error) {
	case EAGAIN: return "EAGAIN";
	case EIO: return "EIO";
	case ENXIO: return "ENXIO";
	case EPERM: return "EPERM";
	case ESRCH: return "ESRCH";
	}
	return strerror(error);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* where it is never mistaken for one of 0 to 2 */
static int
high(int fd)
{
	int moved = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 10);

	if (moved < 0)
		return fd;
	close(fd);
	return moved;
}

static int
send_signals(char **arg)
{
	long count = 1, value = 0, sent = 0;
	bool queue = false, retry = false, thread = false;
	pid_t pid;
	int sig;

	if (!arg[0] || !arg[1])
		return fputs(usage, stderr), 2;
	pid = (pid_t)atol(arg[0]);
	sig = sig_number(arg[1]);
	for (arg += 2; *arg; arg++) {
		if (strcmp(*arg, "--retry") == 0)
			retry = true;
		else if (strcmp(*arg, "--thread") == 0)
			thread = true;
		else if (strcmp(*arg, "--count") == 0 && arg[1])
			count = atol(*++arg);
		else if (strcmp(*arg, "--value") == 0 && arg[1])
			queue = true, value = atol(*++arg);
		else
			return fputs(usage, stderr), 2;
	}
	if (pid == 0)	/* an empty word; it would be the sender's own group */
		return fputs(usage, stderr), 2;
	while (sent < count) {
		siginfo_t info;
		long error;

		memset(&info, 0, sizeof info);
		info.si_signo = sig;
		info.si_code = SI_QUEUE;
		info.si_pid = getpid();
		info.si_uid = getuid();
		info.si_value.sival_int = (int)(value + sent);
		error = queue ? syscall(SYS_rt_sigqueueinfo, pid, sig, &info) :
		    thread ? syscall(SYS_tgkill, pid, pid, sig) : kill(pid, sig);
		if (error == 0) {
			sent++;
		} else if (errno == EAGAIN && retry) {
			poll(NULL, 0, 1);
		} else {
			say("send: %s after %ld", error_name(errno), sent);
			return 1;
		}
	}
	return 0;
}

/* the child stays until it is told to end */
static int
become_parent(char **arg)
{
	long child = syscall(SYS_clone, 0, 0, 0, 0, 0);

	if (child == 0) {
		set_mask(0);
		pause();
		_exit(0);
	}
	say("child %ld", child);
	execvp(arg[0], arg);
	return 127;
}

/* before anything else is opened or changed */
static struct given
look(void)
{
	struct given given = {.mask = get_mask()};

	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		if (is_ignored(sig))
			given.ignored |= BIT(sig);
	syscall(SYS_rt_sigpending, &given.pending, sizeof given.pending);
	given.umask = (int)umask(0);
	umask((mode_t)given.umask);
	return given;
}

static void
say_descriptors(void)
{
	static char list[LINE_SIZE];
	struct rlimit limit = {0};
	int last = 1024;
	size_t len = 0;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur > 1024)
		last = limit.rlim_cur > 65536 ? 65536 : (int)limit.rlim_cur;
	for (int fd = 0; fd < last && len < sizeof list - 16; fd++)
		if (fd != out || out == STDOUT_FILENO)
			if (fcntl(fd, F_GETFD) >= 0)
				len += (size_t)sprintf(list + len, " %d", fd);
	say("fds%s", list);
}

static void
say_limit(const char *what, int resource)
{
	struct rlimit limit;
	char text[2][24];

	if (getrlimit(resource, &limit) < 0)
		return;
	for (int i = 0; i < 2; i++) {
		rlim_t n = i ? limit.rlim_max : limit.rlim_cur;

		if (n == RLIM_INFINITY)
			strcpy(text[i], "unlimited");
		else
			snprintf(text[i], sizeof text[i], "%llu", (unsigned long long)n);
	}
	say("rlimit %s %s %s", what, text[0], text[1]);
}

static void
say_state(const struct given *given, char **argv)
{
	int tty, death_signal = 0;
	char cwd[4096];

	say("pid %d", (int)getpid());
	say("ppid %d", (int)getppid());
	say("pgid %d", (int)getpgid(0));
	say("sid %d", (int)getsid(0));
	say_descriptors();
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0)
		say("foreground -");
	else
		say("foreground %d", (int)tcgetpgrp(tty));
	close(tty);
	say("mask %016llx", (unsigned long long)given->mask);
	say("ignored %016llx", (unsigned long long)given->ignored);
	say("pending %016llx", (unsigned long long)given->pending);
	say("cwd %s", getcwd(cwd, sizeof cwd) ? cwd : "-");
	say("umask %04o", given->umask);
	say_limit("sigpending", RLIMIT_SIGPENDING);
	say_limit("nofile", RLIMIT_NOFILE);
	say_limit("core", RLIMIT_CORE);
	prctl(PR_GET_PDEATHSIG, &death_signal);
	say("pdeathsig %d", death_signal);
	for (int i = 0; argv[i]; i++)
		say("argv %d=[%s]", i, argv[i]);
}

/* a group's leader can't lead another one: a child opens a group that it then joins */
static bool
change_group(void)
{
	siginfo_t ended;
	pid_t child;

	if (getpgid(0) != getpid())
		return setpgid(0, 0) == 0;
	child = fork();
	if (child == 0)
		_exit(setpgid(0, 0) != 0);
	/* as a zombie it still holds its group */
	waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT);
	if (setpgid(0, child) < 0)
		return false;
	return waitpid(child, NULL, 0) == child;
}

static void
change_session(void)
{
	if (setsid() >= 0 || (change_group() && setsid() >= 0))
		say("session %d", (int)getsid(0));
	else
		say("setsid: %s", error_name(errno));
}

static void
fork_children(long count, bool twice)
{
	for (long i = 0; i < count; i++) {
		pid_t child = fork();

		if (child == 0) {
			if (twice)
				fork();
			_exit(0);
		}
		if (child < 0)
			say("fork: %s", error_name(errno));
		else
			waitpid(child, NULL, 0);
	}
	say("forked %ld", count);
}

/* a vfork is fast, and its child has ended when it returns */
static _Noreturn void
leave_bundle(long size)
{
	while (size-- > 0)
		if (vfork() == 0)
			_exit(0);
	_exit(0);
}

static void
leave_orphans(long count)
{
	for (long left = count; left > 0; left -= 500) {
		pid_t parent = fork();

		if (parent == 0)
			leave_bundle(left < 500 ? left : 500);
		if (parent < 0)
			say("fork: %s", error_name(errno));
		else
			waitpid(parent, NULL, 0);
	}
	say("orphans %ld", count);
}

static void
leave_zombie(void)
{
	siginfo_t ended;
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT);
	say("zombie %d", (int)child);
}

static _Noreturn void
die_by(int sig)
{
	prctl(PR_SET_DUMPABLE, 0);	/* no core file */
	set_disposition(sig, SIG_DFL);
	set_mask(get_mask() & ~BIT(sig));
	kill(getpid(), sig);
	say("survived %s", sig_name(sig));
	_exit(1);
}

/* false at the end of the terminal's input */
static bool
read_terminal(int tty)
{
	char line[4096];
	ssize_t len;

	while ((len = read(tty, line, sizeof line - 1)) < 0 && errno == EINTR)
		continue;
	if (len < 0) {
		say("read: %s", error_name(errno));
		return false;
	}
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	say("read: %s", len > 0 ? line : "eof");
	return len > 0;
}

static const char *
code_name(int code)
{
	static char buf[16];

	switch (code) {
	case SI_USER: return "SI_USER";
	case SI_QUEUE: return "SI_QUEUE";
	case SI_TKILL: return "SI_TKILL";
	case SI_KERNEL: return "SI_KERNEL";
	}
	snprintf(buf, sizeof buf, "%d", code);
	return buf;
}

static void
say_signal(int sig, const siginfo_t *info)
{
	char value[32] = "";

	if (info->si_code == SI_QUEUE)
		snprintf(value, sizeof value, " value %d", info->si_value.sival_int);
	say("got %s code %s from %d uid %d%s", sig_name(sig), code_name(info->si_code),
	    (int)info->si_pid, (int)info->si_uid, value);
}

/* takes one signal if there is one; no handler, so that none is merged or reordered here */
static int
take(uint64_t mask, siginfo_t *info)
{
	long no_wait[2] = {0, 0};

	memset(info, 0, sizeof *info);
	return (int)syscall(SYS_rt_sigtimedwait, &mask, info, no_wait, sizeof mask);
}

/* until a signal makes it leave, or the time is up; returns the exit status */
static int
listen_on(uint64_t mask, int tty, int64_t until)
{
	struct pollfd ready[] = {{.fd = tty, .events = POLLIN}, {.events = POLLIN}};
	bool leaving = false;
	int sig, status = 0;

	ready[1].fd = high((int)syscall(SYS_signalfd4, -1, &mask, sizeof mask, O_CLOEXEC));
	for (;;) {
		int64_t left = until - now_ms();
		siginfo_t info;

		if (left <= 0)
			break;
		poll(ready, 2, until == NEVER ? -1 : (int)left);
		while ((sig = take(mask, &info)) > 0) {
			say_signal(sig, &info);
			if (on[sig].dies)
				die_by(sig);
			if (on[sig].exits && !leaving) {
				say("leaving");
				leaving = true;
				status = on[sig].status;
				until = now_ms() + on[sig].delay_ms;
			}
		}
		if (ready[0].revents && !read_terminal(tty))
			ready[0].fd = -1;
	}
	if (leaving)
		say("done");
	return status;
}

static int
exit_on(const char *word)
{
	char sig_word[32];
	int sig, status = 0, delay_ms = 0;

	if (sscanf(word, "%31[^:]:%d:%d", sig_word, &status, &delay_ms) < 1)
		sig_word[0] = '\0';
	sig = sig_number(sig_word);
	on[sig].exits = true;
	on[sig].status = status;
	on[sig].delay_ms = delay_ms;
	return sig;
}

int
main(int argc, char **argv, char **env)
{
	struct given given = look();
	uint64_t left = 0, ignored = 0, defaulted = 0, mask;
	bool state = false, show_env = false, own_session = false, own_group = false, zombie = false;
	bool listens = false, twice = false, block_read = false, read_tty = false;
	int die = 0, status = -1, stop_self = 0, tty = -1;
	const char *file = NULL;
	long children = 0, orphans = 0, for_ms = -1;

	(void)argc;
	if (argv[1] && strcmp(argv[1], "--send") == 0)
		return send_signals(argv + 2);
	if (argv[1] && strcmp(argv[1], "--clone-child") == 0 && argv[2])
		return become_parent(argv + 2);
	for (char **arg = argv + 1; *arg && strcmp(*arg, "--") != 0; arg++) {
		const char *word = *arg, *value = arg[1] ? arg[1] : "";

		if (strcmp(word, "--state") == 0)
			state = true;
		else if (strcmp(word, "--env") == 0)
			show_env = true;
		else if (strcmp(word, "--setsid") == 0)
			own_session = true;
		else if (strcmp(word, "--setpgid") == 0)
			own_group = true;
		else if (strcmp(word, "--double") == 0)
			twice = true;
		else if (strcmp(word, "--zombie") == 0)
			zombie = true;
		else if (strcmp(word, "--listen") == 0)
			listens = true;
		else if (strcmp(word, "--block-read") == 0)
			block_read = true;
		else if (strcmp(word, "--read-tty") == 0)
			read_tty = listens = true;
		else if (!arg[1])
			return fprintf(stderr, "spy: %s\n%s", word, usage), 2;
		else if (arg++, strcmp(word, "--out") == 0)
			file = value;
		else if (strcmp(word, "--name") == 0)
			name = value;
		else if (strcmp(word, "--fork") == 0)
			children = atol(value);
		else if (strcmp(word, "--orphans") == 0)
			orphans = atol(value);
		else if (strcmp(word, "--leave") == 0)
			left |= BIT(sig_number(value));
		else if (strcmp(word, "--ignore") == 0)
			ignored |= BIT(sig_number(value));
		else if (strcmp(word, "--default") == 0)
			defaulted |= BIT(sig_number(value));
		else if (strcmp(word, "--exit-on") == 0)
			listens = exit_on(value);
		else if (strcmp(word, "--die-on") == 0)
			listens = on[sig_number(value)].dies = true;
		else if (strcmp(word, "--stop-self") == 0)
			listens = (stop_self = sig_number(value));
		else if (strcmp(word, "--die") == 0)
			die = sig_number(value);
		else if (strcmp(word, "--exit") == 0)
			status = atoi(value);
		else if (strcmp(word, "--for") == 0)
			for_ms = atol(value);
		else
			return fprintf(stderr, "spy: %s\n%s", word, usage), 2;
	}

	if (stop_self)
		defaulted |= BIT(stop_self);
	mask = listens ? ALL & ~(left | ignored | defaulted) : 0;
	for (int sig = 1; sig <= LAST_SIGNAL; sig++) {
		if (ignored & BIT(sig))
			set_disposition(sig, SIG_IGN);
		else if ((mask | defaulted) & BIT(sig))
			set_disposition(sig, SIG_DFL);
	}
	set_mask(mask | (given.mask & ~(ignored | defaulted)));

	if (file) {
		out = high(open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
		if (out < 0)
			return perror(file), 2;
	}
	if (name)
		prctl(PR_SET_NAME, name);
	if (state)
		say_state(&given, argv);
	for (; show_env && *env; env++)
		say("env %s", *env);
	if (own_session)
		change_session();
	if (own_group) {
		const char *what = change_group() ? "group %d" : "setpgid failed in %d";

		say(what, (int)getpgid(0));	/* after it, whatever the order of arguments */
	}
	if (children)
		fork_children(children, twice);
	if (orphans)
		leave_orphans(orphans);
	if (zombie)
		leave_zombie();
	if (mask) {
		siginfo_t own_children;

		take(BIT(SIGCHLD), &own_children);
	}
	if (block_read || read_tty)
		tty = high(open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY));

	if (listens || block_read || for_ms >= 0)
		say("ready %d", (int)getpid());
	if (stop_self)
		kill(getpid(), stop_self);
	if (block_read)
		read_terminal(tty);
	if (die)
		die_by(die);
	if (status >= 0)
		return status;
	if (!listens && for_ms < 0)
		return 0;
	return listen_on(mask, read_tty ? tty : -1, for_ms < 0 ? NEVER : now_ms() + for_ms);
}
