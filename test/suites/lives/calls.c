/*
 * calls.c: the calls that foster makes, answered by the model of the kernel.
 * SPDX-License-Identifier: MIT
 *
 * The linker's --wrap puts these in the place of libc's, so foster's sources are as they are.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "life.h"

enum content { NULL_FILE, TERMINAL, PROC, CHILDREN, COMM, STATUS, STAT, CGROUP, LINES };

static jmp_buf executed;

/* -1 with errno for a negative result, as libc has it */
static long
answer(long result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

/* Before each call of foster's something may happen, or the call may fail. Returns the error. */
static int
before(const char *call, const int *errors)
{
	struct event event[32];
	int n, which, count = 0;

	if (w.current != w.foster)
		return 0;
	claim_call();
	if (!FOSTER->started)	/* the program has not been started yet */
		return 0;
	if (w.races && (n = enabled(event, 32)) && (which = choose(n + 1))) {
		w.races--;
		note("meanwhile, before foster's %s:", call);
		happen(event[which - 1]);
	}
	if (w.faults && errors) {
		while (errors[count])
			count++;
		which = choose(count + 1);
		if (which) {
			w.faults--;
			w.m.failed = true;
			note("foster's %s fails: %s", call, strerror(errors[which - 1]));
			return errors[which - 1];
		}
	}
	return 0;
}

#define PASSING (const int []){EINTR, 0}
#define ENTER(...) NAMED(__func__ + sizeof "__wrap_" - 1, __VA_ARGS__)
#define NAMED(name, ...) do { \
	int error_ = before(name, __VA_ARGS__); \
	if (error_) \
		return (int)answer(-error_); \
} while (0)

pid_t __wrap_getpid(void) { return SELF->pid; }
pid_t __wrap_getppid(void) { return SELF->parent; }
pid_t __wrap_getpgrp(void) { return SELF->group; }

pid_t
__wrap_getpgid(pid_t pid)
{
	struct process *p = pid ? process(pid) : SELF;

	ENTER(NULL);
	return (pid_t)answer(p ? p->group : -ESRCH);
}

int
__wrap_setpgid(pid_t pid, pid_t group)
{
	return (int)answer(change_group(SELF, pid, group));
}

int
__wrap_kill(pid_t pid, int sig)
{
	ENTER((const int []){EPERM, EINTR, 0});
	if (w.current == w.foster) {
		if (sig)
			note("foster sends %s to %s%d", signal_word(sig), pid < 0 ? "group " : "pid ", abs(pid));
		claim_kill(pid, sig);
	}
	return (int)answer(kill_as(SELF, pid, sig));
}

/* wait_as, and the claims learn who is gone then */
static int
wait_for(int which, int id, int options, int *code, int *status)
{
	struct process before_it[PROCESSES];
	int pid;

	memcpy(before_it, w.p, sizeof before_it);
	pid = wait_as(SELF, which, id, options, code, status);
	for (int i = 0; i < PROCESSES && pid > 0; i++)
		if (before_it[i].state == ZOMBIE && before_it[i].pid == pid && w.p[i].state == FREE)
			claim_reaped(&before_it[i]);
	return pid;
}

int
__wrap_waitid(idtype_t which, id_t id, siginfo_t *info, int options)
{
	int code, status, pid;

	ENTER(PASSING);
	pid = wait_for((int)which, (int)id, options, &code, &status);
	if (info)
		memset(info, 0, sizeof *info);
	if (info && pid > 0) {
		info->si_signo = SIGCHLD;
		info->si_pid = pid;
		info->si_code = code;
		info->si_status = code == CLD_EXITED ? WEXITSTATUS(status) : code == CLD_KILLED ? WTERMSIG(status) :
			code == CLD_STOPPED ? WSTOPSIG(status) : SIGCONT;
	}
	return pid < 0 ? (int)answer(pid) : 0;
}

pid_t
__wrap_waitpid(pid_t pid, int *status, int options)
{
	int code, found, value = 0;
	int flags = WEXITED | ((options & WUNTRACED) ? WSTOPPED : 0) | (options & (WCONTINUED | WNOHANG));

	ENTER(PASSING);
	found = wait_for(pid == -1 ? P_ALL : pid > 0 ? P_PID : P_PGID, pid < -1 ? -pid : pid, flags, &code, &value);
	if (found > 0 && status)
		*status = value;
	return (pid_t)answer(found);
}

