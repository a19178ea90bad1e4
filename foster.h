/*
 * foster.h: every type and every function that crosses a file.
 * SPDX-License-Identifier: MIT
 */
#ifndef FOSTER_H
#define FOSTER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/wait.h>

#define LAST_SIGNAL 64
#define FIRST_REAL_TIME 32	/* the kernel's SIGRTMIN: signals from here on are queued */
#define RTMIN 34		/* as glibc, systemd and runtimes count, not musl's 35 */
#define BIT(sig) ((uint64_t)1 << ((sig) - 1))
#define ALL_SIGNALS UINT64_MAX	/* musl's sigfillset leaves out 32 to 34 */
#define NEVER INT64_MAX		/* as a time: not at all */
#define MAX_STEPS 16
#define MAX_PIDS 4194304	/* PID_MAX_LIMIT, include/linux/threads.h */
#define LINE_SIZE 4096		/* PIPE_BUF: a pipe takes a line whole or not at all */
#define TIME_SIZE 32
#define FAILED 125		/* exit status: foster's own failure */

/* the format for a user's word in a message, cut so that the reason after it fits; its arguments
 * are CUT(word) */
#define WORD "%.900s%s"
#define CUT(word) (word), cut_mark(word)

/* Tries a call up to four times, since a failure may pass. The error `answer` is a result, not a
 * failure, and isn't tried again. */
#define retry_unless(answer, call) __extension__ ({ \
	__typeof__(call) result_; \
	for (int tries_ = 0; (result_ = (call)) < 0 && errno != (answer) && tries_ < 3; tries_++) \
		; \
	result_; \
})
#define retry(call) retry_unless(0, call)

enum action { RUN, HELP, VERSION_LINE, LICENSE, INSTALL };
enum target { BY_SIGNAL, TO_GROUP, TO_PROGRAM };	/* neither -g nor -c, -g, -c */

struct schedule {
	int64_t pause_ms;	/* before the first step; 0: none */
	int steps;		/* 0: no schedule was given */
	struct {
		int sig;
		int64_t wait_ms;	/* until the next step */
	} step[MAX_STEPS];
};

/* what the user asked for; const once it was read */
struct options {
	enum action action;
	enum target target;
	bool pause, warn_reaped;
	int verbose;
	int parent_death;	/* a signal, or 0 */
	uint64_t ignored, defaulted;	/* dispositions for the program's start */
	int64_t timeout_ms;	/* 0: none */
	const char *report, *install;
	char **program;		/* its argv; program[-1] may be overwritten */
	signed char rewrite[LAST_SIGNAL + 1];	/* 0: as it came; -1: drop */
	uint64_t real_time;	/* signals that are forwarded as real-time signals */
	uint64_t stops;		/* signals that begin a stop */
	int stop_signal;	/* the first of --stop, or SIGTERM as -r rewrites it */
	unsigned char exit_as[256];	/* added to an exit status, modulo 256 */
	struct schedule stop, drain;
};

/* facts about foster; const once the program runs */
struct self {
	pid_t pid;
	bool init;		/* it is PID 1 */
	bool adopts;		/* orphans become its children */
	bool ignored_chld;	/* it was given an ignored SIGCHLD */
	uint64_t mask;		/* the signal mask that it was given */
};

/* facts about the program */
struct program {
	pid_t pid;		/* 0 once it was reaped: the number may be another's */
	pid_t group;		/* the process group that it was started in */
	int status;		/* its wait status */
	uint64_t forwarded;	/* the signals that foster sent to it */
	uint64_t recent;	/* the last of them, and those shortly before it */
	uint64_t recent_to_group;	/* of these, those that reached the whole group */
	int64_t recent_at;	/* when the last one was sent, in us */
};

/* a signal whose payload the program's full queue refused */
struct queue {
	siginfo_t held;
	int64_t retry_at;	/* NEVER: none is held */
	bool said_full;
};

/* which of the pending signals is next */
struct turns {
	uint64_t passed_over;	/* these wait until the others have had their turn */
	unsigned taken;
};

struct terminal {
	int fd;			/* the controlling terminal, or -1 */
	bool given;		/* the program has had it */
	pid_t suspended;	/* a child to be followed; as PID 1 one that waits for the terminal; or 0 */
	int suspended_by;	/* the signal */
	pid_t continued;	/* a child that Ctrl-Z suspended and foster continued, or 0 */
	int64_t again_at;	/* when its group is continued once more */
};

/* the line on how the program ended */
struct report {
	int fd;			/* the report file, or -1 */
	bool told;		/* it was written */
	uint64_t oom_kills;	/* the cgroup's count at the start */
};

