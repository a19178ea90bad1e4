/*
 * pty.c: runs a command on a terminal of its own, and types at it what its input says.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

#include "sig.h"

static const char usage[] =
"usage: pty [--limit SECONDS] [--size ROWSxCOLS] [--pid1 [NS-OPTION]...] -- COMMAND [ARG]... <SCRIPT\n"
"a line of the script, where TEXT may have \\r \\n \\t \\e \\\\ and \\xNN:\n"
"  expect TEXT      wait until the output since the last match has TEXT\n"
"  send TEXT        type it (Ctrl-C is \\x03, Ctrl-\\ \\x1c, Ctrl-Z \\x1a, Ctrl-D \\x04)\n"
"  resize ROWS COLS\n"
"  leader           print 'leader PID NAME', once it runs\n"
"  kill SIG         send SIG to the leader, once it runs\n"
"  foreground       print 'foreground PGID NAME', NAME being that of the group's leader\n"
"  foreground NAME  wait until it is NAME\n"
"  await FILE TEXT  wait until FILE has TEXT\n"
"  hangup           close the terminal\n"
"  wait             wait for the command's end, print 'status N'\n"
"what it waits for must come within 10 s, or the limit: otherwise exit status 99\n";

static int64_t limit_ms = 10000;
static int master = -1, slave = -1, status = -1;
static pid_t child;
static char *seen;	/* all output so far, without \r */
static size_t seen_len, matched;
static bool at_line_start = true, silent;	/* silent: nothing more comes */

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* the session's leader is the command, also where ns stands in between */
static pid_t
leader(void)
{
	pid_t sid = 0;

	if (master < 0 || ioctl(master, TIOCGSID, &sid) < 0)
		return 0;
	return sid;
}

static _Noreturn void __attribute__((format(printf, 1, 2)))
fail(const char *format, ...)
{
	va_list ap;

	fputs("pty: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputs("\n", stderr);
	if (leader() > 0)
		kill(leader(), SIGKILL);
	if (child > 0 && status < 0)
		kill(child, SIGKILL);
	exit(99);
}

/* a line of pty's own, never behind half a line of the terminal's */
static void __attribute__((format(printf, 1, 2)))
say(const char *format, ...)
{
	va_list ap;

	if (!at_line_start)
		puts("");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	puts("");
	fflush(stdout);
	at_line_start = true;
}

static void
take_output(void)
{
	char buf[4096];
	ssize_t len = read(master, buf, sizeof buf);

	if (len <= 0) {
		silent = errno == EIO || len == 0;
		return;
	}
	seen = realloc(seen, seen_len + (size_t)len);
	if (!seen)
		fail("no memory");
	for (ssize_t i = 0; i < len; i++) {
		if (buf[i] == '\r')
			continue;
		seen[seen_len++] = buf[i];
		putchar(buf[i]);
		at_line_start = buf[i] == '\n';
	}
	fflush(stdout);
}

/* shows what comes from the terminal, for ms or until something came; true if input (or -1)
 * can be read */
static bool
pump(int input, int ms)
{
	struct pollfd ready[] = {
		{.fd = input, .events = POLLIN},
		{.fd = silent ? -1 : master, .events = POLLIN},
	};
	int wait_status;

	poll(ready, 2, ms);
	if (ready[1].revents)
		take_output();
	if (status < 0 && waitpid(child, &wait_status, WNOHANG) == child)
		status = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status)
		    : WEXITSTATUS(wait_status);
	return ready[0].revents;
}

/* the next line of the script, or NULL at its end */
static char *
next_line(void)
{
	static char buf[65536], line[65536];
	static size_t len;
	ssize_t got;
	char *end;

	while (!(end = memchr(buf, '\n', len))) {
		if (!pump(STDIN_FILENO, status < 0 ? 100 : -1))
			continue;
		got = read(STDIN_FILENO, buf + len, sizeof buf - len);
		if (got <= 0)
			return NULL;
		len += (size_t)got;
	}
	*end = '\0';
	strcpy(line, buf);
	len -= (size_t)(end + 1 - buf);
	memmove(buf, end + 1, len);
	return line;
}

