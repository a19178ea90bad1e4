/*
 * stop.c: the stop: who is asked, and who is waited for.
 * SPDX-License-Identifier: MIT
 *
 * phase    begins when                          who is asked                  ends when
 * -------  -----------------------------------  ----------------------------  -------------------------
 * RUNNING  the program was started              on a stop: the target         the program has ended
 * GROUP    the program has ended on request     its group, unless asked       no child is in the group
 * OTHERS   no child is in the group any more;   each child that was not       no child is left (drain: nor
 *          with --drain also: the program has                                 one that joined)
 *          ended by itself, or a KILL was 1 s
 *          ago; elsewhere than as PID 1 also:
 *          a final KILL
 * DONE     foster leaves
 *
 * event                    RUNNING                     GROUP                   OTHERS
 * -----------------------  --------------------------  ----------------------  --------------------------
 * a stop is requested      it begins: first signal to  it begins: to the       it begins: to the children,
 *                          the target, or the pause    children in the group,  or the pause. In a drain: the
 *                                                      or the pause            drain's first signal again
 * it is requested again    first signal to the target; to the children in the  to the children;
 *                          it ends a pause             group; it ends a pause  it ends a pause
 * another signal           forwarded (signals.c)       INT WINCH CONT TSTP: to what is left of the group;
 *                                                      others: to the          others: to the children
 *                                                      children in it
 * a step is due            to the target               to the children in it   to the children
 * the step is KILL         --stop's, with --drain: to the group alone; the drain begins when it is empty,
 *                          or 1 s later. Otherwise: to the group and to all children; PID 1 leaves at
 *                          once, elsewhere foster leaves when no child is left, or 1 s later.
 * the program has ended    on request: GROUP; by       -                       (after a KILL) -
 *                          itself: OTHERS with
 *                          --drain, else DONE
 * a child has ended        -                           children that it left   children that it left are
 *                                                      in the group are asked  asked
 *
 * Parents first: foster asks its own children, one by one. Any other descendant has a parent that
 * lives, and that decides when it ends. Each child is asked once; a group that was asked as a
 * whole, by foster or by a terminal's key, counts as asked, and so does whoever is born into it.
 *
 * Blind (no /proc, or orphans go to another process): the group is asked as a whole, and waited
 * for while it exists; then, as PID 1, everybody is asked and each child is waited for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foster.h"

#define LOOK_MS 100	/* between two looks, where no SIGCHLD comes */
#define GRACE_MS 1000	/* after a final KILL, for processes that don't die at once */
#define HANG_MS 5000	/* then a line says whom foster waits for */
#define MINUTE_MS 60000
#define REST 9		/* foster rests nine times as long as a look took */
#define REST_SIZE 160	/* bytes: those who are left, in words */

/* the one function that assigns the phase */
static void enter(struct state *, const struct options *, enum phase);

/* the drain's schedule is running */
static bool
draining(const struct state *st, const struct options *opt)
{
	return st->stop.phase == OTHERS && opt->drain.steps;
}

/* in a schedule's leading pause nobody is asked */
static bool
pausing(const struct stop *stop)
{
	return stop->schedule && stop->step < 0;
}

static bool
walk_rest(const struct state *st, const struct options *opt, struct walk *w)
{
	return !st->stop.blind && start_walk(w, st->self.pid, st->self.init && draining(st, opt));
}

/* the next one whom foster asks and waits for in this phase; 0 at the end */
static pid_t
next_of_rest(const struct state *st, struct walk *w)
{
	pid_t pid;

	while ((pid = next_child(w)))
		if (st->stop.phase >= OTHERS || getpgid(pid) == st->program.group || pid == st->program.pid)
			break;
	return pid;
}

/* those who are left, for a message: "pid 17 (worker) and 2 more" */
static const char *
rest_text(const struct state *st, const struct options *opt, char *buf)
{
	char name[64];
	struct walk w;
	pid_t pid, first = 0;
	int count = 0, n;

	if (walk_rest(st, opt, &w)) {
		while ((pid = next_of_rest(st, &w))) {
			count++;
			if (!first || pid == st->program.pid)
				first = pid;
		}
	}
	if (!count && st->stop.phase >= OTHERS)
		return "some processes";
	if (!count) {
		snprintf(buf, REST_SIZE, "process group %d", (int)st->program.group);
		return buf;
	}
	n = snprintf(buf, REST_SIZE, "pid %d (%s)", (int)first, process_name(first, name, sizeof name));
	if (count > 1)
		snprintf(buf + n, REST_SIZE - (size_t)n, " and %d more", count - 1);
	return buf;
}

