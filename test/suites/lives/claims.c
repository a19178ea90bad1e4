/*
 * claims.c: what must hold in each life, each with the sentence of the design that it is from.
 * SPDX-License-Identifier: MIT
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "life.h"

/* these ask nobody to end */
#define HARMLESS (BIT(SIGCONT) | BIT(SIGWINCH) | BIT(SIGCHLD) | BIT(SIGURG) | BIT(SIGSTOP) | BIT(SIGTSTP) | \
	BIT(SIGTTIN) | BIT(SIGTTOU) | BIT(SIGKILL))
#define KEYS (BIT(SIGINT) | BIT(SIGQUIT))
#define END_SIGNALS (BIT(SIGHUP) | BIT(SIGINT) | BIT(SIGQUIT) | BIT(SIGTERM))
#define CALLS 1500	/* between two waits; a life's usual are 5 to 60 */
#define POLLS 8		/* in a row; a life's usual are 0 to 2 */
#define LOOK 100	/* ms between two looks at processes that joined */
#define LOOKS 2		/* in a row, once none is left */
#define GRACE 1000	/* "elsewhere it kills until no child is left, for 1 s at most" */

#define m (w.m)

#define TWICE "Nobody is told twice."
#define FORGOTTEN "Nobody is forgotten."
#define FIRST "Parents first: whoever started a process decides when it ends, as long as it lives."
#define STAYS "When foster has no child any more, it leaves with the program's exit status, however long it stayed."
#define LAST "Nothing after the start makes foster leave before the program."
#define OWN_END "The program ended by itself, and no --drain: foster leaves at once and sends nothing."
#define FORCE "A stop ends work by force only after a time limit that the user, or the container runtime, set."
#define DRAIN "With --drain the stop's KILL is for the program and its group."
#define LIMIT "A final KILL ends all."
#define OWNED "foster signals only the program, its group and its own children."
#define ZOMBIES "No zombie stays, whatever the rate, and none is left behind when foster leaves."
#define STATUS "The program's own; 128+n where signal n ended it; 124 where --timeout ran out; then -e is applied."
#define IDLE "It doesn't wake up while nothing happens."
#define PASSED "Once the program has ended, every other signal, and every request to stop, " \
	"goes to the children that foster waits for."
#define SIGNAL "They are sent the stop's signal if a stop has begun; otherwise SIGQUIT if SIGQUIT ended the program, " \
	"and SIGTERM in every other case."
#define PAUSE "--stop 5/TERM/20/KILL: first nothing for 5 s."
#define SPIN "foster never spins."
#define DEAD_KEY "No key leaves a terminal dead."
#define CONTINUED "The stop's signal, to the target, followed by SIGCONT, so that a suspended process sees it too."
#define ALL "SIGTERM and SIGINT mean everybody and go to the whole group at once, and so does the signal that --stop " \
	"names first."
#define TARGET "Every other signal is a message to the program and goes to it alone."

const char *const claims[] = {TWICE, FORGOTTEN, FIRST, STAYS, LAST, OWN_END, FORCE, DRAIN, LIMIT, OWNED, ZOMBIES, STATUS,
	IDLE, SPIN, DEAD_KEY, CONTINUED, ALL, TARGET, PASSED, SIGNAL, PAUSE, NULL};

/* counts_as_asked: with the whole group, or alone */
enum { AS_MEMBER = 1, ALONE };

static bool
is_asking(int sig)
{
	return sig && !(HARMLESS & BIT(sig));
}

static bool
is_child(const struct process *p)
{
	return p->state != FREE && p->parent == FOSTER->pid && p != FOSTER;
}

static bool
is_member(const struct process *p)
{
	return p->state != FREE && p->group == m.group && p->session != p->pid;
}

static int
children(int state, bool members)
{
	int n = 0;

	for (const struct process *p = w.p; p < w.p + PROCESSES; p++)
		n += is_child(p) && (state == ZOMBIE ? p->state == ZOMBIE : lives(p)) && (!members || is_member(p));
	return n;
}

static int
strangers(void)
{
	int n = 0;

	for (const struct process *p = w.p; p < w.p + PROCESSES; p++)
		n += lives(p) && p->stranger;
	return n;
}

static int64_t
waits(const struct steps *s, int count)
{
	int64_t sum = 0;

	for (int i = 0; i < count; i++)
		sum += s->step[i].wait;
	return sum;
}

