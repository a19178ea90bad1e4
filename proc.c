/*
 * proc.c: what /proc and the cgroup's files tell; and descriptors.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foster.h"

int
copy_descriptor(int fd)
{
	return retry(fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

int
open_file(const char *file, int flags)
{
	int fd, high;

	flags |= O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	/* these two errors don't pass */
	for (int tries = 0; (fd = open(file, flags, 0666)) < 0 && tries < 3; tries++)
		if (errno == ENOENT || errno == ENXIO)
			break;
	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	high = copy_descriptor(fd);
	close(fd);
	return high;
}

static void
close_between(unsigned first, unsigned last)
{
	struct rlimit limit;
	uint64_t slots;

	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	/* before Linux 5.9 */
	if (!read_field("/proc/self/status", "FDSize:", 10, &slots))
		slots = getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > 1 << 20 ? 1 << 20 : limit.rlim_cur;
	for (; first <= last && first < slots; first++)
		close((int)first);
}

void
close_all_but(int one, int two)
{
	int low = one < two ? one : two, high = one < two ? two : one;
	unsigned next = STDERR_FILENO + 1;

	close_between(0, STDERR_FILENO - 1);
	if (low >= 0) {
		close_between(next, (unsigned)low - 1);
		next = (unsigned)low + 1;
	}
	if (high >= 0) {
		close_between(next, (unsigned)high - 1);
		next = (unsigned)high + 1;
	}
	close_between(next, ~0U);
}

/* strtoull(3), for lower-case digits, in a tenth of its size */
static uint64_t
read_number(const char *at, unsigned base)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit;
	uint64_t n = 0;

	at += strspn(at, " \t");
	while (*at && (digit = strchr(digits, *at)) && digit < digits + base) {
		n = n * base + (uint64_t)(digit - digits);
		at++;
	}
	return n;
}

/* another PID namespace's /proc numbers other processes */
static bool
own_proc(pid_t self)
{
	char link[16] = "";

	return retry_unless(ENOENT, readlink("/proc/self", link, sizeof link - 1)) > 0 && read_number(link, 10) == (uint64_t)self;
}

static bool
open_walk(struct walk *w, const char *file, int flags)
{
	w->used = w->size = 0;
	w->list = !(flags & O_DIRECTORY);
	w->fd = open_file(file, O_RDONLY | flags);
	return w->fd >= 0;
}

static bool
start_processes(struct walk *w)
{
	return open_walk(w, "/proc", O_DIRECTORY);
}

bool
start_walk(struct walk *w, pid_t self, bool joined)
{
	w->self = self;
	w->joined = joined;
	w->met_joined = false;
	/* proc(5): the list is complete here, as it can miss a child only where one is reaped
	 * meanwhile; it is not there in a kernel without CONFIG_PROC_CHILDREN */
	return own_proc(self) &&
		((!joined && open_walk(w, "/proc/thread-self/children", 0)) || start_processes(w));
}

/* the next number of the list; 0: no more */
static pid_t
next_listed(struct walk *w)
{
	pid_t pid = 0;
	char c;

	for (;;) {
		if (w->used >= w->size) {
			w->size = retry(read(w->fd, w->buf, sizeof w->buf));
			w->used = 0;
			if (w->size <= 0)
				return pid;
		}
		c = w->buf[w->used++];
		if (c >= '0' && c <= '9')
			pid = pid * 10 + (c - '0');
		else if (pid)
			return pid;
	}
}

/* the next process of /proc; 0: no more */
static pid_t
next_process(struct walk *w)
{
	/* struct linux_dirent64, getdents64(2): the record's length, then the name */
	enum { LENGTH = 16, NAME = 19 };
	unsigned short record;
	pid_t pid;

	for (;;) {
		if (w->used >= w->size) {
			w->size = retry(syscall(SYS_getdents64, w->fd, w->buf, sizeof w->buf));
			w->used = 0;
			if (w->size <= 0)
				return 0;
		}
		pid = (pid_t)read_number(w->buf + w->used + NAME, 10);
		memcpy(&record, w->buf + w->used + LENGTH, sizeof record);
		w->used += record;
		if (pid > 0)
			return pid;
	}
}

bool
is_child(idtype_t type, pid_t id, siginfo_t *info)
{
	const int flags = WEXITED | WNOHANG | WNOWAIT;

	/* __WALL: also inherited children whose exit signal isn't SIGCHLD, clone(2) */
	if (retry_unless(ECHILD, waitid(type, (id_t)id, info, flags | __WALL)) == 0)
		return true;
	/* before Linux 4.7 */
	return errno == EINVAL && waitid(type, (id_t)id, info, flags) == 0;
}

/* a child that has not ended */
static bool
is_living_child(pid_t pid)
{
	siginfo_t info = {0};

	return is_child(P_PID, pid, &info) && !info.si_pid;
}