enum phase { RUNNING, GROUP, OTHERS, DONE };

/* the shutdown; see the table in stop.c. Times are in us on the monotonic clock. */
struct stop {
	enum phase phase;
	bool begun;
	bool timed_out;
	bool blind;		/* can't ask parents first: no /proc, or orphans go to another process */
	bool killing;		/* a final KILL was sent */
	int ended_by;		/* the signal that ended the program, or that its exit status names; or 0 */
	int group_asked;	/* the signal that asked the whole group; 0: none did */
	const struct schedule *schedule;	/* the one that runs, or NULL */
	int step;		/* its step that was last done; -1: none yet */
	int64_t step_at, timeout_at;
	int64_t look_at, not_before;	/* the next look at who is left */
	int64_t tell_at;	/* the next line about who is waited for */
	bool joined;		/* the last look met a process that joined by setns(2) */
	bool any_asked;
	unsigned char asked[MAX_PIDS / 8];	/* a bit for each child that was asked */
};

/* everything that changes, grouped by owner */
struct state {
	struct self self;
	struct program program;
	bool children;		/* whether foster had any when it last reaped */
	struct queue queue;
	struct turns turns;
	struct terminal terminal;
	struct report report;
	struct stop stop;
};

/* a walk over foster's children */
struct walk {
	int fd;
	pid_t self;
	bool list;		/* fd is the kernel's list of children, not /proc */
	bool joined;		/* also those that joined the PID namespace by setns(2) */
	bool met_joined;	/* the walk met one of these */
	long used, size;
	_Alignas(8) char buf[1024];
};

/* message.c: one line "foster: ..." on standard error, dropped if it can't be taken at once.
 * A format that ends in a colon gets errno's text. errno is kept. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* message.c: says it, and exits with status */