static bool
ends_in_kill(const struct steps *s)
{
	return s->count && s->step[s->count - 1].sig == SIGKILL;
}

/* what sig is sent as; 0: dropped */
static int
rewritten(int sig)
{
	int to = scene.set->rewrite[sig];

	return to == 0 ? sig : to == 255 ? 0 : to;
}

static int
stop_signal(void)
{
	return scene.set->stop.count ? scene.set->stop.step[0].sig : rewritten(SIGTERM) ? rewritten(SIGTERM) : SIGTERM;
}

static bool
begins_stop(int sig)
{
	const struct steps *s = &scene.set->stop;
	int to = rewritten(sig);

	return to && (sig == SIGTERM || to == SIGTERM || (s->count && (sig == s->step[0].sig || to == s->step[0].sig)));
}

/* "Ended by itself: not on request" */
static bool
on_request(void)
{
	if (!m.reaped)
		return false;
	if (m.stopping)
		return true;
	if (WIFSIGNALED(m.status))
		return (BIT(WTERMSIG(m.status)) & (END_SIGNALS | m.forwarded)) != 0;
	return m.ended_by != 0;
}

static bool
adopts(void)
{
	return FOSTER->pid == 1 || FOSTER->subreaper;
}

/* the first step is done, or counts as done */
static void
first_step(void)
{
	const struct steps *s = &scene.set->stop;

	m.first_at = w.now;
	if (!ends_in_kill(s))
		return;
	if (!m.kill_from)
		m.kill_from = w.now + waits(s, s->count - 1);
	m.kill_until = w.now + waits(s, s->count - 1);
}

static void
begin_stop(void)
{
	const struct steps *s = &scene.set->stop;

	m.stopping = true;
	m.stop_at = w.now;
	if (m.first_at)
		return;		/* it has run since the program was ended from elsewhere */
	if (s->pause) {
		if (ends_in_kill(s)) {
			m.kill_from = m.reaped ? w.now + waits(s, s->count - 1) : 0;
			m.kill_until = w.now + s->pause + waits(s, s->count - 1);
		}
		m.stops_now = m.reaped;
	} else {
		first_step();
	}
}

static void
keep_time(void)
{
	const struct setting *set = scene.set;

	if (set->timeout && !m.stopping && !m.reaped && w.now >= m.start_at + set->timeout) {
		m.timed_out = true;
		begin_stop();
		m.stops_now = true;
	}
	if (m.stopping && !m.first_at && w.now >= m.stop_at + set->stop.pause) {
		first_step();
		m.stops_now = true;
	}
	if (m.reaped && set->drain.count && !m.drain_at && (!children(RUNNING, true) || !on_request()))
		m.drain_at = w.now;
	if (m.drain_at && !m.drain_first_at && w.now >= m.drain_at + set->drain.pause)
		m.drain_first_at = w.now;
	/* times that nothing depends on any more would tell moments apart that are the same */
	if (!set->timeout || m.stopping || m.reaped)
		m.start_at = 0;
	if (!set->stop.count) {
		m.first_at = m.first_at ? 1 : 0;
		m.stop_at = m.stop_at ? 1 : 0;
	} else if (m.first_at) {
		m.stop_at = 1;
	}
	if (m.drain_first_at)
		m.drain_at = 1;
}

void
claim_start(const struct process *program)
{
	m.program = m.group = program->pid;
	m.start_at = w.now;
}

void
claim_fork(const struct process *parent, struct process *child)
{
	/* "its members count as asked, and whoever is born into it later too" */
	child->counts_as_asked = parent->counts_as_asked == AS_MEMBER ? AS_MEMBER : 0;
	child->got_as_member = parent->got_as_member;
	child->got_by_key = parent->got_by_key;
}

void
claim_call(void)
{
	if (++m.calls > CALLS)
		broken(SPIN, "foster makes call after call without waiting");
}

/* a wait without a signal, that took so many ms */
void
claim_poll(int64_t waited)
{
	bool looks = waited && waited <= LOOK && m.reaped && w.has_proc && !m.failed && !strangers();

	m.polls = waited ? 0 : m.polls + 1;
	m.looks = looks ? m.looks + 1 : 0;
	if (m.polls > POLLS)
		broken(SPIN, "foster polls, and nothing happens");
	if (m.looks > LOOKS)
		broken(IDLE, "foster looks again and again, and SIGCHLD would tell it");
}