static void
say_rest(const struct state *st, const struct options *opt, const char *what)
{
	char rest[REST_SIZE];

	say("%s: %s", rest_text(st, opt, rest), what);
}

/* sends sig, then SIGCONT, so that a suspended process sees it too */
static void
ask(struct stop *stop, pid_t child, int sig)
{
	set_asked(stop, child);
	if (!signal_process(child, sig))
		say("%s to pid %d:", signal_name(sig), (int)child);
	else if (sig != SIGKILL)
		signal_process(child, SIGCONT);
}

/* a shell's background jobs ignore SIGINT and SIGQUIT, so asking by either has no effect */
static bool
is_deaf(pid_t child, int sig)
{
	return (sig == SIGINT || sig == SIGQUIT) && ignores(child, BIT(SIGINT) | BIT(SIGQUIT));
}

/* the signal to ask the child by */
static int
heard_by(pid_t child, int sig)
{
	return is_deaf(child, sig) ? SIGTERM : sig;
}

/* asks the child by sig; false if it was asked before, by itself or with its group */
static bool
ask_once(struct state *st, pid_t child, int sig)
{
	struct stop *stop = &st->stop;
	bool by_group = stop->group_asked && getpgid(child) == st->program.group;

	if (is_asked(stop, child))
		return false;
	if (by_group && !is_deaf(child, stop->group_asked)) {
		set_asked(stop, child);
		return false;
	}
	ask(stop, child, heard_by(child, by_group ? stop->group_asked : sig));
	return true;
}

/* the signal for those that have not been asked yet */
static int
asking_signal(const struct state *st, const struct options *opt)
{
	if (draining(st, opt))
		return opt->drain.step[0].sig;
	if (st->stop.begun)
		return opt->stop_signal;
	if (st->stop.phase == GROUP)
		return st->stop.ended_by;
	return st->stop.ended_by == SIGQUIT ? SIGQUIT : SIGTERM;
}

/* without a list of children: asks the group as a whole, or everybody */
static void
ask_blind(struct state *st, int sig)
{
	if (st->stop.phase == OTHERS) {
		signal_everybody(&st->self, sig);
		if (sig != SIGKILL)
			signal_everybody(&st->self, SIGCONT);
	} else {
		st->stop.group_asked = sig;
		signal_group(st->program.group, sig);
		if (sig != SIGKILL)
			signal_group(st->program.group, SIGCONT);
	}
}

/* asks those of this phase that were not asked yet */
static void
ask_rest(struct state *st, const struct options *opt)
{
	struct stop *stop = &st->stop;
	int sig = asking_signal(st, opt);
	struct walk w;
	pid_t pid;

	if (pausing(stop))
		return;
	if (walk_rest(st, opt, &w)) {
		while ((pid = next_of_rest(st, &w))) {
			if (stop->killing)
				signal_process(pid, SIGKILL);
			else
				ask_once(st, pid, sig);
		}
		stop->joined = w.met_joined;
	} else if (!stop->blind) {
		stop->look_at = in_ms(LOOK_MS);
	}
}

/* Sends sig, a repeated request or a later step, to those of this phase, asked before or not. Only
 * the children of a parent that a step ends, which the same walk may meet, are asked first. */
static void
ask_again(struct state *st, const struct options *opt, int sig, bool request)
{
	struct walk w;
	pid_t pid;

	if (st->stop.blind)
		ask_blind(st, sig);
	else if (walk_rest(st, opt, &w))
		while ((pid = next_of_rest(st, &w)))
			if (request || !ask_once(st, pid, asking_signal(st, opt)))
				ask(&st->stop, pid, request ? heard_by(pid, sig) : sig);
}

