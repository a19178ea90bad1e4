/*
 * reaper.c: children that have ended, and who is left.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foster.h"

#define KERNEL_THREAD 0x200000	/* a flag in /proc/PID/stat; no signal ends these */
#define BATCH 256	/* children a turn, so that signals are heard in between */

/* one process, as /proc tells */
struct process {
	pid_t pid, parent, group;
	bool alive;		/* no zombie, no thread of the kernel */
	char name[64];
};

/* a walk over all processes */
struct walk {
	int fd;			/* /proc, or -1 */
	long used, size;
	_Alignas(8) char buf[1024];
};

/* waitid(2) where wait4(2) fails */
static pid_t
wait_other(int *status)
{
	siginfo_t info = {0};

	if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | __WALL) < 0)
		return -1;
	if (info.si_code == CLD_EXITED)
		*status = info.si_status << 8;
	else if (info.si_code == CLD_STOPPED)
		*status = info.si_status << 8 | 0x7f;
	else
		*status = info.si_status;
	return info.si_pid;
}

bool
reap(struct state *st, const struct options *opt, bool *more)
{
	bool ended = false;
	char words[80];
	int status, n;
	pid_t pid = 0;

	/* one SIGCHLD can stand for many children */
	for (n = 0; n < BATCH; n++) {
		/* __WALL: also those that whoever was here before foster made by clone(2) */
		pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED | __WALL);
		if (pid < 0 && errno != ECHILD)
			pid = wait_other(&status);
		if (pid <= 0)
			break;
		if (WTERMSIG(status) == 0x7f) {	/* stopped, or continued, which is no signal's number */
			if (pid == st->program)
				st->stopped_by = WSTOPSIG(status);
		} else if (pid == st->program) {
			st->program = 0;  /* the number may soon be another's */
			st->status = status;
			ended = true;
		} else if (opt->warn_reaped) {
			say("pid %d: reaped, %s", (int)pid, status_text(words, status, false));
		}
	}
	*more = n == BATCH;
	st->children = pid >= 0 || errno != ECHILD;
	if (pid < 0 && errno != ECHILD)	/* never seen, but it must not make foster spin */
		*more = poll(NULL, 0, 10) == 0;
	return ended;
}

int
exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

const char *
status_text(char *buf, int status, bool out_of_memory)
{
	const char *more = out_of_memory ? ": the container ran out of memory" : "";

	if (WIFSIGNALED(status))
		format(buf, 80, "killed by SIG%S (%d)%s", WTERMSIG(status), WTERMSIG(status), more);
	else
		format(buf, 80, "exited with status %d", WEXITSTATUS(status));
	return buf;
}

bool
own_proc(void)
{
	char self[16] = "", own[16];

	/* one of another PID namespace numbers other processes */
	format(own, sizeof own, "%d", (int)own_pid());
	return insist(SYS_readlinkat, AT_FDCWD, (long)"/proc/self", (long)self, sizeof self - 1) > 0 && equal(self, own);
}

static long
number(const char **p)
{
	unsigned long n = 0;	/* may overflow, in a field that nobody looks at */

	while (**p == ' ' || **p == '-')
		++*p;
	for (; **p >= '0' && **p <= '9'; ++*p)
		n = n * 10 + (unsigned long)(**p - '0');
	return (long)n;
}

/* reads /proc/PID/stat, proc(5); the name in it may hold any character, ')' too */
APART static bool
read_process(const char *pid, struct process *p)
{
	char file[32], buf[512];
	const char *at, *name;
	bool of_kernel = false;
	char state;
	size_t len;
	ssize_t n;
	int fd;

	format(file, sizeof file, "/proc/%s/stat", pid);
	fd = open_file(file, O_RDONLY, 0);
	if (fd < 0)
		return false;
	n = insist(SYS_read, fd, (long)buf, sizeof buf - 1, 0);
	close(fd);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	for (at = buf + n; at > buf && *at != ')'; at--)
		;
	name = end_of(buf, '(');
	if (name > at || buf + n - at < 4)
		return false;
	len = (size_t)(at - ++name);
	if (len >= sizeof p->name)
		len = sizeof p->name - 1;
	memcpy(p->name, name, len);
	p->name[len] = '\0';
	state = at[2];
	at += 3;
	p->parent = (pid_t)number(&at);
	p->group = (pid_t)number(&at);
	for (int field = 6; field < 20; field++) {
		long value = number(&at);

		if (field == 9)
			of_kernel = value & KERNEL_THREAD;
	}
	/* a leader that ended before its threads looks like a zombie and isn't one */
	p->alive = !of_kernel && (number(&at) > 1 || (state != 'Z' && state != 'X'));
	at = pid;
	p->pid = (pid_t)number(&at);
	return true;
}