void
claim_key(int sig)
{
	for (struct process *p = w.p; p < w.p + PROCESSES; p++)
		if (lives(p) && p->group == w.foreground)
			p->got_by_key |= BIT(sig);
}

void
claim_took(int sig, int code)
{
	m.turn = (uint8_t)sig;
	m.turn_code = (uint8_t)code;
	if (sig)
		m.polls = m.looks = 0;
	m.passed_on = sig && m.reaped && w.has_proc && !begins_stop(sig) && is_asking(rewritten(sig)) ? (uint8_t)rewritten(sig) : 0;
	m.stops_now = false;
	for (struct process *p = w.p; p < w.p + PROCESSES; p++)
		p->got_this_turn = 0;
	if (sig && begins_stop(sig)) {
		m.stops_now = true;
		if (!m.stopping)
			begin_stop();
		else if (!m.first_at)
			first_step();	/* "a second request to stop ends the pause" */
	}
	keep_time();
}

/* whether some step of the schedule is due now */
static bool
is_step(const struct steps *s, int64_t first_at, int sig)
{
	for (int k = 0; first_at && k < s->count; k++) {
		int64_t at = first_at + waits(s, k);

		if (s->step[k].sig == sig && w.now >= at && w.now <= at + 100)
			return true;
	}
	return false;
}

/* "A process that ignores both SIGINT and SIGQUIT isn't asked by either" */
static bool
is_deaf(const struct process *p, int sig)
{
	return (p->ignored & KEYS) == KEYS && (BIT(sig) & KEYS);
}

/* what somebody who was not asked before is asked by, once the program has ended */
static int
asking_signal(const struct process *p)
{
	const struct steps *drain = &scene.set->drain;
	bool of_group = is_member(p) && on_request();

	if (drain->count && !of_group)
		return drain->step[0].sig;
	if (m.stopping)
		return stop_signal();
	return of_group || m.ended_by == SIGQUIT ? m.ended_by : SIGTERM;
}

/* one of those that a signal of foster's goes to */
static void
claim_asks(struct process *p, int sig, bool as_member)
{
	/* a step may be due in the moment in which somebody is asked late */
	bool step = is_step(&scene.set->stop, m.first_at, sig) && w.now > m.first_at;
	bool requested = (m.turn && rewritten(m.turn) == sig) ||
		(m.stops_now && (sig == stop_signal() || (sig == SIGTERM && is_deaf(p, stop_signal())))) ||
		step || is_step(&scene.set->drain, m.drain_first_at, sig);
	bool message = m.turn && rewritten(m.turn) == sig && !begins_stop(m.turn);
	char why[128];

	if (m.stopping && !m.first_at && !message && sig == stop_signal() && !m.failed) {
		/* "If the program ends meanwhile, what is left gets the first step at once" */
		if (!m.reaped)
			broken(PAUSE, "somebody is asked before the pause is over");
		first_step();
	}
	if (p->got_this_turn && !m.failed && 
	    !(step && (is_deaf(p, stop_signal()) || !(p->got_this_turn & BIT(sig))))) {
		snprintf(why, sizeof why, "%s is sent %s, for the second time at once", name_of(p), signal_word(sig));
		broken(TWICE, why);
	}
	if (!requested && p->counts_as_asked && !p->left_group && !m.failed) {
		snprintf(why, sizeof why, "%s is sent %s, and was asked before", name_of(p), signal_word(sig));
		broken(TWICE, why);
	}
	if (!requested && m.reaped && w.has_proc && !m.failed && sig != asking_signal(p) &&
	    !(sig == SIGTERM && is_deaf(p, asking_signal(p)))) {
		snprintf(why, sizeof why, "%s is sent %s", name_of(p), signal_word(sig));
		broken(SIGNAL, why);
	}
	if (!is_deaf(p, sig))
		p->got_this_turn |= BIT(sig);
	if (as_member)
		p->got_as_member |= BIT(sig);
	if (p->pid == m.program && !m.reaped) {
		m.forwarded |= BIT(sig);
		m.last_forwarded = (uint8_t)sig;
	}
	if (((m.stopping && (sig == stop_signal() || !m.turn)) || m.reaped) && !message && !is_deaf(p, sig) &&
	    p->counts_as_asked != AS_MEMBER)
		p->counts_as_asked = as_member ? AS_MEMBER : ALONE;
}

