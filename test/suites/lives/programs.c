/*
 * programs.c: what the processes of a world do, and what happens from outside.
 * SPDX-License-Identifier: MIT
 *
 * A process acts when the explorer lets it: there is no time that it takes, so each order of all
 * acts is a life.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "life.h"

#define REQUESTS (BIT(SIGHUP) | BIT(SIGINT) | BIT(SIGQUIT) | BIT(SIGTERM))
#define KEYS (BIT(SIGINT) | BIT(SIGQUIT))

const char *const habit_names[] = {"dies", "finishes", "cleans", "ignores", "background", "job-finishes", "survives",
	"ends", "ends-as-asked", "shell", "trap", "forwards", "forks", "changes-mind", "suspends", "reads", "leaves"};
const char *const place_names[] = {"member", "job", "session", "daemon"};

const char *
signal_word(int sig)
{
	static char buf[24];

	if (sig < 32)
		return sigabbrev_np(sig);
	snprintf(buf, sizeof buf, "RTMIN+%d", sig - 34);
	return buf;
}

const char *
name_of(const struct process *p)
{
	static const char *const names[] = {"program", "a", "b", "c", "d"};

	if (p == FOSTER)
		return "foster";
	if (p->pid == 1)
		return "shell";
	if (p->stranger)
		return "stranger";
	return p->helper ? "helper" : names[p->node];
}

/* a process's name where it is played: a helper's says whose it is */
static const char *
actor_of(const struct process *p)
{
	static char name[32];

	if (!p->helper)
		return name_of(p);
	snprintf(name, sizeof name, "helper-of-%c", p->node ? 'a' + p->node - 1 : 'p');
	if (!p->node)
		strcpy(name, "helper-of-program");
	return name;
}

/* what is to be seen of all: who lives, in whose group, and whose child it is */
void
script_state(void)
{
	script("state foster %s", FOSTER->state == SUSPENDED ? "suspended" : "running");
	for (const struct process *p = w.p; p < w.p + PROCESSES; p++) {
		const struct process *parent = process(p->parent), *leader = process(p->group);

		if (p->state == FREE || p == FOSTER || (p->unkillable && !p->stranger))
			continue;
		script("state %s %s", actor_of(p), p->state == ZOMBIE ? "zombie" : p->state == SUSPENDED ? "suspended" : "running");
		script("parent %s %d", actor_of(p), parent == FOSTER);
		script("leads %s %d", actor_of(p), leader == p);
	}
	script("settled");
}

static int
habit_of(const struct process *p)
{
	if (p->stranger)
		return FINISHES;
	return p->helper ? ENDS : scene.node[p->node].habit;
}

static void
set_signals(struct process *p)
{
	p->caught = 0;
	switch (habit_of(p)) {
	case FINISHES: case CLEANS: case FORWARDS: case FORKS: case LEAVES: case SURVIVES: case TRAP:
		p->caught = REQUESTS | BIT(SIGUSR1);
		break;
	case IGNORES:
		p->ignored |= REQUESTS;
		break;
	case BACKGROUND:
		p->ignored |= KEYS;
		break;
	case JOB_FINISHES:
		p->ignored |= KEYS;
		p->caught = REQUESTS & ~KEYS;
		break;
	case CHANGES_MIND:
		p->caught = BIT(SIGTERM);
		break;
	}
	p->caught &= ~p->ignored;
}

static bool
waits_for_children(const struct process *p)
{
	int habit = habit_of(p);

	return habit == SHELL || habit == TRAP || habit == FORWARDS || habit == FORKS;
}

static struct process *
start_child(struct process *parent, int n, bool helper)
{
	struct process *p = new_child(parent);

	if (!p)
		return NULL;
	claim_fork(parent, p);
	p->executed = true;
	p->helper = helper;
	if (!helper) {
		p->ignored &= ~(REQUESTS | KEYS);
		switch (scene.node[n].place) {
		case MEMBER:
			break;
		case JOB:
			change_group(p, 0, 0);
			break;
		case DAEMON:
			/* forked twice: its parent has ended */
			adopt(p, FOSTER->subreaper || FOSTER->pid == 1 ? FOSTER->pid : 1);
			new_session(p);
			break;
		case SESSION:
			new_session(p);
			break;
		}
		p->left_group = false;
	}
	become(p, n);
	return p;
}

