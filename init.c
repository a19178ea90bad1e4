/*
 * init.c: main, and the life of PID 1: start, live, leave.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foster.h"

#define TIMED_OUT 124	/* as timeout(1) */

/* LICENSE as it is in the tree */
__asm__(".pushsection .rodata\nlicense_text: .incbin \"LICENSE\"\n.byte 0\n.popsection");
extern const char license_text[] __attribute__((visibility("hidden")));

/* does what an option asks for in place of starting a program */
static void
act(const struct options *opt)
{
	const char *text = "foster " VERSION " - git." COMMIT "\n";

	if (opt->action == INSTALL) {
		install(opt->install);
		return;
	}
	if (opt->action == HELP)
		text = help_text;
	else if (opt->action == LICENSE)
		text = license_text;
	if (!append(STDOUT_FILENO, text))
		die(FAILED, "standard output:");
}

static void
become_subreaper(struct self *self, const struct options *opt)
{
	self->adopts = retry(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)) == 0;
	if (!self->adopts)
		say("PR_SET_CHILD_SUBREAPER:");	/* orphans will be another's */
	else if (opt->verbose)
		say("not PID 1: child subreaper");
}

static void
prepare(struct state *st, const struct options *opt)
{
	pid_t parent;

	if (opt->verbose > 1)
		say_options(opt);
	/* "ignored" would make the kernel throw exit statuses away, wait(2) */
	st->self.ignored_chld = set_disposition(SIGCHLD, SIG_DFL);
	if (opt->report) {
		st->report.fd = open_file(opt->report, O_WRONLY | O_APPEND | O_CREAT);
		if (st->report.fd < 0)
			die(FAILED, WORD ":", CUT(opt->report));
	}
	if (opt->parent_death) {
		parent = getppid();
		if (prctl(PR_SET_PDEATHSIG, opt->parent_death) < 0)
			die(FAILED, "--parent-death-signal:");
		if (getppid() != parent)	/* it died before */
			signal_process(st->self.pid, opt->parent_death);
	}
	if (!st->self.init)
		become_subreaper(&st->self, opt);
	if (opt->report || opt->verbose)
		st->report.oom_kills = oom_kills();
	if (!opt->pause)
		find_terminal(&st->terminal, &st->self);
}

/* lets go of what belongs to the program, so that no pipe stays open and no mount is pinned */
static void
let_go(struct state *st)
{
	if (st->self.init)
		st->terminal.fd = -1;
	close_all_but(st->report.fd, st->terminal.fd);
	if (retry(chdir("/")) < 0)
		say("/:");
}

/* says and reports how the program has ended */
static void
tell_end(struct state *st, const struct options *opt)
{
	int status = st->program.status;
	char how[48], time[TIME_SIZE], after[48] = "", words[160];
	const char *why = "";

	st->report.told = true;
	if (st->report.fd < 0 && !opt->verbose)
		return;
	if (st->stop.timed_out)
		snprintf(after, sizeof after, "timed out after %s, ", time_text(opt->timeout_ms, " ", time));
	if (!st->stop.killing && oom_kills() > st->report.oom_kills)
		why = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? ": the container ran out of memory" :
			"; the container ran out of memory";
	snprintf(words, sizeof words, "%s%s%s\n", after, status_text(status, how, sizeof how), why);
	if (st->report.fd >= 0 && !append(st->report.fd, words))
		say(WORD ":", CUT(opt->report));
	if (opt->verbose)
		say(WORD ": %s%s%s", CUT(opt->program[0]), after, how, why);
}

static void
receive(struct state *st, const struct options *opt, int from, siginfo_t *info)
{
	int sig = opt->rewrite[from] ? opt->rewrite[from] : from;

	/* foster's own writing caused it */
	if ((from == SIGPIPE || from == SIGXFSZ) && info->si_code == SI_USER && info->si_pid == st->self.pid)
		return;
	if (from == SIGCONT)
		give_terminal(&st->terminal, &st->self, &st->program);
	if (opt->verbose > 1 && sig < 0)
		say("%s: dropped", signal_name(from));
	else if (opt->verbose > 1)
		say("%s from pid %d: forwarded", signal_name(from), (int)info->si_pid);
	if (opt->stops & BIT(from))
		request_stop(st, opt, from, sig, info);
	else if (sig > 0 && st->program.pid)
		forward(&st->program, &st->queue, opt, sig, info);
	else if (sig > 0 && !opt->pause)
		pass_on(st, opt, sig);
}