static void
claim_force(int pid)
{
	const struct setting *set = scene.set;
	bool stop = ends_in_kill(&set->stop) && m.kill_from && w.now >= m.kill_from;
	bool drain = ends_in_kill(&set->drain) && m.drain_first_at &&
		w.now >= m.drain_first_at + waits(&set->drain, set->drain.count - 1);

	if (!stop && !drain)
		broken(FORCE, "foster sends KILL before its time");
	if (!drain && set->drain.count && pid > 0 && process(pid) && !is_member(process(pid)) && pid != m.program)
		broken(DRAIN, "foster kills one of the others");
	m.stop_kill |= stop;
	m.drain_kill |= drain;
	if (!m.killed_at)
		m.killed_at = w.now;
}

/* "SIGTERM and SIGINT mean everybody and go to the whole group at once, and so does the signal that
 * --stop names first"; a schedule's later steps too */
static bool
is_for_group(int sig)
{
	const struct steps *s = &scene.set->stop;
	bool is = sig == SIGTERM || sig == SIGINT;

	for (int k = 0; k < s->count; k++)
		is = is || s->step[k].sig == sig;
	return scene.set->target == 'g' || (is && scene.set->target != 'c');
}

void
claim_kill(int pid, int sig)
{
	struct process *to = pid > 0 ? process(pid) : NULL;
	const struct setting *set = scene.set;
	bool program_gets = false;
	char why[128];

	if (sig == 0)
		return;
	if (pid > 0) {
		if (!to || (to != FOSTER && !is_child(to) && !(to->stranger && FOSTER->pid == 1 && set->drain.count))) {
			snprintf(why, sizeof why, "it sends %s to pid %d (%s)", signal_word(sig), pid, to ? name_of(to) : "nobody");
			broken(to && is_asking(sig) && to->parent ? FIRST : OWNED, why);
		}
	} else if (pid == 0) {
		if (FOSTER->pid == 1 || is_asking(sig))
			broken(OWNED, "it signals its own group");
	} else if (pid == -1) {
		if (FOSTER->pid != 1 || (w.has_proc && !set->drain.count && !m.failed))
			broken(OWNED, "it signals everybody");
	} else if (-pid != m.group) {
		bool child = false;

		for (const struct process *p = w.p; p < w.p + PROCESSES; p++)
			child = child || (is_child(p) && p->group == -pid);
		if (sig != SIGCONT || !child) {
			snprintf(why, sizeof why, "it sends %s to group %d", signal_word(sig), -pid);
			broken(OWNED, why);
		}
	} else if (is_asking(sig)) {
		/* "Once the program has ended, SIGINT ... go to what is left of the group" */
		if (m.reaped && sig == SIGINT && rewritten(m.turn) == SIGINT)
			goto counted;
		if (set->target == 'c' && w.has_proc && !m.failed)
			broken(FIRST, "-c, and the whole group is asked at once");
		if (!is_for_group(sig) && w.has_proc && !m.failed)
			broken(TARGET, "the whole group is sent it");
	}
counted:
	if (sig == SIGKILL)
		claim_force(pid);
	if (!is_asking(sig))
		return;
	if (pid == m.program && lives(to) && to->group == m.group && is_for_group(sig) && (int8_t)m.turn_code >= 0 &&
	    !m.failed)
		broken(ALL, "the program alone is sent it");
	m.timeout_used |= m.timed_out;
	if (pid == m.program && !m.reaped)	/* a zombie, perhaps */
		m.last_forwarded = (uint8_t)sig;
	for (struct process *p = w.p; p < w.p + PROCESSES; p++) {
		if (!lives(p) || p == FOSTER || p->unkillable)
			continue;
		if (pid > 0 ? p != to : pid == -1 ? false : p->group != (pid ? -pid : FOSTER->group))
			continue;
		program_gets = program_gets || p->pid == m.program;
		claim_asks(p, sig, pid < 0);
	}
	if (m.reaped && !on_request() && !scene.set->drain.count && !m.stopping)
		broken(OWN_END, "it sends a signal");
}

