/*
 * kernel.c: the model's rules.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "kernel.h"

#define SUSPENDING (BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))
#define BY_DEFAULT_IGNORED (BIT(SIGCONT) | BIT(SIGCHLD) | BIT(SIGWINCH) | BIT(SIGURG))
#define UNSTOPPABLE (BIT(SIGKILL) | BIT(SIGSTOP))
/* synchronous ones are taken first, kernel/signal.c: SYNCHRONOUS_MASK */
#define FAULTS (BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGFPE) | BIT(SIGSYS))
#define FIRST_QUEUED 32

struct world w;

struct process *
process(int pid)
{
	for (struct process *p = w.p; p < w.p + PROCESSES; p++)
		if (p->state != FREE && p->pid == pid && pid)
			return p;
	return NULL;
}

/* A number is free when it is nobody's PID, group or session, kernel/pid.c. The lowest free one is
 * taken: the kernel does so once its counter has wrapped around, and nothing is harder. */
static int
free_pid(void)
{
	for (int pid = 2; ; pid++) {
		bool used = false;

		for (const struct process *p = w.p; p < w.p + PROCESSES; p++)
			used = used || (p->state != FREE && (p->pid == pid || p->group == pid || p->session == pid));
		if (!used)
			return pid;
	}
}

/* kernel/exit.c: the children that a process adopts are behind those that it has */
void
adopt(struct process *p, int parent)
{
	int last = 0;

	p->parent = (uint8_t)parent;
	for (const struct process *o = w.p; parent && o < w.p + PROCESSES; o++)
		if (o != p && o->state != FREE && o->parent == parent && o->order > last)
			last = o->order;
	p->order = (uint8_t)(last + 1);
}

struct process *
next_child_of(const struct process *p, int *order)
{
	struct process *next = NULL;

	for (struct process *o = w.p; o < w.p + PROCESSES; o++)
		if (o->state != FREE && o->parent == p->pid && o->order > *order && (!next || o->order < next->order))
			next = o;
	*order = next ? next->order : 0;
	return next;
}

static struct process *
free_slot(void)
{
	for (struct process *p = w.p; p < w.p + PROCESSES; p++)
		if (p->state == FREE)
			return p;
	return NULL;
}

/* fork(2): the child has its parent's group, session, dispositions and mask, no pending signal,
 * and isn't a subreaper (PR_SET_CHILD_SUBREAPER(2const)) */
struct process *
new_child(struct process *parent)
{
	struct process *p = free_slot();
	int pid = free_pid();

	if (!p)
		return NULL;
	memset(p, 0, sizeof *p);
	p->state = RUNNING;
	p->pid = (uint8_t)pid;
	adopt(p, parent->pid);
	p->group = parent->group;
	p->session = parent->session;
	p->terminal = parent->terminal;
	p->blocked = parent->blocked;
	p->ignored = parent->ignored;
	p->caught = parent->caught;
	return p;
}

void
new_world(bool init, bool terminal, bool proc)
{
	struct process *first = w.p, *foster = w.p;

	memset(&w, 0, sizeof w);
	w.now = (int64_t)1 << 50;	/* a number that nothing else in foster's memory looks like */
	w.has_proc = w.has_children = proc;
	w.room = 100;
	first->state = RUNNING;
	first->pid = first->group = first->session = 1;
	first->unkillable = true;
	first->terminal = terminal;
	if (!init) {
		/* a shell with job control, and the foreground job that foster is */
		first->blocked = EVERY_SIGNAL;
		foster = new_child(first);
		foster->group = foster->pid;
		foster->blocked = 0;
	}
	w.current = w.foster = (uint8_t)(foster - w.p);
	w.terminal_session = terminal ? 1 : 0;
	w.foreground = terminal ? foster->group : 0;
}

uint64_t
pending(const struct process *p)
{
	uint64_t set = p->lost;

	for (int i = 0; i < p->queued; i++)
		set |= BIT(p->queue[i].sig);
	return set;
}

static void
drop_pending(struct process *p, uint64_t set)
{
	int kept = 0;

	for (int i = 0; i < p->queued; i++)
		if (!(set & BIT(p->queue[i].sig)))
			p->queue[kept++] = p->queue[i];
	for (int i = kept; i < p->queued; i++)
		memset(&p->queue[i], 0, sizeof p->queue[i]);
	p->queued = (uint8_t)kept;
	p->lost &= ~set;
}