/* signal(7): a wait that has nothing to take is where foster sleeps, and where the world goes on */
static long
wait_for_signal(uint64_t set, siginfo_t *info, const long *timeout)
{
	int64_t begin = w.now, deadline = INT64_MAX, left;
	struct event event[32];
	struct sent sent;
	int n, which, sig;

	if (timeout)
		deadline = w.now + timeout[0] * 1000 + (timeout[1] + 999999) / 1000000;
	if (w.current == w.foster)
		w.m.calls = 0;
	if (info)
		memset(info, 0, sizeof *info);
	for (;;) {
		bool ready = pending(FOSTER) & set;

		left = deadline == INT64_MAX ? INT64_MAX : deadline - w.now;
		if (!ready && left > 0)
			claim_block(left);
		/* others may be faster than foster, also where it needn't wait */
		n = left > 0 || ready ? enabled(event, 32) : 0;
		if (!ready && left > 0 && left < INT64_MAX && !is_busy()) {
			/* the last alternative: time passes */
			which = choose(n + 1);
			if (which == n) {
				claim_idle(left);
				w.now = deadline;
				note("%lld ms pass", (long long)left);
				which = -1;
			}
		} else if (!ready && left > 0) {
			if (!n) {
				claim_idle(left);
				life_over();	/* nothing more can happen */
			}
			which = choose(n);
		} else {
			which = n ? choose(n + 1) - 1 : -1;
		}
		if (which >= 0) {
			happen(event[which]);
			if (w.over)
				life_over();
			if (FOSTER->state != RUNNING)
				continue;
			continue;
		}
		sig = dequeue(FOSTER, set, &sent);
		if (sig) {
			if (info) {
				info->si_signo = sig;
				info->si_code = sent.code;
				info->si_pid = sent.pid;
				if (sent.code < 0)
					info->si_value.sival_int = sent.value;
			}
			if (sig != SIGCHLD)
				note("foster takes %s", signal_word(sig));
			claim_took(sig, sent.code);
			return sig;
		}
		if (timeout && deadline <= w.now) {
			claim_took(0, 0);
			claim_poll(w.now - begin);
			return -EAGAIN;
		}
	}
}

/* a mask that lets a suspending signal through: foster suspends itself until it is continued */
static void
after_mask_change(void)
{
	struct event event[32];
	int n;

	if (w.current != w.foster)
		return;
	while (has_signal(FOSTER) || FOSTER->state == SUSPENDED) {
		if (has_signal(FOSTER)) {
			take_signal(FOSTER);
			if (!lives(FOSTER))
				broken(claims[4], "a signal ended it");
			/* the shell takes its terminal back from a job that is suspended */
			if (FOSTER->state == SUSPENDED && w.terminal_session && FOSTER->pid != 1)
				w.foreground = 1;
			continue;
		}
		n = enabled(event, 32);
		if (!n)
			life_over();
		happen(event[choose(n)]);
	}
}

static long
change_mask(int how, const uint64_t *new, uint64_t *old)
{
	uint64_t before_it = SELF->blocked;

	if (new)
		SELF->blocked = how == SIG_BLOCK ? before_it | *new : how == SIG_UNBLOCK ? (before_it & ~*new) : *new;
	if (old)
		*old = before_it;
	SELF->blocked &= ~(BIT(SIGKILL) | BIT(SIGSTOP));
	after_mask_change();
	return 0;
}

static long
change_disposition(int sig, const unsigned long *new, unsigned long *old)
{
	if (sig < 1 || sig > 64 || (new && (BIT(sig) & (BIT(SIGKILL) | BIT(SIGSTOP)))))
		return -EINVAL;
	if (old)
		old[0] = SELF->ignored & BIT(sig) ? (unsigned long)SIG_IGN : (unsigned long)SIG_DFL;
	if (new) {
		SELF->ignored &= ~BIT(sig);
		if (new[0] == (unsigned long)SIG_IGN)
			SELF->ignored |= BIT(sig);
	}
	return 0;
}

static int
content_of(const char *name, uint8_t *pid)
{
	char rest[16] = "";
	int number;

	*pid = 0;
	if (strcmp(name, "/dev/tty") == 0)
		return w.terminal_session && SELF->terminal ? TERMINAL : -ENXIO;
	if (strncmp(name, "/dev/", 5) == 0)
		return NULL_FILE;
	if (strncmp(name, "/proc", 5) != 0 || !w.has_proc)
		return -ENOENT;
	if (strcmp(name, "/proc") == 0)
		return PROC;
	if (strcmp(name, "/proc/thread-self/children") == 0)
		return w.has_children ? CHILDREN : -ENOENT;
	if (strcmp(name, "/proc/self/status") == 0)
		return *pid = SELF->pid, STATUS;
	if (strcmp(name, "/proc/self/cgroup") == 0)
		return -ENOENT;
	if (strncmp(name, "/proc/self/fd/", 14) == 0)
		return LINES;
	if (sscanf(name, "/proc/%d/%15s", &number, rest) != 2 || !process(number))
		return -ENOENT;
	*pid = (uint8_t)number;
	return strcmp(rest, "comm") == 0 ? COMM : strcmp(rest, "status") == 0 ? STATUS : strcmp(rest, "stat") == 0 ?
		STAT : -ENOENT;
}

