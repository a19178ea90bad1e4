/*
 * world.c: the calls that foster makes, answered from the input instead of by the kernel.
 * SPDX-License-Identifier: MIT
 *
 * The linker's --wrap puts these in the place of libc's, so foster's sources are as they are.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define FIRST_FD 1000
#define OPEN_MAX_FILES 4000

struct file files[MAX_FILES];
int file_count, opens, left_with;
size_t chunk = SIZE_MAX, said_len;
char said[65536], sent[4096];
jmp_buf left;

/* open files: fd FIRST_FD + n reads files[n % MAX_FILES]; the last is a listing of /proc */
enum { LISTING = MAX_FILES };
static size_t position[MAX_FILES + 1];

void
broken(const char *claim, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\nsaid: %s\nsent: %s\n", file, line, claim, said, sent);
	abort();
}

static char *
copy(const uint8_t *from, size_t len)
{
	char *to = malloc(len + 1);

	must(to != NULL);
	memcpy(to, from, len);
	to[len] = '\0';
	return to;
}

bool
read_files(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size, *line, *next;

	file_count = opens = 0;
	said_len = 0;
	said[0] = sent[0] = '\0';
	chunk = SIZE_MAX;
	while (data < end && *data == '@' && file_count < MAX_FILES) {
		line = memchr(data, '\n', (size_t)(end - data));
		if (!line)
			break;
		next = memmem(line, (size_t)(end - line), "\n@", 2);
		/* the one that begins the content counts as well: an empty file */
		next = next ? next + 1 : end;
		files[file_count].name = copy(data + 1, (size_t)(line - data - 1));
		files[file_count].len = next > line + 1 ? (size_t)(next - line - 1) : 0;
		files[file_count].data = copy(line + 1, files[file_count].len);
		file_count++;
		data = next;
	}
	return file_count > 0;
}

void
free_files(void)
{
	for (int i = 0; i < file_count; i++) {
		free(files[i].name);
		free(files[i].data);
	}
	file_count = 0;
}

struct file *
file_named(const char *name)
{
	for (int i = 0; i < file_count; i++)
		if (strcmp(files[i].name, name) == 0)
			return &files[i];
	return NULL;
}

char **
lines_of(const struct file *file, size_t count)
{
	char **lines = calloc(count + 1, sizeof *lines), *end;
	const char *at = file ? file->data : "";
	size_t n = 0, rest = file ? strlen(at) : 0;

	must(lines != NULL);
	while (rest && n < count) {
		end = memchr(at, '\n', rest);
		lines[n++] = copy((const uint8_t *)at, end ? (size_t)(end - at) : rest);
		if (!end)
			break;
		rest -= (size_t)(end + 1 - at);
		at = end + 1;
	}
	return lines;
}

void
free_lines(char **lines)
{
	for (char **line = lines; *line; line++)
		free(*line);
	free(lines);
}

static int
open_named(const char *name, int flags)
{
	struct file *file = file_named(name);

	if (++opens > OPEN_MAX_FILES) {
		errno = EMFILE;
		return -1;
	}
	if (flags & O_DIRECTORY && strcmp(name, "/proc") == 0) {
		position[LISTING] = 0;
		return FIRST_FD + LISTING;
	}
	if (!file) {
		errno = ENOENT;
		return -1;
	}
	position[file - files] = 0;
	return FIRST_FD + (int)(file - files);
}

int
__wrap_close(int fd)
{
	must(fd < 0 || fd >= FIRST_FD);
	return 0;
}

ssize_t
__wrap_pread(int fd, void *buf, size_t size, off_t at)
{
	const struct file *file;

	must(fd >= FIRST_FD && fd < FIRST_FD + file_count);
	file = &files[fd - FIRST_FD];
	if (at < 0) {
		errno = EINVAL;
		return -1;
	}
	if ((size_t)at >= file->len)
		return 0;
	if (size > file->len - (size_t)at)
		size = file->len - (size_t)at;
	memcpy(buf, file->data + at, size);
	return (ssize_t)size;
}

ssize_t
__wrap_read(int fd, void *buf, size_t size)
{
	ssize_t n = __wrap_pread(fd, buf, size < chunk ? size : chunk, (off_t)position[fd - FIRST_FD]);

	position[fd - FIRST_FD] += n > 0 ? (size_t)n : 0;
	return n;
}