/* in place; returns the length */
static size_t
unescape(char *text)
{
	char *to = text;
	unsigned byte;

	for (char *c = text; *c; c++) {
		if (*c != '\\' || !c[1]) {
			*to++ = *c;
			continue;
		}
		switch (*++c) {
		case 'r': *to++ = '\r'; break;
		case 'n': *to++ = '\n'; break;
		case 't': *to++ = '\t'; break;
		case 'e': *to++ = '\033'; break;
		case 'x':
			if (sscanf(c + 1, "%2x", &byte) != 1)
				fail("\\x without a number");
			*to++ = (char)byte;
			c += 2;
			break;
		default: *to++ = *c;
		}
	}
	*to = '\0';
	return (size_t)(to - text);
}

static void
expect(char *text)
{
	int64_t until = now_ms() + limit_ms;
	size_t len = unescape(text);
	char *at;

	while (!(at = seen ? memmem(seen + matched, seen_len - matched, text, len) : NULL)) {
		size_t before = seen_len;
		bool ended = status >= 0;

		pump(-1, 10);
		if ((ended && seen_len == before) || now_ms() > until)
			fail("expected '%s', %s; seen since the last match:\n%.*s", text,
			    ended ? "but the command has ended" : "the limit has passed",
			    (int)(seen_len - matched), seen ? seen + matched : "");
	}
	matched = (size_t)(at - seen) + len;
}

static void
type(char *text)
{
	size_t len = unescape(text);

	if (write(master, text, len) != (ssize_t)len)
		fail("send: %s", strerror(errno));
}

/* a process's name, or "-" */
static const char *
name_of(pid_t pid)
{
	static char name[32];
	char file[64];
	FILE *f;

	snprintf(file, sizeof file, "/proc/%d/comm", (int)pid);
	strcpy(name, "-");
	f = fopen(file, "re");
	if (!f)
		return name;
	if (fgets(name, sizeof name, f))
		name[strcspn(name, "\n")] = '\0';
	fclose(f);
	return name;
}

/* the session's leader, once it has become the command */
static pid_t
running_leader(void)
{
	int64_t until = now_ms() + limit_ms;

	for (;;) {
		pid_t pid = leader();
		const char *name = name_of(pid);

		if (pid > 0 && strcmp(name, "pty") != 0 && strcmp(name, "ns") != 0)
			return pid;
		if (status >= 0 || now_ms() > until)
			fail("no command leads the session");
		pump(-1, 10);
	}
}

static void
foreground(const char *wanted)
{
	int64_t until = now_ms() + limit_ms;
	pid_t group;

	for (;;) {
		group = 0;
		if (master >= 0)
			ioctl(master, TIOCGPGRP, &group);
		if (!*wanted || strcmp(name_of(group), wanted) == 0)
			break;
		if (now_ms() > until)
			fail("foreground is %d (%s), not %s", (int)group, name_of(group), wanted);
		pump(-1, 10);
	}
	say("foreground %d %s", (int)group, name_of(group));
}

static bool
file_has(const char *file, const char *text)
{
	char line[65536];
	bool found = false;
	FILE *f = fopen(file, "re");

	if (!f)
		return false;
	while (!found && fgets(line, sizeof line, f))
		found = strstr(line, text);
	fclose(f);
	return found;
}

static void
await(char *words)
{
	int64_t until = now_ms() + limit_ms;
	char *text = strchr(words, ' ');

	if (!text)
		fail("await FILE TEXT");
	*text++ = '\0';
	unescape(text);
	while (!file_has(words, text)) {
		if (now_ms() > until)
			fail("%s: no '%s' in it within the limit", words, text);
		pump(-1, 10);
	}
}

static void
hang_up(void)
{
	close(slave);
	close(master);
	slave = master = -1;
	silent = true;
}

