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
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "foster.h"

#define NOT_FOUND 127
#define NOT_STARTED 126
#define SHELL "/bin/sh"
#define FRAMES 1024	/* bytes: more than start_program's and libc's clone() need */

/* what the child is told, and what it tells through the memory that it shares */
struct start {
	struct state *st;
	const struct options *opt;
	int failed;		/* exit status, once it is known to be needed */
};

/* foster's own header, for the machine that it was built for */
extern const unsigned char __ehdr_start[] __attribute__((visibility("hidden")));

static ssize_t
read_head(const char *file, char *buf, size_t size)
{
	int fd = open_file(file, O_RDONLY, 0);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size);

	if (fd >= 0)
		close(fd);
	return n;
}

/* POSIX: a file that the kernel takes for no program may be a shell's. An empty file isn't,
 * nor one with characters that no text has. */
static bool
is_text(const char *file)
{
	char buf[512];
	ssize_t n = read_head(file, buf, sizeof buf);

	for (ssize_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)buf[i];

		if ((c < ' ' && (c < '\a' || c > '\r') && c != '\033') || c == 0x7f)
			return false;
	}
	return n > 0;
}

/* execve(2) with execvp(3)'s fallback; returns only with the error */
static int
try_exec(char *file, char **argv)
{
	char *name = argv[0];

	execve(file, argv, environ);
	if (errno != ENOEXEC || !is_text(file))
		return errno;
	argv[-1] = (char *)SHELL;
	argv[0] = file;
	execve(SHELL, argv - 1, environ);
	argv[0] = name;
	return errno;
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
	char *name = head + 2, *end;

	while (*name == ' ' || *name == '\t')
		name++;
	for (end = name; *end && *end != ' ' && *end != '\t' && *end != '\n'; end++)
		;
	*end = '\0';
	return name;
}

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
	int fd = open_file(file, O_RDONLY, 0);

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

/* says it where errno's text would mislead: what the file needs to run is missing, not it */
APART static bool
explain(const char *program, const char *file, int error)
{
	char head[256] = "", name[256];
	const char *what = "interpreter", *needed;
	bool elf;

	read_head(file, head, sizeof head - 1);
	elf = after(head, ELFMAG);
	if (error == ENOEXEC && elf && !same_machine(head)) {
		say("%s: the binary is for another architecture", program);
		return true;
	}
	if (error != ENOENT || !exists(file))
		return false;
	if (elf) {
		what = "loader";
		needed = elf_loader(file, head, name, sizeof name);
	} else {
		needed = head[0] == '#' && head[1] == '!' ? script_interpreter(head) : SHELL;
	}
	if (!needed || equal(needed, file))
		return false;
	if (exists(needed))	/* then that lacks something */
		return explain(program, needed, error);
	say("%s: the %s %s is missing", program, what, needed);
	return true;
}

/* says why the program could not be started; returns the exit status */
static int
explain_failure(const char *program, const char *file, int error)
{
	bool found = error != ENOENT || exists(file);

	/* so that a broken standard error doesn't kill it before its status is known */
	set_mask(ALL_SIGNALS, NULL);
	if (!explain(program, file, error)) {
		errno = error;
		say("%s:", program);
	}
	return found ? NOT_STARTED : NOT_FOUND;
}

/* execvp(3)'s search; returns the exit status when nothing could be run, its line written */
static int
run(char **argv)
{
	const char *name = argv[0], *dir = NULL, *end;
	size_t name_len = length(name), dir_len, size;
	int error = ENOENT, last;
	bool passes;

	if (!name_len || *end_of(name, '/'))
		return explain_failure(name, name, try_exec(argv[0], argv));
	if (name_len > NAME_MAX)
		return explain_failure(name, name, ENAMETOOLONG);
	for (char **e = environ; *e && !dir; e++)
		dir = after(*e, "PATH=");
	if (!dir)
		dir = "/usr/local/bin:/bin:/usr/bin";
	size = length(dir) + name_len + 2;
	if (size > PATH_MAX)
		size = PATH_MAX;
	char file[size], blamed[size];

	blamed[0] = '\0';
	for (;; dir = end + 1) {
		end = end_of(dir, ':');
		dir_len = (size_t)(end - dir);
		if (dir_len + name_len + 2 <= size) {
			memcpy(file, dir, dir_len);
			if (dir_len)
				file[dir_len++] = '/';
			memcpy(file + dir_len, name, name_len + 1);
			last = try_exec(file, argv);
			passes = last == ENOENT || last == ENOTDIR || last == EACCES;
			/* a later directory may have one that works; else the first that is there is it */
			if (!passes || (!*blamed && exists(file))) {
				error = last;
				memcpy(blamed, file, length(file) + 1);
			}
			if (!passes)
				break;
		}
		if (!*end)
			break;
	}
	return explain_failure(name, blamed, error);
}

/* LISTEN_PID and its like name the process that they are meant for, sd_listen_fds(3) */
static void
set_pid(const char *name, const char *own, char *variable)
{
	const char *value;

	for (char **e = environ; *e; e++) {
		value = after(*e, name);
		if (value && equal(value, own)) {
			format(variable, 32, "%s%d", name, (int)own_pid());
			*e = variable;
		}
	}
}

static void
name_program(const struct state *st, char listen[32], char watchdog[32])
{
	char own[16];

	format(own, sizeof own, "%d", (int)st->self);
	set_pid("WATCHDOG_PID=", own, watchdog);
	listen[0] = '\0';
	set_pid("LISTEN_PID=", own, listen);
	if (listen[0])
		take_variable("LISTEN_PIDFDID=");
}

/* the child: its memory is foster's until it runs the program or exits */
static int
become_program(void *argument)
{
	struct start *start = argument;
	struct state *st = start->st;
	const struct options *opt = start->opt;
	char listen[32], watchdog[32];
	int sig;

	start->failed = FAILED;
	if (setpgid(0, 0) < 0)
		die(FAILED, "setpgid:");
	if (st->take_tty)
		set_foreground(st->tty, own_pid());
	if (st->ignore_chld)
		set_disposition(SIGCHLD, SIG_IGN);
	for (uint64_t set = opt->ignored | opt->defaulted; set; set &= set - 1) {
		sig = __builtin_ctzll(set) + 1;
		set_disposition(sig, (opt->ignored & BIT(sig)) ? SIG_IGN : SIG_DFL);
	}
	name_program(st, listen, watchdog);
	start->failed = 0;
	/* last: a child stopped before its exec would hold foster up */
	set_mask(st->mask, NULL);
	start->failed = run(opt->program);
	_exit(start->failed);
}

APART bool
start_program(struct state *st, const struct options *opt, int *status)
{
	/* as vfork(2) has it, the child uses the stack below this frame and that of the call,
	 * which is free until then; an array would cost another page */
	char *frame = __builtin_frame_address(0);
	struct start start = {.st = st, .opt = opt};
	char *name = *opt->program;
	pid_t pid;

	/* vfork(2) by its own name is a plain fork in musl on some machines */
	pid = clone(become_program, frame - FRAMES, CLONE_VM | CLONE_VFORK | SIGCHLD, &start);
	if (pid < 0)
		die(FAILED, "clone:");
	*opt->program = name;	/* the child has another for a text, on its stack */
	if (!start.failed) {
		st->program = st->group = pid;
		return true;
	}
	insist(SYS_wait4, pid, 0, 0, 0);
	*status = start.failed;
	return false;
}