int
__wrap_open(const char *name, int flags, ...)
{
	uint8_t pid;
	int kind;

	(void)flags;
	ENTER((const int []){EMFILE, EACCES, 0});
	kind = content_of(name, &pid);
	if (kind < 0)
		return (int)answer(kind);
	for (int i = 0; i < FILES; i++) {
		if (w.file[i].open)
			continue;
		w.file[i] = (struct file){true, (uint8_t)kind, pid, 0, 0};
		return FIRST_FD + i;
	}
	broken(claims[13], "it has opened file after file");
}

int
__wrap_open64(const char *name, int flags, ...)
{
	return __wrap_open(name, flags);
}

static struct file *
file_of(int fd)
{
	return fd >= FIRST_FD && fd < FIRST_FD + FILES && w.file[fd - FIRST_FD].open ? &w.file[fd - FIRST_FD] : NULL;
}

int
__wrap_close(int fd)
{
	struct file *f = file_of(fd);

	if (w.current == w.foster && f)
		memset(f, 0, sizeof *f);
	return 0;
}

/* proc(5), as far as foster reads it */
static size_t
text_of(const struct file *f, char *text, size_t size)
{
	const struct process *p = process(f->pid);
	size_t n = 0;
	int order = 0;

	text[0] = '\0';
	if (f->kind == CHILDREN) {
		/* proc_pid_children(5): zombies are listed as well */
		for (const struct process *c; (c = next_child_of(SELF, &order)); )
			n += (size_t)snprintf(text + n, size - n, "%d ", c->pid);
		return n;
	}
	if (!p)
		return 0;
	if (f->kind == COMM)
		return (size_t)snprintf(text, size, "%s\n", name_of(p));
	if (f->kind == STATUS)
		return (size_t)snprintf(text, size, "Name:\t%s\nState:\t%c\nPPid:\t%d\nFDSize:\t8\n%sSigIgn:\t%016llx\n", name_of(p),
			p->state == ZOMBIE ? 'Z' : p->state == SUSPENDED ? 'T' : 'S', p->parent,
			p->state == ZOMBIE ? "" : "VmSize:\t    100 kB\n", (unsigned long long)p->ignored);
	if (f->kind == STAT)
		return (size_t)snprintf(text, size, "%d (%s) %c %d %d %d 0 0 0 0 0 0 0 0 0 0 0 0 0 1\n", p->pid, name_of(p),
			p->state == ZOMBIE ? 'Z' : p->state == SUSPENDED ? 'T' : 'S', p->parent, p->group, p->session);
	return 0;
}

ssize_t
__wrap_read(int fd, void *buf, size_t size)
{
	struct file *f = file_of(fd);
	char text[1024];
	size_t len;

	if (!f)
		return answer(-EBADF);
	ENTER(PASSING);
	if (f->kind == TERMINAL)
		return SELF->group == w.foreground ? 0 : (ssize_t)answer(-EIO);
	if (f->pid && !process(f->pid))
		return answer(-ESRCH);
	len = text_of(f, text, sizeof text);
	if (f->at >= len)
		return 0;
	if (size > len - f->at)
		size = len - f->at;
	memcpy(buf, text + f->at, size);
	f->at += (uint32_t)size;
	return (ssize_t)size;
}

ssize_t
__wrap_pread(int fd, void *buf, size_t size, off_t at)
{
	(void)fd, (void)buf, (void)size, (void)at;
	return 0;
}

static long
list_processes(struct file *f, char *buf, size_t size)
{
	enum { LENGTH = 16, NAME = 19, RECORD = 24 };
	unsigned short length = RECORD;
	size_t used = 0;

	for (; f->at < 40 && used + RECORD <= size; f->at++) {
		if (!process((int)f->at))
			continue;
		memset(buf + used, 0, RECORD);
		memcpy(buf + used + LENGTH, &length, sizeof length);
		snprintf(buf + used + NAME, RECORD - NAME, "%u", f->at);
		used += RECORD;
	}
	return (long)used;
}