/* signal(7): "the default action"; kernel/signal.c: sig_ignored(). One that is blocked is kept
 * even if it is ignored; a namespace's init ignores what it has no handler for. */
static bool
is_ignored_by(const struct process *p, int sig)
{
	if (p->unkillable && !(p->caught & BIT(sig)) && !(p->blocked & BIT(sig) & ~UNSTOPPABLE))
		return true;
	if (p->blocked & BIT(sig) & ~UNSTOPPABLE)
		return false;
	if (p->ignored & BIT(sig))
		return true;
	return (BY_DEFAULT_IGNORED & BIT(sig)) && !(p->caught & BIT(sig));
}

static int
in_queues(void)
{
	int n = 0;

	for (const struct process *p = w.p; p < w.p + PROCESSES; p++)
		n += p->state != FREE ? p->queued : 0;
	return n;
}

/* SIGCHLD for a change of state, kernel/signal.c: do_notify_parent_cldstop() */
static void
tell_parent(const struct process *p, int code)
{
	struct process *parent = process(p->parent);

	if (parent && lives(parent))
		send_signal(parent, SIGCHLD, code, p->pid, 0);
}

/* signal(7), kernel/signal.c: prepare_signal(), __send_signal_locked() */
int
send_signal(struct process *p, int sig, int code, int from, int value)
{
	bool full;

	if (!lives(p))
		return 0;	/* a zombie takes it, and nothing happens: kill(2) */
	if (SUSPENDING & BIT(sig))
		drop_pending(p, BIT(SIGCONT));
	if (sig == SIGCONT) {
		/* continues also where it is blocked or ignored */
		drop_pending(p, SUSPENDING);
		if (p->state == SUSPENDED) {
			p->state = RUNNING;
			p->suspended_by = 0;
			p->tell_stop = false;
			p->tell_continue = true;
			tell_parent(p, CLD_CONTINUED);
		}
	}
	if (is_ignored_by(p, sig))
		return 0;
	/* standard signals are merged */
	if (sig < FIRST_QUEUED && (pending(p) & BIT(sig)))
		return 0;
	/* setrlimit(2), RLIMIT_SIGPENDING: it counts for real-time signals, and for standard ones
	 * with a payload only so far that this is lost */
	full = p->queued == QUEUE || (in_queues() >= w.room && (sig >= FIRST_QUEUED || code < 0));
	if (full) {
		if (sig >= FIRST_QUEUED && code != SI_USER)
			return -EAGAIN;
		p->lost |= BIT(sig);
		return 0;
	}
	p->queue[p->queued++] = (struct sent){(uint8_t)sig, (uint8_t)from, (uint8_t)value, 0, (int16_t)code};
	return 0;
}

/* kernel/signal.c: next_signal(): faults first, then the lowest number; each number's in order */
int
dequeue(struct process *p, uint64_t set, struct sent *sent)
{
	uint64_t ready = pending(p) & set;
	int sig;

	if (!ready)
		return 0;
	sig = __builtin_ctzll((ready & FAULTS) ? ready & FAULTS : ready) + 1;
	*sent = (struct sent){(uint8_t)sig, 0, 0, 0, SI_USER};
	if (p->lost & BIT(sig) && sig < FIRST_QUEUED) {
		p->lost &= ~BIT(sig);
		return sig;
	}
	for (int i = 0; i < p->queued; i++) {
		if (p->queue[i].sig != sig)
			continue;
		*sent = p->queue[i];
		p->queued--;
		memmove(&p->queue[i], &p->queue[i + 1], (size_t)(p->queued - i) * sizeof p->queue[i]);
		memset(&p->queue[p->queued], 0, sizeof p->queue[0]);
		return sig;
	}
	p->lost &= ~BIT(sig);
	return sig;
}

static uint64_t
open_signals(const struct process *p)
{
	return pending(p) & (~p->blocked | UNSTOPPABLE);
}

/* one that is suspended takes nothing but a SIGKILL, signal(7) */
bool
has_signal(const struct process *p)
{
	if (p->state == SUSPENDED)
		return pending(p) & BIT(SIGKILL);
	return p->state == RUNNING && open_signals(p);
}

static void
suspend(struct process *p, int sig)
{
	p->state = SUSPENDED;
	p->suspended_by = (uint8_t)sig;
	p->tell_stop = true;
	p->tell_continue = false;
	tell_parent(p, CLD_STOPPED);
}