/* asks the target; info: the signal as it came, or NULL if a schedule sends it */
static void
ask_target(struct state *st, const struct options *opt, int sig, siginfo_t *info)
{
	bool whole;

	if (info)
		whole = forward(&st->program, &st->queue, opt, sig, info);
	else
		whole = deliver(&st->program, sig, opt->target != TO_PROGRAM);
	if (whole)
		st->stop.group_asked = sig;
	signal_target(&st->program, SIGCONT, whole);
}

/* a schedule's final KILL */
static void
kill_rest(struct state *st, const struct options *opt)
{
	struct stop *stop = &st->stop;
	bool drain_follows = opt->drain.steps && stop->phase != OTHERS;
	bool group_left = stop->phase != OTHERS && (stop->blind || has_child_in(st->program.group));

	stop->killing = true;
	stop->step_at = in_ms(GRACE_MS);
	if (!drain_follows && st->self.init) {
		enter(st, opt, DONE);
	} else if (!drain_follows && stop->phase != OTHERS) {
		enter(st, opt, OTHERS);
	} else {
		if (opt->verbose)
			say_rest(st, opt, "killed");
		ask_rest(st, opt);
	}
	if (st->program.pid)
		signal_target(&st->program, SIGKILL, true);
	else if (group_left)
		signal_group(st->program.group, SIGKILL);
}

/* takes the schedule's next step; returns its signal */
static int
take_step(struct stop *stop)
{
	const struct schedule *s = stop->schedule;

	stop->step++;
	stop->step_at = stop->step < s->steps - 1 ? in_ms(s->step[stop->step].wait_ms) : NEVER;
	return s->step[stop->step].sig;
}

static void
next_step(struct state *st, const struct options *opt)
{
	struct stop *stop = &st->stop;
	char rest[REST_SIZE], time[TIME_SIZE];
	int sig = take_step(stop);

	if (stop->step > 0)
		say("%s: still running after %s, sending %s", rest_text(st, opt, rest),
			time_text(stop->schedule->step[stop->step - 1].wait_ms, " ", time), signal_name(sig));
	if (sig == SIGKILL)
		kill_rest(st, opt);
	else if (stop->phase == RUNNING)
		ask_target(st, opt, sig, NULL);
	else if (stop->step == 0 && draining(st, opt) && !stop->blind)
		ask_rest(st, opt);
	else
		ask_again(st, opt, sig, stop->step == 0);
}

static void
start_schedule(struct state *st, const struct options *opt, const struct schedule *s)
{
	st->stop.schedule = s;
	st->stop.step = -1;
	if (s->pause_ms)
		st->stop.step_at = in_ms(s->pause_ms);
	else
		next_step(st, opt);
}

static void
tell_rest(struct state *st, const struct options *opt)
{
	char rest[REST_SIZE];

	if (st->program.pid)
		say("waiting for %s", rest_text(st, opt, rest));
	else
		say(WORD " has ended, waiting for %s", CUT(opt->program[0]), rest_text(st, opt, rest));
	st->stop.tell_at = opt->verbose ? in_ms(MINUTE_MS) : NEVER;
}

/* says what began the stop; from: the signal as it came, 0 for the time-out */
static void
tell_begin(const struct options *opt, int from, const siginfo_t *info)
{
	char buf[64];

	if (!from)
		say("stop begins: timed out after %s", time_text(opt->timeout_ms, " ", buf));
	else if (info->si_code > 0)
		say("stop begins: SIG%s from the kernel", signal_name(from));
	else if (!info->si_pid)
		say("stop begins: SIG%s from outside the PID namespace", signal_name(from));
	else
		say("stop begins: SIG%s from pid %d (%s)", signal_name(from), (int)info->si_pid,
			process_name(info->si_pid, buf, sizeof buf));
}

/* a request to stop while foster waits; sig: as rewritten */
static void
repeat_stop(struct state *st, const struct options *opt, int sig, siginfo_t *info)
{
	const struct schedule *s = st->stop.schedule;

	if (s)
		sig = s->step[0].sig;
	if (pausing(&st->stop))
		next_step(st, opt);
	else if (st->program.pid)
		ask_target(st, opt, sig, s ? NULL : info);
	else
		ask_again(st, opt, sig, true);
}