/* A process whose parent is outside the PID namespace. Zombies and kernel threads, which no signal
 * ends, have no memory. */
static bool
has_joined(const struct walk *w, pid_t pid)
{
	char file[32];
	uint64_t parent, size;

	snprintf(file, sizeof file, "/proc/%d/status", (int)pid);
	return pid != w->self && read_field(file, "PPid:", 10, &parent) && !parent &&
		read_field(file, "VmSize:", 10, &size);
}

pid_t
next_child(struct walk *w)
{
	pid_t pid;

	while ((pid = w->list ? next_listed(w) : next_process(w))) {
		if (is_living_child(pid))
			return pid;
		if (w->joined && has_joined(w, pid)) {
			w->met_joined = true;
			return pid;
		}
	}
	end_walk(w);
	return 0;
}

void
end_walk(struct walk *w)
{
	close(w->fd);
}

bool
group_is_shared(const struct self *self)
{
	struct walk w;
	pid_t pid, group = getpgrp(), parent = getppid();
	bool shared = false;

	if (!own_proc(self->pid) || !start_processes(&w))
		return false;
	while (!shared && (pid = next_process(&w)))
		shared = pid != self->pid && pid != parent && getpgid(pid) == group;
	end_walk(&w);
	return shared;
}

const char *
process_name(pid_t pid, char *buf, size_t size)
{
	char file[32];
	ssize_t n;
	int fd;

	snprintf(file, sizeof file, "/proc/%d/comm", (int)pid);
	fd = own_proc(getpid()) ? open_file(file, O_RDONLY) : -1;
	n = fd < 0 ? -1 : retry(read(fd, buf, size - 1));
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return "?";
	buf[n - 1] = '\0';	/* the newline */
	return buf;
}

bool
ignores(pid_t pid, uint64_t signals)
{
	char file[32];
	uint64_t ignored;

	snprintf(file, sizeof file, "/proc/%d/status", (int)pid);
	return own_proc(getpid()) && read_field(file, "SigIgn:", 16, &ignored) && (ignored & signals) == signals;
}

bool
read_field(const char *file, const char *key, unsigned base, uint64_t *value)
{
	char buf[1024], *line, *end;
	size_t len = strlen(key), used = 0;
	bool found = false;
	ssize_t n;
	int fd = open_file(file, O_RDONLY);

	if (fd < 0)
		return false;
	while (!found && (n = retry(read(fd, buf + used, sizeof buf - 1 - used))) > 0) {
		buf[used + (size_t)n] = '\0';
		for (line = buf; !found && (end = strchr(line, '\n')); line = end + 1) {
			found = strncmp(line, key, len) == 0;
			if (found)
				*value = read_number(line + len, base);
		}
		/* keeps a line that is not complete yet; one longer than buf has no number */
		used = strlen(line);
		memmove(buf, line, used);
		if (used == sizeof buf - 1)
			used = 0;
	}
	close(fd);
	return found;
}

/* The cgroup's path as /proc/self/cgroup has it may be the host's, while the container sees
 * its own cgroup as the mount's root: so both are tried. cgroups(7) */
static bool
cgroup_kills(const char *mount, const char *path, const char *name, uint64_t *kills)
{
	char file[LINE_SIZE];

	snprintf(file, sizeof file, "%s%s/%s", mount, path, name);
	if (read_field(file, "oom_kill ", 10, kills))
		return true;
	snprintf(file, sizeof file, "%s/%s", mount, name);
	return read_field(file, "oom_kill ", 10, kills);
}

/* a line of /proc/self/cgroup, cgroups(7): "4:memory:/path" (v1) or "0::/path" (v2) */
static bool
kills_of_line(const char *line, uint64_t *kills)
{
	const char *controllers = strchr(line, ':');

	if (!controllers)
		return false;
	if (strncmp(controllers, "::", 2) == 0)
		return cgroup_kills("/sys/fs/cgroup", controllers + 2, "memory.events", kills);
	if (strncmp(controllers, ":memory:", 8) == 0)
		return cgroup_kills("/sys/fs/cgroup/memory", controllers + 8, "memory.oom_control", kills);
	return false;
}

uint64_t
oom_kills(void)
{
	char buf[LINE_SIZE], *end;
	uint64_t kills = 0;
	ssize_t n;
	int fd = open_file("/proc/self/cgroup", O_RDONLY);

	n = fd < 0 ? 0 : read(fd, buf, sizeof buf - 1);
	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	for (char *line = buf; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (kills_of_line(line, &kills))
			return kills;
	}
	/* no /proc: a v2 container has its own at the top */
	return cgroup_kills("/sys/fs/cgroup", "", "memory.events", &kills) ? kills : 0;
}