void
become(struct process *p, int n)
{
	p->node = (uint8_t)n;
	set_signals(p);
	for (int i = n + 1; i < scene.nodes && !p->helper; i++) {
		if (scene.node[i].parent != n)
			continue;
		start_child(p, i, false);
		p->had_children |= scene.node[i].place != DAEMON;
	}
}

static bool
has_children(const struct process *p)
{
	for (const struct process *c = w.p; c < w.p + PROCESSES; c++)
		if (c->state != FREE && c->parent == p->pid)
			return true;
	return false;
}

/* whether it does something of its own next */
static bool
acts(const struct process *p)
{
	if (p->state != RUNNING || p == FOSTER || (p->pid == 1 && !p->node && p->unkillable))
		return false;
	switch (habit_of(p)) {
	case FINISHES: case CLEANS: case JOB_FINISHES:
		return p->asked_by;
	case LEAVES:
		return p->asked_by || !p->done;
	case ENDS: case ENDS_AS_ASKED:
		return true;
	case SHELL: case TRAP:
		return p->had_children && !has_children(p);
	case FORWARDS:
		return (p->asked_by || p->had_children) && !has_children(p);
	case FORKS:
		return p->asked_by && (!p->done || !has_children(p));
	case SUSPENDS:
		return !p->done;
	case READS:
		return !p->done && w.terminal_session && p->terminal && p->group != w.foreground;
	}
	return false;
}

/* exit(3) */
static void
leave(struct process *p, int status)
{
	note("%s has finished, with status %d", name_of(p), status);
	script("do %s exit %d", actor_of(p), status);
	end(p, status << 8);
}

static void
act(struct process *p)
{
	int habit = habit_of(p);

	switch (habit) {
	case LEAVES:
		if (p->asked_by) {
			leave(p, 0);
			return;
		}
		p->done = true;
		note("%s leaves its group", name_of(p));
		/* a group's leader can but join another group */
		script("do %s group %s", actor_of(p), p->group == p->pid ? "foster" : "0");
		change_group(p, 0, p->group == p->pid ? FOSTER->group : 0);
		return;
	case FINISHES: case JOB_FINISHES: leave(p, 0); return;
	case FORWARDS: leave(p, p->asked_by ? 0 : p->last_status); return;
	case CLEANS: leave(p, 128 + p->asked_by); return;
	case ENDS: leave(p, p->helper ? 0 : 3); return;
	case ENDS_AS_ASKED: leave(p, 128 + SIGTERM); return;
	case SHELL: leave(p, p->last_status); return;
	case TRAP: leave(p, p->asked_by ? 128 + p->asked_by : p->last_status); return;
	case FORKS:
		if (p->done) {
			leave(p, 0);
			return;
		}
		p->done = true;
		note("%s starts a helper", name_of(p));
		script("do %s fork helper-of-%s", actor_of(p), name_of(p));
		start_child(p, p->node, true);
		return;
	case SUSPENDS:
		p->done = true;
		note("%s suspends itself", name_of(p));
		script("do %s suspend", actor_of(p));
		send_signal(p, SIGTSTP, SI_USER, p->pid, 0);
		return;
	case READS:
		p->done = true;
		note("%s reads from the terminal in the background", name_of(p));
		for (struct process *o = w.p; o < w.p + PROCESSES; o++)
			if (o->state != FREE && o->group == p->group && !is_orphaned(p->group, 0))
				send_signal(o, SIGTTIN, SI_KERNEL, 0, 0);
		return;
	}
}

static void
handle(struct process *p, int sig)
{
	if (telling && sig != SIGCONT)
		note("%s handles %s", name_of(p), signal_word(sig));
	script("got %s %d", actor_of(p), sig);
	if (habit_of(p) == CHANGES_MIND) {
		script("do %s die %d", actor_of(p), SIGINT);
		send_signal(p, SIGINT, SI_USER, p->pid, 0);
		return;
	}
	if (habit_of(p) == FORWARDS)
		for (struct process *c = w.p; c < w.p + PROCESSES; c++)
			if (c->state != FREE && c->parent == p->pid) {
				script("do %s kill %s %d", actor_of(p), actor_of(c), sig);
				send_signal(c, sig, SI_USER, p->pid, 0);
			}
	if (sig != SIGUSR1 && !p->asked_by)
		p->asked_by = (uint8_t)sig;
}