ssize_t
__wrap_readlink(const char *name, char *buf, size_t size)
{
	char text[16];
	int n;

	ENTER((const int []){EACCES, 0});
	if (strcmp(name, "/proc/self") != 0 || !w.has_proc)
		return answer(-ENOENT);
	n = snprintf(text, sizeof text, "%d", SELF->pid);
	memcpy(buf, text, (size_t)n < size ? (size_t)n : size);
	return n;
}

int
__wrap_access(const char *name, int mode)
{
	(void)mode;
	return strncmp(name, "/proc", 5) == 0 && !w.has_proc ? (int)answer(-ENOENT) : 0;
}

static void
tell_line(const char *line, size_t len)
{
	if (telling)
		note("%.*s", (int)(len && line[len - 1] == '\n' ? len - 1 : len), line);
}

ssize_t
__wrap_write(int fd, const void *line, size_t len)
{
	(void)fd;
	tell_line(line, len);
	return (ssize_t)len;
}

ssize_t
__wrap_send(int fd, const void *line, size_t len, int flags)
{
	(void)fd, (void)flags;
	tell_line(line, len);
	return (ssize_t)len;
}

off_t __wrap_lseek(int fd, off_t at, int whence) { (void)fd, (void)at, (void)whence; return 0; }
off_t __wrap_lseek64(int fd, off_t at, int whence) { (void)fd, (void)at, (void)whence; return 0; }
int __wrap_ftruncate(int fd, off_t at) { (void)fd, (void)at; return 0; }
int __wrap_ftruncate64(int fd, off_t at) { (void)fd, (void)at; return 0; }
int __wrap_chdir(const char *name) { (void)name; return 0; }

int
__wrap_poll(struct pollfd *fds, nfds_t count, int ms)
{
	(void)fds;
	if (count == 0)
		w.now += ms > 0 ? ms : 0;
	return (int)count;
}

int
__wrap_fcntl(int fd, int command, ...)
{
	if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && fd < FIRST_FD) {
		for (int i = 0; i < FILES; i++) {
			if (w.file[i].open)
				continue;
			w.file[i] = (struct file){true, TERMINAL, 0, 0, 0};
			return FIRST_FD + i;
		}
	}
	return fd;
}

int __wrap_fcntl64(int fd, int command, ...) { return __wrap_fcntl(fd, command); }

static bool
is_terminal(int fd)
{
	struct file *f = file_of(fd);

	/* standard error is the terminal, where there is one */
	return w.terminal_session && SELF->terminal && ((fd >= 0 && fd < FIRST_FD) || (f && f->kind == TERMINAL));
}

pid_t
__wrap_tcgetpgrp(int fd)
{
	ENTER(NULL);
	return is_terminal(fd) ? w.foreground : (pid_t)answer(-ENOTTY);
}

int
__wrap_tcsetpgrp(int fd, pid_t group)
{
	ENTER(NULL);
	if (!is_terminal(fd))
		return (int)answer(-ENOTTY);
	note("%s makes group %d the foreground", w.current == w.foster ? "foster" : "foster's child", group);
	return (int)answer(set_foreground(SELF, group));
}

int
__wrap_ioctl(int fd, unsigned long request, ...)
{
	pid_t *group;
	va_list args;

	va_start(args, request);
	group = va_arg(args, pid_t *);
	va_end(args);
	if (request == TIOCSPGRP)
		return __wrap_tcsetpgrp(fd, *group);
	if (request != TIOCGPGRP)
		return (int)answer(-ENOTTY);
	*group = __wrap_tcgetpgrp(fd);
	return *group < 0 ? -1 : 0;
}

int
__wrap_prctl(int option, ...)
{
	va_list args;
	long value;

	va_start(args, option);
	value = va_arg(args, long);
	va_end(args);
	if (option == PR_SET_CHILD_SUBREAPER)
		SELF->subreaper = value != 0;
	else if (option == PR_SET_PDEATHSIG)
		SELF->death_signal = (uint8_t)value;
	return 0;
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	(void)clock;
	t->tv_sec = (time_t)(w.now / 1000);
	t->tv_nsec = (long)(w.now % 1000) * 1000000;
	return 0;
}

int
__wrap_prlimit(pid_t pid, int what, const struct rlimit *new, struct rlimit *old)
{
	(void)pid, (void)what, (void)new;
	if (old)
		old->rlim_cur = old->rlim_max = 1024;
	return 0;
}

int __wrap_prlimit64(pid_t pid, int what, const struct rlimit *new, struct rlimit *old) { return __wrap_prlimit(pid, what, new, old); }
int __wrap_getrlimit(int what, struct rlimit *old) { return __wrap_prlimit(0, what, NULL, old); }
int __wrap_getrlimit64(int what, struct rlimit *old) { return __wrap_prlimit(0, what, NULL, old); }