int
__wrap_access(const char *name, int mode)
{
	(void)mode;
	errno = ENOENT;
	return file_named(name) ? 0 : -1;
}

/* the next entries of /proc that fit: each "/proc/NAME/status" of the input is one */
static long
list_processes(char *buf, size_t size)
{
	enum { LENGTH = 16, NAME = 19 };
	unsigned short length;
	size_t used = 0, len;
	const char *name;

	for (; position[LISTING] < (size_t)file_count; position[LISTING]++) {
		name = files[position[LISTING]].name;
		len = strlen(name);
		if (len < 14 || strncmp(name, "/proc/", 6) != 0 || strcmp(name + len - 7, "/status") != 0)
			continue;
		len -= 13;
		if (len > 255)
			continue;
		length = (unsigned short)((NAME + len + 1 + 7) / 8 * 8);
		if (used + length > size)
			break;
		memset(buf + used, 0, length);
		memcpy(buf + used + LENGTH, &length, sizeof length);
		memcpy(buf + used + NAME, name + 6, len);
		used += length;
	}
	return (long)used;
}

static void
note(int sig, int pid)
{
	size_t len = strlen(sent);

	snprintf(sent + len, sizeof sent - len, "%d>%d ", sig, pid);
}

int
__wrap_kill(pid_t pid, int sig)
{
	if (sig)
		note(sig, (int)pid);
	return 0;
}

int __real_open(const char *, int, ...);

int
__wrap_open(const char *name, int flags, ...)
{
	/* not foster, whose files are never opened so: the counters of coverage, at the end */
	if (flags == (O_RDWR | O_CREAT))
		return __real_open(name, flags, 0666);
	return open_named(name, flags);
}

ssize_t
__wrap_readlink(const char *name, char *buf, size_t size)
{
	must(strcmp(name, "/proc/self") == 0);
	return snprintf(buf, size, "%d", (int)getpid());
}

pid_t
__wrap_waitpid(pid_t pid, int *status, int flags)
{
	(void)status;
	(void)flags;
	return pid;
}

/* "/proc/N/child" and "/proc/N/zombie" make N a child of foster's */
int
__wrap_waitid(idtype_t type, id_t pid, siginfo_t *info, int flags)
{
	char name[64];

	must(type == P_PID && flags == (WEXITED | WNOHANG | WNOWAIT | __WALL));
	info->si_pid = 0;
	snprintf(name, sizeof name, "/proc/%d/child", (int)pid);
	if (file_named(name))
		return 0;
	info->si_pid = (pid_t)pid;
	snprintf(name, sizeof name, "/proc/%d/zombie", (int)pid);
	errno = ECHILD;
	return file_named(name) ? 0 : -1;
}

long
__wrap_syscall(long number, ...)
{
	va_list args;
	long first, second, third;

	va_start(args, number);
	first = va_arg(args, long);
	second = va_arg(args, long);
	third = va_arg(args, long);
	va_end(args);
	switch (number) {
	case SYS_getdents64:
		must(first == FIRST_FD + LISTING);
		return list_processes((char *)second, (size_t)third);
	case SYS_rt_sigprocmask: case SYS_rt_sigaction:
		return 0;
	default:
		broken("a call that is known here", __FILE__, (int)number);
		return -1;
	}
}

/* a line for standard error */
ssize_t
__wrap_send(int fd, const void *line, size_t len, int flags)
{
	(void)flags;
	must(fd == STDERR_FILENO && said_len + len < sizeof said);
	memcpy(said + said_len, line, len);
	said_len += len;
	said[said_len] = '\0';
	return (ssize_t)len;
}

void
__wrap__exit(int status)
{
	left_with = status;
	longjmp(left, 1);
}

/* the child, on foster's own stack; it may not come back */
int
__wrap_clone(int (*child)(void *), void *stack, int flags, void *argument)
{
	(void)stack;
	(void)flags;
	if (setjmp(left) == 0)
		child(argument);
	return 2;
}

int
__wrap_execve(const char *file, char **argv, char **env)
{
	errno = execute(file, argv, env);
	if (!errno)
		longjmp(left, 1);
	return -1;
}

int
__wrap_setpgid(pid_t pid, pid_t group)
{
	(void)pid;
	(void)group;
	return 0;
}