static bool
walk_start(struct walk *w)
{
	w->used = w->size = 0;
	w->fd = own_proc() ? open_file("/proc", O_RDONLY | O_DIRECTORY, 0) : -1;
	return w->fd >= 0;
}

/* the next process; at the end false, and /proc is closed */
static bool
walk_next(struct walk *w, struct process *p)
{
	/* struct linux_dirent64, getdents64(2): the record's length, then the name */
	enum { LENGTH = 16, NAME = 19 };
	unsigned short record;
	const char *name;

	for (;;) {
		if (w->used >= w->size) {
			w->size = insist(SYS_getdents64, w->fd, (long)w->buf, sizeof w->buf, 0);
			w->used = 0;
			if (w->size <= 0)
				break;
		}
		name = w->buf + w->used + NAME;
		memcpy(&record, w->buf + w->used + LENGTH, sizeof record);
		w->used += record;
		if (*name >= '1' && *name <= '9' && read_process(name, p))
			return true;
	}
	close(w->fd);
	return false;
}

/* whether the group has a living member: 0 if it has zombies alone, -1 without /proc or
 * where that hides them */
APART static int
members(pid_t group)
{
	struct walk w;
	struct process p;
	int found = -1;

	if (!walk_start(&w))
		return -1;
	while (found < 1 && walk_next(&w, &p))
		if (p.group == group)
			found = p.alive;
	if (found == 1)
		close(w.fd);
	return found;
}

bool
group_gone(pid_t group)
{
	return !send_to(-group, 0) && errno == ESRCH;
}

bool
group_empty(pid_t group)
{
	/* a walk can miss one that was born behind it, but hardly twice */
	return group_gone(group) || (members(group) == 0 && members(group) == 0);
}

APART void
tell_ignoring(pid_t group, int sig)
{
	struct walk w;
	struct process p;
	uint64_t ignored;
	char file[32];

	if (!walk_start(&w))
		return;
	while (walk_next(&w, &p)) {
		if (p.group != group || !p.alive)
			continue;
		format(file, sizeof file, "/proc/%d/status", (int)p.pid);
		if (read_field(file, "SigIgn:", 16, &ignored, NULL) && (ignored & BIT(sig)))
			send_and_continue(p.pid, SIGTERM);
	}
}

/* pid's parent, or 0 */
static pid_t
parent_of(pid_t pid)
{
	struct process p;
	char name[16];

	format(name, sizeof name, "%d", (int)pid);
	return read_process(name, &p) ? p.parent : 0;
}

/* Whether pid, whose number the caller makes sure is not used anew, descends from foster. A
 * parent's number counts only if its child still names it after the parent's own parent was
 * read: then it lived meanwhile, and the number was its. */
static bool
is_descendant(const struct state *st, pid_t pid, pid_t parent)
{
	pid_t grandparent;

	while (parent != st->self) {
		if (parent <= 1)
			return false;
		grandparent = parent_of(parent);
		if (parent_of(pid) != parent)
			return false;
		pid = parent;
		parent = grandparent;
	}
	return true;
}

/* Foster's own children stay zombies until it reaps them, so that their numbers are safe. For
 * the others a pidfd is opened before the chain of parents is read: if that can be signalled
 * afterwards, the number was this process's all the time. */
static void
send_descendant(const struct state *st, const struct process *p, int sig)
{
	bool is = false;
	int fd;

	if (p->parent == st->self) {
		send_and_continue(p->pid, sig);
		return;
	}
	fd = (int)insist(SYS_pidfd_open, p->pid, 0, 0, 0);
	if (fd < 0)
		return;
	/* again: a parent that dies meanwhile hands it on, to foster or to another */
	for (int tries = 0; tries < 3 && !is; tries++)
		is = is_descendant(st, p->pid, parent_of(p->pid));
	if (is) {
		insist(SYS_pidfd_send_signal, fd, sig, 0, 0);
		insist(SYS_pidfd_send_signal, fd, SIGCONT, 0, 0);
	}
	close(fd);
}

APART void
send_drain(const struct state *st, int sig)
{
	struct walk w;
	struct process p;

	if (st->init) {
		/* to every process of the namespace but this one, kill(2) */
		send_to(-1, sig);
		if (sig != SIGKILL)
			send_to(-1, SIGCONT);
	} else if (walk_start(&w)) {
		while (walk_next(&w, &p))
			if (p.pid != st->self && p.alive)
				send_descendant(st, &p, sig);
	} else {
		say("--drain: no /proc, so it is for the program's process group alone");
		if (st->group)
			send_and_continue(-st->group, sig);
	}
}