static void
wait_for_end(void)
{
	int64_t until = now_ms() + limit_ms;
	size_t before;

	while (status < 0) {
		if (now_ms() > until)
			fail("the command has not ended within the limit");
		pump(-1, 10);
	}
	do {
		before = seen_len;
		pump(-1, 0);
	} while (seen_len > before);
	say("status %d", status);
}

static void
obey(char *line)
{
	char *rest = strchr(line, ' ');
	struct winsize size = {0};

	if (rest)
		*rest++ = '\0';
	else
		rest = line + strlen(line);
	if (strcmp(line, "expect") == 0)
		expect(rest);
	else if (strcmp(line, "send") == 0)
		type(rest);
	else if (strcmp(line, "kill") == 0)
		kill(running_leader(), sig_number(rest));
	else if (strcmp(line, "leader") == 0)
		say("leader %d %s", (int)running_leader(), name_of(leader()));
	else if (strcmp(line, "foreground") == 0)
		foreground(rest);
	else if (strcmp(line, "await") == 0)
		await(rest);
	else if (strcmp(line, "hangup") == 0)
		hang_up();
	else if (strcmp(line, "wait") == 0)
		wait_for_end();
	else if (strcmp(line, "resize") == 0 &&
	    sscanf(rest, "%hu %hu", &size.ws_row, &size.ws_col) == 2)
		ioctl(master, TIOCSWINSZ, &size);
	else if (*line && *line != '#')
		fail("%s: no such command", line);
}

/* as a terminal emulator would: a session of its own, every signal at its default */
static _Noreturn void
become(char **command, bool lead)
{
	if (lead && (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0))
		fail("setsid: %s", strerror(errno));
	for (int fd = 0; fd <= 2; fd++)
		dup2(slave, fd);
	/* a test harness leaves its own open */
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		set_disposition(sig, SIG_DFL);
	set_mask(0);
	execvp(command[0], command);
	fprintf(stderr, "pty: %s: %s\n", command[0], strerror(errno));
	_exit(127);
}

static void
open_terminal(const struct winsize *size)
{
	const char *name;

	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 || !(name = ptsname(master)))
		fail("pty: %s", strerror(errno));
	/* kept open, so that the terminal is never without a user */
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		fail("%s: %s", name, strerror(errno));
	ioctl(master, TIOCSWINSZ, size);
	fcntl(master, F_SETFL, O_NONBLOCK);
}

int
main(int argc, char **argv)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	char **arg = argv + 1, *line, ns[4096];
	bool pid1 = false;
	ssize_t len;

	(void)argc;
	if (*arg && strcmp(*arg, "--limit") == 0 && arg[1]) {
		limit_ms = atoll(arg[1]) * 1000;
		arg += 2;
	}
	if (*arg && strcmp(*arg, "--size") == 0 && arg[1]) {
		if (sscanf(arg[1], "%hux%hu", &size.ws_row, &size.ws_col) != 2)
			return fputs(usage, stderr), 2;
		arg += 2;
	}
	if (*arg && strcmp(*arg, "--pid1") == 0) {
		/* ns stands beside pty; it takes the remaining words as they are */
		len = readlink("/proc/self/exe", ns, sizeof ns - 4);
		while (len > 0 && ns[len - 1] != '/')
			len--;
		strcpy(ns + (len > 0 ? len : 0), "ns");
		pid1 = true;
		*arg = "--ctty";
		*--arg = ns;
	} else if (*arg && strcmp(*arg, "--") == 0) {
		arg++;
	} else {
		return fputs(usage, stderr), 2;
	}
	if (!*arg)
		return fputs(usage, stderr), 2;

	open_terminal(&size);
	child = fork();
	if (child < 0)
		fail("fork: %s", strerror(errno));
	if (child == 0)
		become(arg, !pid1);
	while ((line = next_line()))
		obey(line);
	if (leader() > 0)
		kill(leader(), SIGKILL);
	if (status < 0)
		kill(child, SIGKILL);
	return 0;
}
