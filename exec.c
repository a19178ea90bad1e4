/*
 * exec.c: the start of the program, and why it could not be started.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foster.h"

#define NOT_FOUND 127
#define NOT_STARTED 126
#define SHELL "/bin/sh"
#define STACK_SIZE 65536	/* bytes: the child's, for lines, paths and libc */

/* what the child is told; and its answer, through the memory that it shares */
struct start {
	const struct state *st;
	const struct options *opt;
	int failed;		/* the exit status of a start that failed, or 0 */
};

/* foster's own header, for the machine that it was built for */
extern const unsigned char __ehdr_start[] __attribute__((visibility("hidden")));

/* the beginning of a file, with a NUL behind it; returns its length, or -1 */
static ssize_t
read_head(const char *file, char *buf, size_t size)
{
	int fd = open_file(file, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

/* POSIX: a text file that the kernel can't run is a shell script. An empty file isn't one, nor is
 * one with characters that no text has, nor one that names its interpreter. */
static bool
is_for_shell(const char *file)
{
	char buf[512];
	ssize_t n = read_head(file, buf, sizeof buf);

	for (ssize_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)buf[i];

		if ((c < ' ' && (c < '\a' || c > '\r') && c != '\033') || c == 0x7f)
			return false;
	}
	return n > 0 && strncmp(buf, "#!", 2) != 0;
}

/* execve(2) with execvp(3)'s fallback; returns only with the error */
static int
try_exec(char *file, char **argv)
{
	char *name = argv[0];

	execve(file, argv, environ);
	if (errno != ENOEXEC)
		return errno;
	if (is_for_shell(file)) {
		argv[-1] = (char *)SHELL;
		argv[0] = file;
		execve(SHELL, argv - 1, environ);
		argv[0] = name;
		return errno;
	}
	return ENOEXEC;
}

static bool
exists(const char *file)
{
	return access(file, F_OK) == 0;
}

/* the interpreter that a #! line names; the kernel ends it at a blank, execve(2) */
static const char *
script_interpreter(char *head)
{
	char *name = head + 2;

	name += strspn(name, " \t");
	name[strcspn(name, " \t\n")] = '\0';
	return name;
}

/* a number of the ELF header's, in this machine's byte order */
static uint64_t
field(const char *at, int size)
{
	uint64_t n = 0;

	memcpy((char *)&n + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 8 - size : 0), at, (size_t)size);
	return n;
}

static bool
same_machine(const char *head)
{
	static const unsigned char at[] = {EI_CLASS, EI_DATA, 18, 19};	/* e_machine */

	for (size_t i = 0; i < sizeof at; i++)
		if ((unsigned char)head[at[i]] != __ehdr_start[at[i]])
			return false;
	return true;
}

/* the loader that an ELF file of either class names in PT_INTERP, elf(5), into name */
static const char *
elf_loader(const char *file, const char *head, char *name, size_t size)
{
	bool wide = head[EI_CLASS] == ELFCLASS64;
	uint64_t at = wide ? field(head + 32, 8) : field(head + 28, 4);
	int entry = (int)field(head + (wide ? 54 : 42), 2);
	int count = (int)field(head + (wide ? 56 : 44), 2);
	const char *found = NULL;
	char header[56];
	ssize_t n;
	int fd = open_file(file, O_RDONLY);

	if (fd < 0)
		return NULL;
	for (int i = 0; i < count && !found; i++, at += (uint64_t)entry) {
		if (pread(fd, header, sizeof header, (off_t)at) < 32)
			break;
		if (field(header, 4) != PT_INTERP)
			continue;
		n = pread(fd, name, size - 1, (off_t)(wide ? field(header + 8, 8) : field(header + 4, 4)));
		name[n > 0 ? n : 0] = '\0';
		found = name;
	}
	close(fd);
	return found;
}

/* Where errno's text would blame the file for something that it needs: says what that is. False:
 * errno's text is right. */
static bool
explain(int report, const char *program, const char *file, int error)
{
	char head[256] = "", name[256];
	const char *what = "interpreter", *needed = NULL;
	bool elf;

	read_head(file, head, sizeof head);
	elf = memcmp(head, ELFMAG, SELFMAG) == 0;
	if (error == ENOEXEC && elf && !same_machine(head)) {
		say_and_report(report, WORD ": the binary is for another architecture", CUT(program));
		return true;
	}
	if (strncmp(head, "#!", 2) == 0 && (error == ENOENT || error == ENOEXEC)) {
		needed = script_interpreter(head);
	} else if (error == ENOENT && elf) {
		what = "loader";
		needed = elf_loader(file, head, name, sizeof name);
	} else if (error == ENOENT && exists(file)) {
		needed = SHELL;
	}
	if (!needed || strcmp(needed, file) == 0)
		return false;
	if (exists(needed))	/* it is there, so something that it needs is missing */
		return explain(report, program, needed, error);
	say_and_report(report, WORD ": the %s %s is missing", CUT(program), what, needed);
	return true;
}

