/*
 * tty.c: the controlling terminal: who is its foreground, and what a stopped program needs.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "foster.h"

static pid_t
foreground_group(int tty)
{
	pid_t group = 0;

	return insist(SYS_ioctl, tty, TIOCGPGRP, (long)&group, 0) < 0 ? -1 : group;
}

static pid_t
own_group(void)
{
	return (pid_t)insist(SYS_getpgid, 0, 0, 0, 0);
}

bool
set_foreground(int tty, pid_t group)
{
	return insist(SYS_ioctl, tty, TIOCSPGRP, (long)&group, 0) == 0;
}

/* foster's controlling terminal, not as one of 0 to 2; -1 if it has none */
static int
open_terminal(void)
{
	int fd = open_file("/dev/tty", O_RDWR, 0);

	if (fd >= 0 || errno == ENXIO)
		return fd;
	/* no /dev: this call succeeds for the controlling terminal alone */
	for (fd = 0; fd < 3; fd++)
		if (foreground_group(fd) >= 0)
			return copy_descriptor(fd);
	return -1;
}

/* whether foster's own group is the foreground group */
static bool
in_foreground(int tty)
{
	pid_t foreground = foreground_group(tty), own = own_group();
	char none;

	if (foreground != 0 || own != 0)
		return foreground == own;
	/* both are outside of this PID namespace: a read that may not stop us tells */
	return read(tty, &none, 0) == 0 || errno != EIO;
}

void
find_terminal(struct state *st)
{
	st->tty = open_terminal();
	if (st->tty < 0)
		return;
	/* a script without job control started it with & */
	if (is_ignored(SIGINT) && is_ignored(SIGQUIT)) {
		close(st->tty);
		st->tty = -1;
		return;
	}
	st->take_tty = in_foreground(st->tty);
}

void
give_terminal(struct state *st)
{
	if (st->tty >= 0 && st->program && in_foreground(st->tty))
		set_foreground(st->tty, getpgid(st->program));
}

void
take_terminal(const struct state *st)
{
	pid_t foreground;

	if (st->init || st->tty < 0)
		return;
	foreground = foreground_group(st->tty);
	if (foreground > 0 && (foreground == st->group || group_empty(foreground)))
		set_foreground(st->tty, own_group());
}

bool
group_in_foreground(const struct state *st)
{
	int tty = st->tty >= 0 ? st->tty : open_terminal();
	bool is = tty >= 0 && foreground_group(tty) == st->group;

	if (tty >= 0 && tty != st->tty)
		close(tty);
	return is;
}

/* PID 1: a terminal whose foreground group has no member left, or foster alone, which never
 * reads, goes to the program */
static bool
inherit_terminal(const struct state *st)
{
	int tty = open_terminal();
	pid_t foreground;
	bool given = false;

	if (tty < 0)
		return false;
	foreground = foreground_group(tty);
	if (foreground > 0 && (foreground == own_group() || group_empty(foreground)))
		given = set_foreground(tty, getpgid(st->program));
	close(tty);
	return given;
}

/* Stops foster as the program was stopped: with its whole group, so that a shell sees all of
 * its pipeline stop, or alone where the program was in the background. Returns when foster is
 * continued, or at once where the kernel doesn't stop it: an orphaned group, setpgid(2). */
static void
stop_too(const struct state *st, int sig)
{
	send_to(st->tty >= 0 && foreground_group(st->tty) == st->group ? 0 : st->self, sig);
	set_mask(~BIT(sig), NULL);
	set_mask(ALL_SIGNALS, NULL);
}

void
program_stopped(struct state *st)
{
	int sig = st->stopped_by;

	st->stopped_by = 0;
	if (sig == SIGTSTP && st->init) {
		continue_program(st);
	} else if (sig == SIGTSTP) {
		stop_too(st, sig);
		if (!is_pending(SIGCONT))
			continue_program(st);
	} else if (sig == SIGTTIN || sig == SIGTTOU) {
		if (st->init) {
			if (inherit_terminal(st))
				continue_program(st);
			else	/* perhaps when another child has ended */
				st->stopped_by = sig;
		} else if (st->tty >= 0 && in_foreground(st->tty)) {
			give_terminal(st);
			continue_program(st);
		} else {
			stop_too(st, sig);
		}
	}
}