/* who waits for its children reaps each at once; others leave zombies, which become foster's */
void
child_ended(struct process *parent, struct process *child)
{
	if (parent->unkillable) {
		if (child != FOSTER)
			forget(child);
	} else if (waits_for_children(parent)) {
		parent->last_status = (uint8_t)(WIFSIGNALED(child->status) ? 128 + WTERMSIG(child->status) :
			WEXITSTATUS(child->status));
		forget(child);
	}
}

bool
is_busy(void)
{
	for (int i = 0; i < PROCESSES; i++) {
		const struct process *p = &w.p[i];

		if (!lives(p) || i == w.foster)
			continue;
		if (has_signal(p) || (acts(p) && waits_for_children(p) && (!has_children(p) || !p->done)))
			return true;
	}
	return false;
}

static bool
may_happen(const struct outside *o)
{
	const struct process *program = &w.p[w.program];

	switch (o->kind) {
	case TO_FOSTER: case QUEUED:
		return FOSTER->state == RUNNING;
	case TO_PROGRAM_:
		return !w.m.reaped && lives(program);
	case TO_LAST:
		for (const struct process *p = w.p; p < w.p + PROCESSES; p++)
			if (lives(p) && p->node == scene.nodes - 1 && scene.nodes > 1 && p->parent && !p->unkillable && p != FOSTER)
				return true;
		return false;
	case KEY:
		return w.terminal_session && w.foreground;
	case JOINS:
		return !w.m.reaped;
	case FOREGROUND:
		return false;
	}
	return false;
}

int
enabled(struct event *event, int size)
{
	int n = 0;

	for (int i = 0; i < PROCESSES && n < size; i++) {
		const struct process *p = &w.p[i];

		if (p->state == FREE || p->state == ZOMBIE || i == w.foster)
			continue;
		if (has_signal(p))
			event[n++] = (struct event){TAKES, (uint8_t)i, 0};
		else if (acts(p))
			event[n++] = (struct event){OWN, (uint8_t)i, 0};
	}
	if (FOSTER->state == SUSPENDED && n < size)
		event[n++] = (struct event){FOREGROUND, 0, 0};
	for (int i = 0; i < scene.outside_count && w.events && n < size; i++)
		if (may_happen(&scene.outside[i]))
			event[n++] = (struct event){scene.outside[i].kind, 0, scene.outside[i].sig};
	return n;
}

void
happen(struct event event)
{
	struct process *p = &w.p[event.who];
	int sig;

	w.events -= event.kind < FOREGROUND;
	switch (event.kind) {
	case TAKES:
		sig = take_signal(p);
		if (sig)
			handle(p, sig);
		return;
	case OWN:
		act(p);
		return;
	case TO_FOSTER:
		note("- %s to foster from outside", signal_word(event.sig));
		script("send foster %d", event.sig);
		send_signal(FOSTER, event.sig, SI_USER, 0, 0);
		return;
	case QUEUED:
		note("- %s with a payload to foster from outside", signal_word(event.sig));
		script("queue foster %d", event.sig);
		send_signal(FOSTER, event.sig, SI_QUEUE, 0, 7);
		return;
	case TO_PROGRAM_:
		note("- %s to the program from elsewhere", signal_word(event.sig));
		script("send program %d", event.sig);
		send_signal(&w.p[w.program], event.sig, SI_USER, 0, 0);
		return;
	case TO_LAST:
		for (p = w.p; p < w.p + PROCESSES; p++)
			if (lives(p) && p->node == scene.nodes - 1 && p->parent && !p->unkillable && p != FOSTER) {
				note("- %s to %s from elsewhere", signal_word(event.sig), name_of(p));
				script("send %s %d", actor_of(p), event.sig);
				send_signal(p, event.sig, SI_USER, 0, 0);
				return;
			}
		return;
	case KEY:
		note("- the key for %s", signal_word(event.sig));
		claim_key(event.sig);
		press(event.sig);
		return;
	case JOINS:
		p = new_child(FOSTER);
		if (!p)
			return;
		adopt(p, NOBODY);
		p->stranger = p->executed = true;
		p->ignored = p->blocked = 0;
		p->group = p->session = p->pid;
		p->terminal = false;
		set_signals(p);
		note("- pid %d joins from outside", p->pid);
		return;
	case FOREGROUND:
		note("- the shell continues foster in the foreground");
		w.foreground = FOSTER->group;
		for (p = w.p; p < w.p + PROCESSES; p++)
			if (p->state != FREE && p->group == FOSTER->group)
				send_signal(p, SIGCONT, SI_USER, 1, 0);
		return;
	}
}