/* kernel/signal.c: get_signal() */
int
take_signal(struct process *p)
{
	uint64_t set = p->state == SUSPENDED ? BIT(SIGKILL) : open_signals(p);
	struct sent sent;
	int sig;

	/* a deadly one has made the kernel queue a SIGKILL, complete_signal() */
	sig = dequeue(p, (set & BIT(SIGKILL)) ? BIT(SIGKILL) : set, &sent);
	if (!sig || (p->ignored & BIT(sig) & ~UNSTOPPABLE))
		return 0;
	if (p->caught & BIT(sig) & ~UNSTOPPABLE)
		return sig;
	if (BY_DEFAULT_IGNORED & BIT(sig) || (p->unkillable && sig != SIGKILL))
		return 0;
	if (SUSPENDING & BIT(sig)) {
		/* a key doesn't suspend who could not be continued, setpgid(2) */
		if (sig == SIGSTOP || !is_orphaned(p->group, 0))
			suspend(p, sig);
		return 0;
	}
	end(p, sig);
	return 0;
}

/* kernel/exit.c: will_become_orphaned_pgrp(): no member has a parent in another group of the
 * same session */
bool
is_orphaned(int group, int without)
{
	for (const struct process *p = w.p; p < w.p + PROCESSES; p++) {
		const struct process *parent;

		if (!lives(p) || p->pid == without || p->group != group)
			continue;
		parent = process(p->parent);
		if (parent && parent->group != group && parent->session == p->session)
			return false;
	}
	return true;
}

static bool
has_suspended(int group)
{
	for (const struct process *p = w.p; p < w.p + PROCESSES; p++)
		if (p->state == SUSPENDED && p->group == group)
			return true;
	return false;
}

static void
send_to_group(int group, int sig)
{
	for (struct process *p = w.p; p < w.p + PROCESSES; p++)
		if (p->state != FREE && p->group == group)
			send_signal(p, sig, SI_KERNEL, 0, 0);
}

/* kernel/exit.c: kill_orphaned_pgrp() */
static void
orphan_group(const struct process *p, const struct process *parent, int without)
{
	if (parent && parent->group != p->group && parent->session == p->session &&
	    is_orphaned(p->group, without) && has_suspended(p->group)) {
		send_to_group(p->group, SIGHUP);
		send_to_group(p->group, SIGCONT);
	}
}

/* prctl(2), PR_SET_CHILD_SUBREAPER; pid_namespaces(7): the nearest living ancestor that is a
 * subreaper, else the namespace's init; kernel/exit.c: find_new_reaper() */
static struct process *
reaper_of(const struct process *p)
{
	struct process *ancestor = process(p->parent);

	for (; ancestor && ancestor->pid != 1; ancestor = process(ancestor->parent))
		if (ancestor->subreaper && lives(ancestor))
			return ancestor;
	return process(1);
}

static bool
is_foster(const struct process *p)
{
	return p == FOSTER;
}

/* p is a zombie, and its parent learns of it: do_notify_parent() */
static void
tell_end(struct process *p)
{
	struct process *parent = process(p->parent);
	int code = WIFSIGNALED(p->status) ? CLD_KILLED : CLD_EXITED;

	if (!parent || !lives(parent)) {
		forget(p);	/* from outside of the namespace: somebody waits there */
		return;
	}
	/* wait(2): with SIGCHLD ignored there are no zombies */
	if (parent->ignored & BIT(SIGCHLD)) {
		forget(p);
		return;
	}
	send_signal(parent, SIGCHLD, code, p->pid, 0);
	if (!is_foster(parent))
		child_ended(parent, p);
}

/* kernel/exit.c: do_exit(), exit_notify() */
void
end(struct process *p, int status)
{
	struct process *heir = reaper_of(p);

	note("%d ends (status %d)", p->pid, status);
	p->state = ZOMBIE;
	p->status = status;
	p->queued = 0;
	p->lost = 0;
	p->tell_stop = p->tell_continue = false;
	memset(p->queue, 0, sizeof p->queue);
	/* a session's leader takes the terminal with it, credentials(7); drivers/tty: disassociate_ctty() */
	if (p->session == p->pid && w.terminal_session == p->pid) {
		send_to_group(w.foreground, SIGHUP);
		send_to_group(w.foreground, SIGCONT);
		w.terminal_session = w.foreground = 0;
	}
	for (struct process *c = w.p; c < w.p + PROCESSES; c++) {
		if (c->state == FREE || c->parent != p->pid)
			continue;
		adopt(c, heir && heir != p ? heir->pid : NOBODY);
		if (c->death_signal)
			send_signal(c, c->death_signal, SI_USER, 0, 0);
		if (c->state == ZOMBIE)
			tell_end(c);
		else
			orphan_group(c, p, 0);
	}
	orphan_group(p, process(p->parent), p->pid);
	tell_end(p);
}