_Noreturn void die(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* message.c: says it, and appends the line to the file fd unless that is -1 */
void say_and_report(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* message.c: "..." if WORD cuts the word, else "" */
const char *cut_mark(const char *word);
/* message.c: a time, as "10 s" or "300 ms", into buf of TIME_SIZE bytes */
const char *time_text(int64_t ms, const char *space, char *buf);
/* message.c: appends text to the file fd, whole or not at all; false: not written */
bool append(int fd, const char *text);

/* signals.c: word, of len bytes, as a decimal number of up to 9 digits; -1 if it is none */
int decimal(const char *word, size_t len);
/* signals.c: the signal that word (of len bytes) names; 0 if none */
int signal_by_name(const char *word, size_t len);
/* signals.c: its name without SIG */
const char *signal_name(int sig);
/* signals.c: sets the signal mask; the one before into *old if that is not NULL */
bool set_mask(uint64_t, uint64_t *old);
/* signals.c: sets sig's disposition to SIG_DFL or SIG_IGN; true if it was ignored before */
bool set_disposition(int sig, void (*)(int));
/* signals.c: true if sig is ignored */
bool is_ignored(int sig);
/* signals.c: takes a pending signal of set; 0 if there is none */
int take_pending(uint64_t set, siginfo_t *);
/* signals.c: the next signal of set, in an order that starves none; 0 at the deadline (in us), and
 * sometimes earlier */
int next_signal(struct turns *, uint64_t set, siginfo_t *, int64_t deadline);
/* signals.c: the monotonic clock in us */
int64_t now_us(void);
/* signals.c: the time ms from now, in us */
int64_t in_ms(int64_t ms);
/* signals.c: kill(2) of one process */
bool signal_process(pid_t, int sig);
/* signals.c: kill(2) of a process group, never more: group 1 is refused, as -1 is everybody */
bool signal_group(pid_t group, int sig);
/* signals.c: kill(2) of all in the PID namespace but foster, which has to be its PID 1 */
void signal_everybody(const struct self *, int sig);
/* signals.c: true if the group has a member; zombies count */
bool group_exists(pid_t group);
/* signals.c: sends sig to the program's group, or to the program alone; true if the whole
 * group was reached */
bool signal_target(const struct program *, int sig, bool to_group);
/* signals.c: the same, and remembers that it was sent */
bool deliver(struct program *, int sig, bool to_group);
/* signals.c: sends sig, as it came, to its target; a signal whose payload the program's queue
 * refuses is held. True if the whole group was reached. */
bool forward(struct program *, struct queue *, const struct options *, int sig, siginfo_t *);
/* signals.c: offers the held signal again */
void forward_held(struct program *, struct queue *, const struct options *);

/* proc.c: open(2), close-on-exec, without waiting or gaining a terminal. The descriptor is never
 * one of 0 to 2: foster's own lines could end up in the file. -1: failed. */
int open_file(const char *file, int flags);
/* proc.c: another such descriptor for the same open file; -1: failed */
int copy_descriptor(int fd);
/* proc.c: closes all descriptors but standard error, one and two (each above 2, or -1) */
void close_all_but(int one, int two);
/* proc.c: true if foster has such a child, waitid(2), ended or not; else errno says why */
bool is_child(idtype_t, pid_t id, siginfo_t *);
/* proc.c: begins a walk over foster's living children and, if joined is set, processes that joined
 * by setns(2); false: no /proc of this PID namespace */
bool start_walk(struct walk *, pid_t self, bool joined);
/* proc.c: the next one; 0 at the end, and the walk is over */
pid_t next_child(struct walk *);
/* proc.c: ends a walk early */
void end_walk(struct walk *);
/* proc.c: true if another process than foster and its parent is in foster's group */
bool group_is_shared(const struct self *);
/* proc.c: the name of a process, into buf; "?" without /proc */
const char *process_name(pid_t, char *buf, size_t size);
/* proc.c: true if the process ignores each of these signals; false without /proc */
bool ignores(pid_t, uint64_t signals);
/* proc.c: the number after key, where a line of the file begins with key; false: not there */
bool read_field(const char *file, const char *key, unsigned base, uint64_t *value);
/* proc.c: how many OOM kills the container's cgroup counts */
uint64_t oom_kills(void);

/* tty.c: finds the controlling terminal, and decides whether the program gets it at once */
void find_terminal(struct terminal *, const struct self *);
/* tty.c: notes that sig suspended a child; as PID 1, undoes a Ctrl-Z */
void child_suspended(struct terminal *, const struct self *, const struct program *, pid_t, int sig);
/* tty.c: suspends foster as the child was suspended, or gives the child the terminal and continues
 * it; as PID 1 only the latter, once the terminal's foreground group is gone */
void follow_suspension(struct terminal *, const struct self *, const struct program *);
/* tty.c: foster was continued: the program's group, or what is left of it, gets the terminal */
void give_terminal(struct terminal *, const struct self *, const struct program *);
/* tty.c: continues a child's group once more, after a Ctrl-Z that was undone */
void continue_again(struct terminal *);
/* tty.c: true if the group is the terminal's foreground group */
bool in_foreground(const struct terminal *, pid_t group);
/* tty.c: at the end: makes foster's group the foreground again, unless another group lives there */
void take_terminal(const struct terminal *, const struct self *, const struct program *);

/* reaper.c: reaps children that have ended, a batch at a time; true if the program was one.
 * *more: there may be others that have. */
bool reap(struct state *, const struct options *, bool *more);
/* reaper.c: reaps all children that have ended; those that end later leave no zombie */
void reap_rest(struct state *, const struct options *);
/* reaper.c: true if foster has a child in the group */
bool has_child_in(pid_t group);
/* reaper.c: remembers that the child was asked, until it is reaped */
void set_asked(struct stop *, pid_t);
/* reaper.c: true if it was */
bool is_asked(const struct stop *, pid_t);
/* reaper.c: a wait status as an exit status: 0 to 255, 128+n for signal n */
int exit_status(int status);
/* reaper.c: a wait status in words */
const char *status_text(int status, char *buf, size_t size);

/* exec.c: starts the program in a process group of its own. 0, or the exit status where it
 * could not be started; the line about it was written then. */
int start_program(struct state *, const struct options *);

/* stop.c: a request to stop: sig, as rewritten; from: as it came, 0 for the time-out */
void request_stop(struct state *, const struct options *, int from, int sig, siginfo_t *);
/* stop.c: passes another signal on, once the program has ended */
void pass_on(struct state *, const struct options *, int sig);
/* stop.c: what follows from the program's end */
void after_program(struct state *, const struct options *);
/* stop.c: what follows from the end of other children */
void after_child(struct state *, const struct options *);
/* stop.c: does what is due now */
void keep_time(struct state *, const struct options *);
/* stop.c: when something is due next; NEVER: nothing */
int64_t next_due(const struct stop *);

/* options.c: reads foster's name, the environment (removing FOSTER_OPTIONS) and argv. What is wrong
 * is one line, and exit status 125. */
void read_options(struct options *, int argc, char **argv);
/* options.c: what --help prints */
extern const char help_text[];
/* options.c: says the options as they were understood, a line each */
void say_options(const struct options *);

/* install.c: copies foster itself to file, mode 0755, complete or not at all. A failure is one
 * line, and exit status 125. */
void install(const char *file);

#endif