/* the program has ended, and foster knows */
static void
program_reaped(void)
{
	int code = WIFEXITED(m.status) ? WEXITSTATUS(m.status) - 128 : 0;

	if (WIFSIGNALED(m.status))
		m.ended_by = (uint8_t)WTERMSIG(m.status);
	else if (code == SIGHUP || code == SIGINT || code == SIGQUIT || code == SIGTERM)
		m.ended_by = (uint8_t)code;
	for (struct process *p = w.p; p < w.p + PROCESSES && m.ended_by; p++) {
		/* "Where SIGINT or SIGQUIT ended the program and its group is the terminal's foreground,
		 * foster takes it for the key's, unless that signal was the last that it forwarded" */
		bool by_key = w.foreground == m.group && m.last_forwarded != m.ended_by;
		uint64_t got = p->got_as_member | (by_key ? p->got_by_key : 0);

		if (lives(p) && (got & BIT(m.ended_by)) && !is_deaf(p, m.ended_by))
			p->counts_as_asked = AS_MEMBER;
	}
	if (m.stopping && !m.first_at && m.stop_at <= w.now) {
		/* "If the program ends meanwhile, what is left gets the first step at once" */
		first_step();
		m.stops_now = true;
	} else if (!m.stopping && scene.set->stop.count && m.ended_by &&
	    (BIT(m.ended_by) & (BIT(SIGTERM) | BIT(SIGINT) | BIT(SIGQUIT)))) {
		first_step();
	}
}

void
claim_reaped(const struct process *p)
{
	if (p->pid == m.program && !m.reaped) {
		m.reaped = true;
		m.status = p->status;
		if (m.timed_out && !m.timeout_used) {
			/* it ended by itself, in the moment in which the time ran out */
			m.timed_out = m.stopping = false;
			m.maybe_timed_out = true;
		}
		program_reaped();
	}
	keep_time();
}

/* when the first step comes that is still to come */
static int64_t
next_step(const struct steps *s, int64_t first_at)
{
	for (int k = 0; k < s->count; k++)
		if (first_at + waits(s, k) > w.now)
			return first_at + waits(s, k);
	return INT64_MAX;
}

/* when foster has to do something, whatever else happens */
static int64_t
next_due(void)
{
	const struct setting *set = scene.set;

	if (m.drain_first_at)
		return next_step(&set->drain, m.drain_first_at);
	if (m.drain_at)
		return m.drain_at + set->drain.pause;
	if (m.first_at)
		return next_step(&set->stop, m.first_at);
	if (m.stopping)
		return m.stop_at + set->stop.pause;
	return set->timeout && !m.reaped ? m.start_at + set->timeout : INT64_MAX;
}

/* a KILL is on its way, and its SIGCHLD will be */
static bool
somebody_dies(void)
{
	for (const struct process *p = w.p; p < w.p + PROCESSES; p++)
		if (lives(p) && (pending(p) & BIT(SIGKILL)))
			return true;
	return false;
}

/* foster waits, and nothing has come for it */
void
claim_block(int64_t left)
{
	const struct setting *set = scene.set;

	if (next_due() < INT64_MAX && left - 100 > next_due() - w.now && !m.failed)
		broken(LIMIT, "foster sleeps longer than to its next step");
	if (children(ZOMBIE, false))
		broken(ZOMBIES, "foster waits, and a child that has ended was not reaped");
	/* "foster asks each of these once and looks 10 times a second", without /proc too */
	if (m.reaped && !children(RUNNING, false) && (left > 100 || (w.has_proc && !set->drain.count)))
		broken(STAYS, "foster waits for nobody");
	if (m.reaped && !on_request() && !set->drain.count)
		broken(OWN_END, "foster stays");
	if (m.kill_until && w.now > m.kill_until + GRACE + 100 && (!set->drain.count || !m.reaped))
		broken(LIMIT, "the time of KILL is over, and foster waits");
	for (const struct process *p = w.p; m.passed_on && !m.failed && !scene.races && p < w.p + PROCESSES; p++)
		if (is_child(p) && lives(p) && !(p->got_this_turn & BIT(m.passed_on)) && !is_deaf(p, m.passed_on) &&
		    (m.passed_on == SIGINT || children(RUNNING, true) ? is_member(p) : true))
			broken(PASSED, "foster waits for one that is not sent it");
	m.passed_on = 0;	/* whoever is adopted from now on missed it */
	if (m.stop_kill && w.has_proc && !set->drain.count && !m.failed && children(RUNNING, false) && !somebody_dies())
		broken(LIMIT, "foster waits for one that it has not killed");
	if (!m.reaped && !m.stopping && !set->timeout && left != INT64_MAX && !m.failed && !w.room) {
		for (const struct process *p = w.p; p < w.p + PROCESSES; p++)
			if (is_child(p) && (p->suspended_by || p->done))
				return;
		if (left > 1000)
			broken(IDLE, "it waits with a time-out");
	}
}