void
forget(struct process *p)
{
	memset(p, 0, sizeof *p);
}

/* setpgid(2) */
int
change_group(struct process *self, int pid, int group)
{
	struct process *p = pid ? process(pid) : self;
	bool there = false;

	if (!p || (p != self && p->parent != self->pid))
		return -ESRCH;
	if (p->parent == self->pid && p != self && p->executed)
		return -EACCES;
	if (p->session == p->pid || p->session != self->session)
		return -EPERM;
	group = group ? group : p->pid;
	for (const struct process *o = w.p; o < w.p + PROCESSES; o++)
		there = there || (o->state != FREE && o->group == group && o->session == p->session);
	if (group != p->pid && !there)
		return -EPERM;
	p->left_group |= p->group != group;
	p->group = (uint8_t)group;
	return 0;
}

/* setsid(2) */
int
new_session(struct process *p)
{
	for (const struct process *o = w.p; o < w.p + PROCESSES; o++)
		if (o->state != FREE && o->group == p->pid)
			return -EPERM;
	p->left_group |= true;
	p->group = p->session = p->pid;
	p->terminal = false;
	return 0;
}

/* kill(2). -1 is everybody but the init and the caller; a zombie counts. */
int
kill_as(struct process *from, int pid, int sig)
{
	int group = pid == 0 ? from->group : pid < -1 ? -pid : 0, found = 0;

	for (struct process *p = w.p; p < w.p + PROCESSES; p++) {
		if (p->state == FREE)
			continue;
		if (pid > 0 ? p->pid != pid : pid == -1 ? p->pid == 1 || p == from : p->group != group)
			continue;
		found++;
		if (sig)
			send_signal(p, sig, SI_USER, from->pid, 0);
	}
	return found ? 0 : -ESRCH;
}

/* tcsetpgrp(3), drivers/tty/tty_jobctrl.c: tiocspgrp(), __tty_check_change() */
int
set_foreground(struct process *p, int group)
{
	bool there = false;

	if (!p->terminal || w.terminal_session != p->session)
		return -ENOTTY;
	if (p->group != w.foreground && !((p->blocked | p->ignored) & BIT(SIGTTOU))) {
		if (is_orphaned(p->group, 0))
			return -EIO;
		send_to_group(p->group, SIGTTOU);
		return -EINTR;
	}
	for (const struct process *o = w.p; o < w.p + PROCESSES; o++)
		there = there || (o->state != FREE && o->group == group && o->session == p->session);
	if (!there)
		return -EPERM;
	w.foreground = (uint8_t)group;
	return 0;
}

/* termios(3), ISIG */
void
press(int sig)
{
	if (w.terminal_session)
		send_to_group(w.foreground, sig);
}

/* wait(2), kernel/exit.c: wait_consider_task() */
int
wait_as(struct process *self, int which, int id, int options, int *code, int *status)
{
	int result = -ECHILD, order = 0;

	for (struct process *p; (p = next_child_of(self, &order)); ) {
		if ((which == P_PID && p->pid != id) || (which == P_PGID && p->group != (id ? id : self->group)))
			continue;
		result = 0;
		*status = 0;
		*code = 0;
		if (p->state == ZOMBIE && (options & WEXITED)) {
			*code = WIFSIGNALED(p->status) ? CLD_KILLED : CLD_EXITED;
			*status = p->status;
			id = p->pid;
			if (!(options & WNOWAIT))
				forget(p);
			return id;
		}
		if (p->tell_stop && (options & WSTOPPED)) {
			*code = CLD_STOPPED;
			*status = p->suspended_by << 8 | 0x7f;
			p->tell_stop = (options & WNOWAIT) ? p->tell_stop : 0;
			return p->pid;
		}
		if (p->tell_continue && (options & WCONTINUED)) {
			*code = CLD_CONTINUED;
			*status = 0xffff;
			p->tell_continue = (options & WNOWAIT) ? p->tell_continue : 0;
			return p->pid;
		}
	}
	return result;
}