APART bool
nothing_left(const struct state *st, bool thorough)
{
	struct walk w;
	struct process p;
	bool left = false;

	if (st->children)
		return false;
	/* all descendants hang from a child; but PID 1 has company that is nobody's child */
	if (!st->init || (!send_to(-1, 0) && errno == ESRCH))
		return true;
	if (!thorough || !walk_start(&w))
		return false;
	while (walk_next(&w, &p))
		left = left || (p.pid != st->self && p.alive);
	return !left;
}

APART void
left_text(const struct state *st, bool drain, char *buf, size_t size)
{
	struct walk w;
	struct process p, first = {0};
	char more[32] = "";
	int count = 0;

	if (walk_start(&w)) {
		while (walk_next(&w, &p)) {
			if (!p.alive || p.pid == st->self)
				continue;
			if (!drain && p.group != st->group && p.pid != st->program)
				continue;
			if (drain && !st->init && !is_descendant(st, p.pid, p.parent))
				continue;
			count++;
			if (!first.pid || p.pid == st->program)
				first = p;
		}
	}
	if (!first.pid) {
		format(buf, size, drain ? "what is left" : "process group %d", (int)st->group);
		return;
	}
	if (count > 1)
		format(more, sizeof more, " and %d more", count - 1);
	format(buf, size, "pid %d (%s)%s", (int)first.pid, first.name, more);
}

APART bool
read_field(const char *file, const char *key, int base, uint64_t *value, uint64_t *limit)
{
	char buf[512];
	size_t matched = 0;	/* of key; SIZE_MAX: this line is another's */
	size_t wanted = length(key);
	bool slash = false, found = false;
	ssize_t n;
	int fd = open_file(file, O_RDONLY, 0), digit;

	*value = 0;
	if (limit)
		*limit = 0;
	if (fd < 0)
		return false;
	while ((n = insist(SYS_read, fd, (long)buf, sizeof buf, 0)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			char c = buf[i];

			if (c == '\n') {
				if (found)
					goto out;
				matched = 0;
			} else if (matched < wanted) {
				matched = c == key[matched] ? matched + 1 : SIZE_MAX;
			} else if (matched == wanted) {
				digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : base;
				if (digit < base) {
					uint64_t *to = slash && limit ? limit : value;

					*to = *to * (uint64_t)base + (uint64_t)digit;
					found = true;
				} else if (c == '/') {
					slash = true;
				}
			}
		}
	}
out:
	close(fd);
	return found;
}

/* The cgroup's path as /proc/self/cgroup has it may be the host's, while the container sees
 * its own cgroup as the mount's root: so both are tried. cgroups(7) */
APART static bool
cgroup_kills(const char *mount, const char *path, const char *name, uint64_t *kills)
{
	char file[LINE_SIZE];

	format(file, sizeof file, "%s%s/%s", mount, path, name);
	if (read_field(file, "oom_kill ", 10, kills, NULL))
		return true;
	format(file, sizeof file, "%s/%s", mount, name);
	return read_field(file, "oom_kill ", 10, kills, NULL);
}

/* a line of /proc/self/cgroup, cgroups(7): "4:memory:/path" (v1) or "0::/path" (v2) */
static bool
kills_of_line(char *line, uint64_t *kills)
{
	char *list = (char *)end_of(line, ':'), *path = (char *)end_of(list + !!*list, ':');

	if (!*path)
		return false;
	*path++ = '\0';
	if (equal(path, "/"))
		path = "";
	if (equal(list, ":"))
		return cgroup_kills("/sys/fs/cgroup", path, "memory.events", kills);
	if (equal(list, ":memory"))
		return cgroup_kills("/sys/fs/cgroup/memory", path, "memory.oom_control", kills);
	return false;
}

APART uint64_t
oom_kills(void)
{
	char buf[LINE_SIZE], *line, *end;
	uint64_t kills = 0;
	ssize_t n;
	int fd = open_file("/proc/self/cgroup", O_RDONLY, 0);

	n = fd < 0 ? 0 : read(fd, buf, sizeof buf - 1);
	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	for (line = buf; *(end = (char *)end_of(line, '\n')); line = end + 1) {
		*end = '\0';
		if (kills_of_line(line, &kills))
			return kills;
	}
	/* no /proc: a v2 container has its own at the top */
	return cgroup_kills("/sys/fs/cgroup", "", "memory.events", &kills) ? kills : 0;
}