/* The child of clone(2) with CLONE_VFORK runs before its parent does, on the stack that it is
 * given; here it may be foster's own. */
int
__wrap_clone(int (*child)(void *), void *stack, int flags, void *argument, ...)
{
	struct process *p = new_child(FOSTER);
	int status;

	(void)stack, (void)flags;
	w.program = w.current = (uint8_t)(p - w.p);
	claim_start(p);
	if (setjmp(executed) == 0) {
		status = child(argument);
		fprintf(stderr, "foster's child came back with %d\n", status);
		abort();
	}
	w.current = w.foster;
	FOSTER->started = true;	/* from now on the world goes on */
	return p->pid;
}

/* execve(2): handlers become defaults, what is ignored stays so, as does the mask */
int
__wrap_execve(const char *file, char **argv, char **env)
{
	(void)file, (void)argv, (void)env;
	SELF->executed = true;
	become(SELF, 0);
	longjmp(executed, 1);
}

_Noreturn void
__wrap__exit(int status)
{
	if (w.current != w.foster) {
		fprintf(stderr, "the program could not be started\n");
		abort();
	}
	note("foster leaves with status %d", status);
	script("left %d", status);
	claim_exit(status);
	w.over = true;
	life_over();
}

int
__wrap_close_range(unsigned first, unsigned last, unsigned flags)
{
	(void)flags;
	for (unsigned i = first < FIRST_FD ? FIRST_FD : first; w.current == w.foster && i < FIRST_FD + FILES && i <= last; i++)
		memset(&w.file[i - FIRST_FD], 0, sizeof w.file[0]);
	return 0;
}

long
__wrap_syscall(long number, ...)
{
	long a, b, c, d;
	va_list args;

	va_start(args, number);
	a = va_arg(args, long);
	b = va_arg(args, long);
	c = va_arg(args, long);
	d = va_arg(args, long);
	va_end(args);
	(void)d;
	switch (number) {
	case SYS_rt_sigtimedwait:
		NAMED("rt_sigtimedwait", (const int []){EINTR, EAGAIN, 0});
		return answer(wait_for_signal(*(uint64_t *)a, (siginfo_t *)b, (const long *)c));
	case SYS_rt_sigprocmask:
		NAMED("rt_sigprocmask", PASSING);
		return answer(change_mask((int)a, (const uint64_t *)b, (uint64_t *)c));
	case SYS_rt_sigaction:
		return answer(change_disposition((int)a, (const unsigned long *)b, (unsigned long *)c));
	case SYS_rt_sigpending:
		*(uint64_t *)a = pending(SELF) & SELF->blocked;
		return 0;
	case SYS_rt_sigqueueinfo: {
		struct process *p = process((int)a);
		const siginfo_t *info = (const siginfo_t *)c;

		NAMED("rt_sigqueueinfo", PASSING);
		if (!p)
			return answer(-ESRCH);
		claim_kill((int)a, (int)b);
		note("foster queues %s to pid %ld", signal_word((int)b), a);
		return answer(send_signal(p, (int)b, info->si_code, info->si_pid, info->si_value.sival_int));
	}
	case SYS_getdents64:
		return file_of((int)a) ? list_processes(file_of((int)a), (char *)b, (size_t)c) : answer(-EBADF);
	case SYS_close_range: return __wrap_close_range((unsigned)a, (unsigned)b, 0);
	case SYS_kill: return __wrap_kill((pid_t)a, (int)b);
	case SYS_getpid: return SELF->pid;
	case SYS_getpgid: return __wrap_getpgid((pid_t)a);
	case SYS_ioctl: return __wrap_ioctl((int)a, (unsigned long)b, (void *)c);
	case SYS_prctl: return __wrap_prctl((int)a, b);
	case SYS_openat: return __wrap_open((const char *)b, (int)c);
	case SYS_read: return __wrap_read((int)a, (void *)b, (size_t)c);
	case SYS_write: return __wrap_write((int)a, (void *)b, (size_t)c);
	case SYS_readlinkat: return __wrap_readlink((const char *)b, (char *)c, (size_t)d);
	case SYS_fcntl: return __wrap_fcntl((int)a, (int)b, c);
	case SYS_clock_gettime: {
		struct timespec t;

		__wrap_clock_gettime((clockid_t)a, &t);
		memcpy((void *)b, &t, sizeof t);
		return 0;
	}
	default:
		fprintf(stderr, "system call %ld is not in the model\n", number);
		abort();
	}
}
