/*
 * reaper.c: children that have ended, and what is known of those that have not.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#include "foster.h"

#define BATCH 256	/* children at a time, so that signals are taken in between */

static void
forget_child(struct state *st, pid_t pid)
{
	if (is_asked(&st->stop, pid))
		st->stop.asked[pid / 8] &= (unsigned char)~(1U << pid % 8);
	if (st->terminal.suspended == pid)
		st->terminal.suspended = 0;
	if (st->terminal.continued == pid)
		st->terminal.continued = 0;
}

/* one child changed its state; true if it is the program, and has ended */
static bool
note_change(struct state *st, const struct options *opt, pid_t pid, int status)
{
	char words[80];

	if (WIFSTOPPED(status)) {
		child_suspended(&st->terminal, &st->self, &st->program, pid, WSTOPSIG(status));
		return false;
	}
	if (WIFCONTINUED(status)) {
		if (st->terminal.suspended == pid)
			st->terminal.suspended = 0;
		return false;
	}
	forget_child(st, pid);
	if (pid == st->program.pid) {
		st->program.pid = 0;
		st->program.status = status;
		return true;
	}
	if (opt->warn_reaped)
		say("pid %d: reaped, %s", (int)pid, status_text(status, words, sizeof words));
	return false;
}

bool
reap(struct state *st, const struct options *opt, bool *more)
{
	bool ended = false;
	int status = 0, n;
	pid_t pid = 0;

	/* one SIGCHLD can stand for many children */
	for (n = 0; n < BATCH; n++) {
		/* __WALL: also inherited children whose exit signal isn't SIGCHLD, clone(2) */
		pid = retry_unless(ECHILD, waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED | __WALL));
		if (pid <= 0)
			break;
		ended |= note_change(st, opt, pid, status);
	}
	*more = n == BATCH;
	st->children = pid >= 0 || errno != ECHILD;
	return ended;
}

void
reap_rest(struct state *st, const struct options *opt)
{
	int status = 0;
	pid_t pid;

	/* from now on the kernel reaps, wait(2); earlier zombies are still there */
	set_disposition(SIGCHLD, SIG_IGN);
	while ((pid = retry_unless(ECHILD, waitpid(-1, &status, WNOHANG | __WALL))) > 0)
		note_change(st, opt, pid, status);
}

bool
has_child_in(pid_t group)
{
	siginfo_t info;

	return is_child(P_PGID, group, &info) || errno != ECHILD;
}

void
set_asked(struct stop *stop, pid_t pid)
{
	stop->any_asked = true;
	stop->asked[pid / 8] |= (unsigned char)(1U << pid % 8);
}

bool
is_asked(const struct stop *stop, pid_t pid)
{
	/* until a child is asked, no page of the map is touched, not even to read */
	return stop->any_asked && stop->asked[pid / 8] & 1U << pid % 8;
}

int
exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

const char *
status_text(int status, char *buf, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(buf, size, "killed by SIG%s (%d)", signal_name(WTERMSIG(status)), WTERMSIG(status));
	else
		snprintf(buf, size, "exited with status %d", WEXITSTATUS(status));
	return buf;
}