/* says why the program could not be started; returns the exit status */
static int
explain_failure(int report, const char *program, const char *file, int error)
{
	bool found = error != ENOENT || exists(file);

	/* a SIGPIPE from standard error must not kill the child before its status is known */
	set_mask(ALL_SIGNALS, NULL);
	if (!explain(report, program, file, error)) {
		errno = error;
		say_and_report(report, WORD ":", CUT(program));
	}
	return found ? NOT_STARTED : NOT_FOUND;
}

/* execvp(3)'s search; returns the exit status when nothing could be run, its line written */
static int
run(int report, char **argv)
{
	const char *name = argv[0], *dir = getenv("PATH"), *end;
	size_t len, name_len = strlen(name), size;
	int error = ENOENT, last;
	bool passes;

	if (!*name || strchr(name, '/'))
		return explain_failure(report, name, name, try_exec(argv[0], argv));
	if (name_len > NAME_MAX)
		return explain_failure(report, name, name, ENAMETOOLONG);
	if (!dir)
		dir = "/usr/local/bin:/bin:/usr/bin";
	/* no larger than needed: the pages that the child touches stay foster's */
	size = strlen(dir) + name_len + 2;
	if (size > PATH_MAX)
		size = PATH_MAX;
	char file[size], blamed[size];

	blamed[0] = '\0';
	for (;; dir = end + 1) {
		end = strchrnul(dir, ':');
		len = (size_t)(end - dir);
		if (len + name_len + 2 <= size) {
			memcpy(file, dir, len);
			if (len)
				file[len++] = '/';
			memcpy(file + len, name, name_len + 1);
			last = try_exec(file, argv);
			passes = last == ENOENT || last == ENOTDIR || last == EACCES;
			/* a later directory may have one that works; if none has, the first found is blamed */
			if (!passes || (!*blamed && exists(file))) {
				error = last;
				memcpy(blamed, file, len + name_len + 1);
			}
			if (!passes)
				break;
		}
		if (!*end)
			break;
	}
	return explain_failure(report, name, blamed, error);
}

/* LISTEN_PID and WATCHDOG_PID name the process that they are meant for, sd_listen_fds(3). Where one
 * names foster, puts variable, which names the program, in its place; true if it did. */
static bool
name_program(const char *name, pid_t self, char *variable, size_t size)
{
	size_t len = strlen(name);
	bool named = false;
	char own[32];

	for (char **e = environ; *e; e++) {
		if (strncmp(*e, name, len) != 0 || (*e)[len] != '=')
			continue;
		snprintf(own, sizeof own, "%s=%d", name, (int)self);
		if (strcmp(*e, own) != 0)
			continue;
		snprintf(variable, size, "%s=%d", name, (int)getpid());
		*e = variable;
		named = true;
	}
	return named;
}

/* the child: its memory is foster's until it runs the program or exits */
static int
become_program(void *argument)
{
	struct start *start = argument;
	const struct state *st = start->st;
	const struct options *opt = start->opt;
	char listen[32], watchdog[32];
	int sig;

	start->failed = FAILED;
	if (retry(setpgid(0, 0)) < 0) {
		say_and_report(st->report.fd, "setpgid:");
		_exit(FAILED);
	}
	if (st->terminal.given)
		retry(tcsetpgrp(st->terminal.fd, getpid()));
	if (st->self.ignored_chld)
		set_disposition(SIGCHLD, SIG_IGN);
	for (uint64_t set = opt->ignored | opt->defaulted; set; set &= set - 1) {
		sig = __builtin_ctzll(set) + 1;
		set_disposition(sig, (opt->ignored & BIT(sig)) ? SIG_IGN : SIG_DFL);
	}
	name_program("WATCHDOG_PID", st->self.pid, watchdog, sizeof watchdog);
	if (name_program("LISTEN_PID", st->self.pid, listen, sizeof listen))
		unsetenv("LISTEN_PIDFDID");
	start->failed = 0;
	/* last: a child suspended before its exec would hold foster up */
	set_mask(st->self.mask, NULL);
	start->failed = run(st->report.fd, opt->program);
	_exit(start->failed);
}

int
start_program(struct state *st, const struct options *opt)
{
	_Alignas(16) char stack[STACK_SIZE];
	struct start start = {.st = st, .opt = opt};
	char *name = *opt->program;
	pid_t pid;

	/* vfork(2) by its own name is a plain fork in musl on some machines */
	pid = retry(clone(become_program, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &start));
	if (pid < 0)
		die(FAILED, "clone:");
	*opt->program = name;	/* for a text file the child put a path on its own stack there */
	st->program.pid = st->program.group = pid;
	if (start.failed) {
		retry(waitpid(pid, NULL, 0));
		st->program.pid = 0;
	}
	return start.failed;
}