/* reaps, and does what follows; true if more children may have ended */
static bool
look_at_children(struct state *st, const struct options *opt)
{
	siginfo_t info;
	bool more;
	int sig;

	if (reap(st, opt, &more)) {
		tell_end(st, opt);
		/* a request that arrived as the program ended */
		while (!st->stop.begun && (sig = take_pending(opt->stops, &info)))
			receive(st, opt, sig, &info);
		after_program(st, opt);
	}
	after_child(st, opt);
	/* last: it may suspend foster, and the foreground group may have changed when it returns */
	follow_suspension(&st->terminal, &st->self, &st->program);
	return more;
}

static void
look_at_clock(struct state *st, const struct options *opt)
{
	int64_t now = now_us();
	int sig = st->queue.held.si_signo;

	if (now >= st->queue.retry_at && st->program.pid) {
		forward_held(&st->program, &st->queue, opt);
	} else if (now >= st->queue.retry_at) {
		st->queue.retry_at = NEVER;
		pass_on(st, opt, sig);
	}
	if (now >= st->terminal.again_at)
		continue_again(&st->terminal);
	keep_time(st, opt);
}

static int64_t
next_deadline(const struct state *st)
{
	int64_t first = next_due(&st->stop);

	first = st->queue.retry_at < first ? st->queue.retry_at : first;
	return st->terminal.again_at < first ? st->terminal.again_at : first;
}

/* the one loop: signals are taken one at a time, no handler runs any code */
static void
live(struct state *st, const struct options *opt)
{
	bool more = true;	/* children may have ended before foster was there */
	siginfo_t info;
	uint64_t set;
	int sig;

	while (st->stop.phase != DONE) {
		/* while one is held, real-time signals wait, so that each number keeps its order */
		set = st->queue.retry_at == NEVER ? ALL_SIGNALS : ~opt->real_time;
		sig = next_signal(&st->turns, set, &info, more ? 0 : next_deadline(st));
		if (sig && sig != SIGCHLD)
			receive(st, opt, sig, &info);
		if (!sig || sig == SIGCHLD || more)
			more = look_at_children(st, opt);
		/* after each signal too: a flood must not hold back a deadline */
		if (st->stop.phase != DONE && next_deadline(st) != NEVER)
			look_at_clock(st, opt);
	}
}

/* returns the exit status */
static int
leave(struct state *st, const struct options *opt)
{
	int status;

	reap_rest(st, opt);
	if (opt->pause)
		return 0;
	if (st->program.pid)	/* killed a moment ago */
		st->program.status = SIGKILL;
	if (!st->report.told)
		tell_end(st, opt);
	status = st->stop.timed_out ? TIMED_OUT : exit_status(st->program.status);
	return (status + opt->exit_as[status]) & 255;
}

/* Its map of PIDs is too large for a stack. "common" makes the linker put it behind libc's
 * variables, so that all that is touched lies in one page. */
struct state st __attribute__((common));

int
main(int argc, char **argv)
{
	struct options opt = {0};
	int status = 0;

	if (!set_mask(ALL_SIGNALS, &st.self.mask))
		die(FAILED, "rt_sigprocmask:");	/* it would hear no signal */
	st.self.pid = getpid();
	if (st.self.pid < 1)
		die(FAILED, "getpid:");	/* it would not know whom it may signal */
	st.terminal.fd = st.report.fd = -1;
	st.queue.retry_at = st.terminal.again_at = NEVER;
	st.stop.step_at = st.stop.timeout_at = st.stop.look_at = st.stop.tell_at = NEVER;
	st.self.init = st.self.adopts = st.self.pid == 1;
	read_options(&opt, argc, argv);
	if (opt.action != RUN) {
		act(&opt);
		_exit(0);
	}
	prepare(&st, &opt);
	if (!opt.pause)
		status = start_program(&st, &opt);
	if (!status) {
		let_go(&st);
		if (opt.verbose && !opt.pause)
			say("pid %d: started " WORD, (int)st.program.pid, CUT(opt.program[0]));
		if (opt.timeout_ms && !opt.pause)
			st.stop.timeout_at = in_ms(opt.timeout_ms);
		live(&st, &opt);
		status = leave(&st, &opt);
	}
	take_terminal(&st.terminal, &st.self, &st.program);
	_exit(status);
}
