/*
 * tty.c: the controlling terminal: who is its foreground, and what a suspended program needs.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "foster.h"

#define AGAIN_MS 1000	/* what a wrapper runs may suspend itself up to this much later */

/* foster's controlling terminal, not as one of 0 to 2; -1 if it has none */
static int
open_terminal(void)
{
	int fd = open_file("/dev/tty", O_RDWR);

	if (fd >= 0 || errno == ENXIO)
		return fd;
	/* no /dev: this call succeeds for the controlling terminal alone */
	for (fd = 0; fd < 3; fd++)
		if (tcgetpgrp(fd) >= 0)
			return copy_descriptor(fd);
	return -1;
}

/* the terminal's descriptor; as PID 1 foster keeps none open but standard error */
static int
borrow_terminal(const struct terminal *t)
{
	if (t->fd >= 0)
		return t->fd;
	return tcgetpgrp(STDERR_FILENO) >= 0 ? STDERR_FILENO : open_file("/dev/tty", O_RDWR);
}

static void
return_terminal(const struct terminal *t, int fd)
{
	if (fd != t->fd && fd != STDERR_FILENO)
		close(fd);
}

static pid_t
foreground_group(int tty)
{
	return retry_unless(ENOTTY, tcgetpgrp(tty));
}

static bool
set_foreground(int tty, pid_t group)
{
	return group > 0 && retry(tcsetpgrp(tty, group)) == 0;
}

/* whether foster's own group is the foreground group */
static bool
own_in_foreground(int tty)
{
	pid_t foreground = foreground_group(tty), own = getpgrp();
	char none;

	if (foreground != 0 || own != 0)
		return foreground == own;
	/* both are outside this PID namespace: with SIGTTIN blocked, a read in the background is EIO */
	return read(tty, &none, 0) == 0 || errno != EIO;
}

/* whether others use the terminal too, so that the program gets it only when it reads from it: a
 * script without job control started foster with &, or a shell started it in a pipeline */
static bool
is_contested(const struct self *self)
{
	return (is_ignored(SIGINT) && is_ignored(SIGQUIT)) || (!self->init && group_is_shared(self));
}

void
find_terminal(struct terminal *t, const struct self *self)
{
	t->fd = open_terminal();
	if (t->fd < 0)
		return;
	t->given = own_in_foreground(t->fd) && !is_contested(self);
}

bool
in_foreground(const struct terminal *t, pid_t group)
{
	int fd = borrow_terminal(t);
	bool is = fd >= 0 && foreground_group(fd) == group;

	if (fd >= 0)
		return_terminal(t, fd);
	return is;
}

/* continues a child's group, whose number can't be reused until the child is reaped */
static void
continue_group(pid_t child)
{
	pid_t group = getpgid(child);

	if (group == getpgrp() || !signal_group(group, SIGCONT))
		signal_process(child, SIGCONT);
}

static void
undo_suspension(struct terminal *t, pid_t child)
{
	continue_group(child);
	t->continued = child;
	t->again_at = in_ms(AGAIN_MS);
}

void
continue_again(struct terminal *t)
{
	if (t->continued)
		continue_group(t->continued);
	t->continued = 0;
	t->again_at = NEVER;
}

/* as PID 1: gives the terminal to the child that waits for it, if its foreground group is gone */
static void
pass_terminal_on(struct terminal *t)
{
	int fd = borrow_terminal(t);
	pid_t foreground;

	if (fd < 0)
		return;
	foreground = foreground_group(fd);
	/* foster's own group never reads */
	if (foreground > 0 && (foreground == getpgrp() || !group_exists(foreground)) &&
	    set_foreground(fd, getpgid(t->suspended))) {
		continue_group(t->suspended);
		t->suspended = 0;
	}
	return_terminal(t, fd);
}

void
give_terminal(struct terminal *t, const struct self *self, const struct program *program)
{
	if (self->init || t->fd < 0 || !own_in_foreground(t->fd))
		return;
	if (!t->given && is_contested(self))
		return;
	t->given = set_foreground(t->fd, program->pid ? getpgid(program->pid) : program->group);
}

/* Suspends foster as the child was suspended: with its whole group, so that a shell sees all of
 * its pipeline suspended, or alone where the child was in the background. Returns once foster is
 * continued; false where the kernel doesn't suspend it: an orphaned group, setpgid(2). */
static bool
suspend_too(const struct terminal *t, const struct self *self, pid_t group, int sig)
{
	siginfo_t info;

	if (t->fd >= 0 && foreground_group(t->fd) == group)
		kill(0, sig);
	else
		signal_process(self->pid, sig);
	set_mask(~BIT(sig), NULL);
	set_mask(ALL_SIGNALS, NULL);
	return take_pending(BIT(SIGCONT), &info);
}

void
child_suspended(struct terminal *t, const struct self *self, const struct program *program, pid_t child, int sig)
{
	if (sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU)
		return;
	if (self->init && sig == SIGTSTP) {
		undo_suspension(t, child);
		return;
	}
	if (t->suspended && t->suspended == program->pid)
		return;
	t->suspended = child;
	t->suspended_by = sig;
}

void
follow_suspension(struct terminal *t, const struct self *self, const struct program *program)
{
	pid_t child = t->suspended, group = child ? getpgid(child) : 0;

	if (!child)
		return;
	if (self->init) {
		pass_terminal_on(t);
		return;
	}
	t->suspended = 0;
	if (program->pid ? child != program->pid : group != program->group)
		return;
	if (t->suspended_by != SIGTSTP && t->fd >= 0 && own_in_foreground(t->fd) && set_foreground(t->fd, group)) {
		t->given = true;
		continue_group(child);
	} else if (suspend_too(t, self, group, t->suspended_by)) {
		give_terminal(t, self, program);
		continue_group(child);
	} else if (t->suspended_by == SIGTSTP) {
		undo_suspension(t, child);
	}
}

void
take_terminal(const struct terminal *t, const struct self *self, const struct program *program)
{
	pid_t foreground;

	if (self->init || t->fd < 0)
		return;
	foreground = foreground_group(t->fd);
	if (foreground > 0 && (foreground == program->group || !group_exists(foreground)))
		set_foreground(t->fd, getpgrp());
}