static void
claim_asked(const struct process *p)
{
	char why[64];

	if (p->counts_as_asked || m.failed)
		return;
	/* only /proc tells who is deaf */
	if (!w.has_proc && is_deaf(p, asking_signal(p)))
		return;
	/* "foster takes it for the key's" */
	if ((m.ended_by == SIGINT || m.ended_by == SIGQUIT) && w.foreground == m.group &&
	    (is_member(p) || p->left_group))
		return;
	snprintf(why, sizeof why, "%s was not asked", name_of(p));
	broken(FORGOTTEN, why);
}

/* foster waits, and nothing happens but that time passes */
void
claim_idle(int64_t left)
{
	bool members = children(RUNNING, true) > 0;

	if (left < 150 || m.killed_at)
		return;
	for (const struct process *p = w.p; p < w.p + PROCESSES; p++) {
		if (!lives(p) || p == FOSTER || p->unkillable)
			continue;
		if (m.stopping && m.first_at && !m.reaped && p->pid == m.program)
			if (!(m.forwarded & BIT(stop_signal())))
				broken(FORGOTTEN, "the program was not asked");
		if (m.reaped && adopts() && (w.has_proc || FOSTER->pid == 1) && is_child(p) && on_request()) {
			if (members && is_member(p))
				claim_asked(p);
			if (!members && (!scene.set->drain.count || m.drain_first_at))
				claim_asked(p);
		}
		if (p->state == SUSPENDED && p->counts_as_asked && !m.failed)
			for (int i = 0; i < p->queued; i++)
				if (p->queue[i].pid == FOSTER->pid && p->queue[i].sig == stop_signal() && m.stopping)
					broken(CONTINUED, "one that was asked is suspended, and not continued");
		if ((FOSTER->pid == 1 ? is_child(p) : p->pid == m.program) && p->suspended_by == SIGTSTP && left > GRACE)
			broken(DEAD_KEY, "a child is suspended by SIGTSTP, and nobody continues it");
	}
}

void
claim_exit(int status)
{
	const struct setting *set = scene.set;
	int expected, left;
	char why[96];

	if (!m.reaped && !(m.stop_kill && FOSTER->pid == 1))
		broken(LAST, "it leaves");
	/* "its status is 137 if the program was among them. As PID 1 it then leaves" */
	if (!m.reaped)
		m.status = SIGKILL;
	expected = WIFSIGNALED(m.status) ? 128 + WTERMSIG(m.status) : WEXITSTATUS(m.status);
	if (m.timed_out || (m.maybe_timed_out && status == 124))
		expected = 124;
	expected = (expected + set->as[expected]) & 255;
	if (status != expected) {
		snprintf(why, sizeof why, "it leaves with %d instead of %d", status, expected);
		broken(STATUS, why);
	}
	if (FOSTER->pid != 1 && children(ZOMBIE, false) && !(FOSTER->ignored & BIT(SIGCHLD)))
		broken(ZOMBIES, "foster leaves a zombie behind");
	left = children(RUNNING, false) + (set->drain.count && FOSTER->pid == 1 && w.has_proc ? strangers() : 0);
	/* "otherwise the others are neither asked nor waited for" */
	if (!w.has_proc && FOSTER->pid != 1)
		left = on_request() ? children(RUNNING, true) : 0;
	if (!left || (!on_request() && !set->drain.count))
		return;
	/* as PID 1 it takes all with it */
	if (FOSTER->pid == 1 && ends_in_kill(&set->stop) && m.kill_from && w.now >= m.kill_from)
		m.stop_kill = true;
	if (set->drain.count && FOSTER->pid == 1 && ends_in_kill(&set->drain) && m.drain_first_at &&
	    w.now >= m.drain_first_at + waits(&set->drain, set->drain.count - 1))
		m.drain_kill = true;
	if (m.failed && m.killed_at)
		return;
	if (set->drain.count ? m.drain_kill : m.stop_kill) {
		if (FOSTER->pid != 1 && w.now < m.killed_at + GRACE)
			broken(STAYS, "foster leaves within the second after KILL, and somebody is left");
		return;
	}
	broken(STAYS, "foster leaves, and somebody is left");
}