void
request_stop(struct state *st, const struct options *opt, int from, int sig, siginfo_t *info)
{
	struct stop *stop = &st->stop;
	bool begins = !stop->begun;
	int first = opt->stop.steps ? opt->stop.step[0].sig : sig;
	char name[64];

	if (opt->pause) {
		enter(st, opt, DONE);
		return;
	}
	stop->begun = true;
	stop->timeout_at = NEVER;
	if (begins && opt->verbose)
		tell_begin(opt, from, info);
	if (begins && st->program.pid && ignores(st->program.pid, BIT(first)))
		say("pid %d (%s) ignores SIG%s", (int)st->program.pid,
			process_name(st->program.pid, name, sizeof name), signal_name(first));
	if (stop->killing)
		return;
	if (begins && opt->stop.steps && !stop->schedule)
		start_schedule(st, opt, &opt->stop);
	else
		repeat_stop(st, opt, sig, info);
	if (begins && opt->verbose && st->program.pid && stop->phase != DONE)
		tell_rest(st, opt);
}

void
pass_on(struct state *st, const struct options *opt, int sig)
{
	struct stop *stop = &st->stop;
	struct walk w;
	pid_t pid;

	if (sig == SIGINT || sig == SIGWINCH || sig == SIGCONT || sig == SIGTSTP) {
		if (has_child_in(st->program.group) || (stop->blind && stop->phase == GROUP))
			signal_group(st->program.group, sig);
	} else if (stop->blind && stop->phase == OTHERS) {
		signal_everybody(&st->self, sig);
	} else if (stop->blind) {
		signal_group(st->program.group, sig);
	} else if (walk_rest(st, opt, &w)) {
		while ((pid = next_of_rest(st, &w)))
			if (!signal_process(pid, sig))
				say("%s to pid %d:", signal_name(sig), (int)pid);
	}
}

/* true if foster has somebody to wait for in this phase */
static bool
is_left(const struct state *st, const struct options *opt)
{
	struct walk w;

	if (st->stop.phase == GROUP)
		return st->stop.blind ? group_exists(st->program.group) : has_child_in(st->program.group);
	if (st->children || !st->self.init || !draining(st, opt) || !walk_rest(st, opt, &w))
		return st->children;
	/* processes that joined, and what they left behind: no SIGCHLD tells of their end */
	if (!next_of_rest(st, &w))
		return false;
	end_walk(&w);
	return true;
}

/* looks who is left, and asks the children that have not been asked */
static void
look(struct state *st, const struct options *opt)
{
	struct stop *stop = &st->stop;
	int64_t begin = now_us(), end;

	stop->look_at = NEVER;
	if (stop->phase == OTHERS && !group_exists(st->program.group))
		stop->group_asked = 0;	/* another group may take its number now */
	if (!is_left(st, opt)) {
		enter(st, opt, stop->phase == GROUP ? OTHERS : DONE);
		return;
	}
	ask_rest(st, opt);
	/* no SIGCHLD tells when one that joined ends, or, without /proc, when the group does */
	if (stop->joined || !st->children || (stop->blind && stop->phase == GROUP))
		stop->look_at = in_ms(LOOK_MS);
	end = now_us();
	stop->not_before = end + REST * (end - begin);
}

/* true if somebody has to be waited for */
static bool
enter_others(struct state *st, const struct options *opt)
{
	struct stop *stop = &st->stop;

	if (!is_left(st, opt))
		return false;
	if (stop->blind && !st->self.init && !stop->killing) {
		say("no %s: processes outside the group are neither asked nor waited for",
			st->self.adopts ? "/proc" : "child subreaper");
		return false;
	}
	if (stop->killing && !opt->drain.steps) {
		if (opt->verbose)
			say_rest(st, opt, "killed");
	} else if (opt->drain.steps) {
		stop->killing = false;
		if (opt->verbose)
			say("drain begins");
		start_schedule(st, opt, &opt->drain);
	} else if (stop->blind) {
		ask_blind(st, asking_signal(st, opt));
	}
	return true;
}

static void
enter(struct state *st, const struct options *opt, enum phase phase)
{
	struct stop *stop = &st->stop;
	struct walk w;
	char rest[REST_SIZE];

	if (stop->phase == RUNNING && phase != DONE) {
		stop->blind = !st->self.adopts || !start_walk(&w, st->self.pid, false);
		if (!stop->blind)
			end_walk(&w);
		stop->tell_at = in_ms(HANG_MS);
	}
	stop->phase = phase;
	switch (phase) {
	case RUNNING:
		break;
	case GROUP:
		if (stop->blind && !stop->group_asked && !stop->killing)
			ask_blind(st, asking_signal(st, opt));
		break;
	case OTHERS:
		if (!enter_others(st, opt))
			enter(st, opt, DONE);
		break;
	case DONE:
		if (opt->verbose && st->children && (st->self.init || !stop->killing))
			say_rest(st, opt, stop->killing ? "killed" : "left behind");
		break;
	}
	if (stop->phase != phase || phase == DONE)
		return;
	look(st, opt);
	if (opt->verbose && stop->phase == phase)
		say("waiting for %s", rest_text(st, opt, rest));
}

/* the signal that ended the program on request; 0: it has ended by itself */
static int
ending_signal(const struct program *program)
{
	int sig = exit_status(program->status) - 128;

	if (sig == SIGTERM || sig == SIGINT || sig == SIGQUIT || sig == SIGHUP)
		return sig;
	return WIFSIGNALED(program->status) && (program->forwarded & BIT(sig)) ? sig : 0;
}

/* whether the signal that ended the program reached its whole group: from foster, if foster sent it
 * a short while ago; otherwise from a terminal's key */
static bool
reached_group(const struct state *st, int sig)
{
	if (st->program.recent & BIT(sig))
		return st->program.recent_to_group & BIT(sig);
	return (sig == SIGINT || sig == SIGQUIT) && in_foreground(&st->terminal, st->program.group);
}

void
after_program(struct state *st, const struct options *opt)
{
	struct stop *stop = &st->stop;
	int sig = ending_signal(&st->program);

	stop->timeout_at = NEVER;
	if (stop->phase != RUNNING)	/* a final KILL came before */
		return;
	stop->ended_by = sig;
	if (!stop->begun && !sig) {
		enter(st, opt, opt->drain.steps ? OTHERS : DONE);
		return;
	}
	if (sig && !stop->group_asked && reached_group(st, sig))
		stop->group_asked = sig;
	/* an end from elsewhere counts as the first step; without a program there is no pause */
	if (!stop->begun && opt->stop.steps && (sig == SIGTERM || sig == SIGINT || sig == SIGQUIT)) {
		stop->schedule = &opt->stop;
		stop->step = -1;
	}
	if (pausing(stop) && take_step(stop) == SIGKILL)
		kill_rest(st, opt);
	if (stop->phase == RUNNING)
		enter(st, opt, GROUP);
}

void
after_child(struct state *st, const struct options *opt)
{
	struct stop *stop = &st->stop;

	if (stop->phase == RUNNING || stop->phase == DONE)
		return;
	if (!st->children || now_us() >= stop->not_before)
		look(st, opt);
	else if (stop->look_at > stop->not_before)
		stop->look_at = stop->not_before;
}

/* somebody has outlived the final KILL by GRACE_MS */
static void
give_up(struct state *st, const struct options *opt)
{
	if (st->stop.phase != OTHERS) {
		enter(st, opt, OTHERS);
		return;
	}
	say_rest(st, opt, "still there after KILL, left behind");
	enter(st, opt, DONE);
}

void
keep_time(struct state *st, const struct options *opt)
{
	struct stop *stop = &st->stop;
	int64_t now = now_us();
	siginfo_t plain = {0};

	if (now >= stop->timeout_at) {
		stop->timed_out = true;
		request_stop(st, opt, 0, opt->stop_signal, &plain);
	} else if (now >= stop->step_at && stop->killing) {
		give_up(st, opt);
	} else if (now >= stop->step_at) {
		next_step(st, opt);
	}
	if (now >= stop->look_at && stop->phase != DONE)
		look(st, opt);
	if (now >= stop->tell_at && stop->phase != DONE)
		tell_rest(st, opt);
}

int64_t
next_due(const struct stop *stop)
{
	int64_t first = stop->timeout_at;

	first = stop->step_at < first ? stop->step_at : first;
	first = stop->look_at < first ? stop->look_at : first;
	return stop->tell_at < first ? stop->tell_at : first;
}
