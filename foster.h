/*
 * foster.h: every type and every function that crosses a file.
 * SPDX-License-Identifier: MIT
 */
#ifndef FOSTER_H
#define FOSTER_H

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LAST_SIGNAL 64
#define FIRST_QUEUED 32		/* the kernel's SIGRTMIN: from here on signals are queued */
#define FIRST_RT 34		/* as glibc, systemd and runtimes count, not musl's 35 */
#define BIT(sig) ((uint64_t)1 << ((sig) - 1))
#define ALL_SIGNALS UINT64_MAX	/* those too that musl's sigfillset leaves out */
#define NEVER INT64_MAX		/* a time in ms that does not come */
#define MAX_STEPS 16
#define LINE_SIZE 4096		/* PIPE_BUF: a pipe takes a line whole or not at all */
#define NUMBER_SIZE 32		/* a formatted number with its unit */
#define FAILED 125		/* exit status: foster's own failure */

/* for functions with a large frame: as part of a caller's, it would spread that over pages
 * that are never touched again but stay */
#define APART __attribute__((noinline))

enum action { RUN, HELP, VERSION_LINE, LICENSE, INSTALL };

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
	bool group, single_child, pause, warn_reaped;
	int verbose;
	int parent_death;	/* a signal, or 0 */
	uint64_t ignored, defaulted;	/* for the program's start */
	int64_t timeout_ms;	/* -1: none */
	const char *report, *install;
	char **program;		/* its argv; program[-1] may be overwritten */
	signed char rewrite[LAST_SIGNAL + 1];	/* 0: as it came; -1: drop */
	uint64_t queued;	/* those that are forwarded as real-time signals */
	uint64_t stops;		/* those that begin a stop */
	unsigned char exit_shift[256];	/* added to an exit status, modulo 256 */
	struct schedule stop, drain;
};

enum phase { RUNNING, LEFT_GROUP, DRAINING, DONE };

/* everything that changes */
struct state {
	enum phase phase;
	pid_t self;		/* foster's own PID */
	bool init;		/* it is 1 */
	uint64_t mask;		/* the program's signal mask: the one foster was given */
	bool ignore_chld;	/* foster was given an ignored SIGCHLD */
	pid_t program;		/* 0 once it was reaped: its number may be another's */
	pid_t group;		/* its process group */
	int status;		/* the program's wait status */
	int stopped_by;		/* what the program stopped by, as long as foster may have to act on it; or 0 */
	bool children;		/* foster has any, as of the last reaping */
	uint64_t told;		/* signals that foster sent to the whole group */
	uint64_t sent_alone;	/* signals that it sent to the program alone */
	bool stopping, timed_out;
	int stop_signal;	/* what a stop without a schedule sends */
	const struct schedule *schedule;	/* the one that runs, or NULL */
	int step;		/* its step that was last done; -1: none yet */
	int64_t due, timeout;	/* on the monotonic clock, in ms, as all times are */
	int64_t look;		/* when to look again for what is left */
	int64_t retry;		/* when to offer the held signal again; NEVER: none is held */
	bool said_full;
	int64_t roomy;		/* when the program's queue was last seen with much room */
	uint64_t roomless;	/* those that it was sent without room, and may not have taken yet */
	uint64_t passed_over;	/* signals that wait until the others had their turn */
	unsigned turn;
	int tty;		/* the controlling terminal, or -1 */
	bool take_tty;		/* the program's group becomes its foreground */
	int report;		/* the report file, or -1 */
	uint64_t oom_kills;	/* the cgroup's count at the start */
	siginfo_t held;		/* a signal that the program's full queue refused */
};

/* init.c: one line "foster: ..." on standard error, dropped if it can't be taken at once. Of
 * formats it knows %s, %d, %S (int: a signal's name), %t and %T (int64_t: ms, as "10s" and
 * "10 s"); one that ends in a colon gets errno's text. errno is kept. */
void say(const char *format, ...);
/* init.c: says it and exits with status */
_Noreturn void die(int status, const char *format, ...);
/* init.c: formats into buf (size bytes with the NUL); control characters of %s are written
 * as \n, \r or \xNN if escape is set; returns the length, cut to what fits */
size_t format_args(char *buf, size_t size, bool escape, const char *format, va_list);
/* init.c: the same, not escaped */
size_t format(char *buf, size_t size, const char *format, ...);
/* init.c: where word has its first c, or its end */
const char *end_of(const char *word, char c);
/* init.c: strlen(3), in a tenth of libc's size */
size_t length(const char *word);
/* init.c: true if the words are the same */
bool equal(const char *, const char *);
/* init.c: what follows prefix in word; NULL if word doesn't begin with it */
char *after(char *word, const char *prefix);
/* init.c: open(2), close-on-exec, without waiting and without gaining a terminal; the descriptor
 * is none of 0 to 2, where lines for standard error would go to it. -1: failed. */
int open_file(const char *file, int flags, int mode);
/* init.c: another such descriptor for the same open file; -1: failed */
int copy_descriptor(int fd);
/* init.c: the monotonic clock in ms */
int64_t now_ms(void);

/* options.c: reads FOSTER_OPTIONS (and removes it from the environment), then argv;
 * what is wrong is a line and exit status 125 */
void read_options(struct options *, int argc, char **argv);
/* options.c: removes a variable, named with its =, from the environment; its value or NULL */
char *take_variable(const char *name);
/* options.c: what --help says, into buf; returns its length */
size_t help_text(char *buf, size_t size);
/* options.c: says the options as they were understood, one a line, as they read back to the
 * same */
void say_options(const struct options *);

/* install.c: copies foster itself to file, mode 0755, complete or not at all; returns the
 * exit status */
int install(const char *file);

/* exec.c: starts the program in a process group of its own; false if it could not be
 * started, then *status is the exit status and the line about it was written */
bool start_program(struct state *, const struct options *, int *status);

/* signals.c: a system call; one that fails is tried three times more, since a failure may pass;
 * but a file that is not there is believed at once, and a process the second time */
long insist(long call, long a, long b, long c, long d);
/* signals.c: getpid(2), by insisting */
pid_t own_pid(void);
/* signals.c: sets the signal mask; the one before into *old if that is not NULL */
bool set_mask(uint64_t, uint64_t *old);
/* signals.c: sets sig's disposition to SIG_DFL or SIG_IGN; true if it was ignored before */
bool set_disposition(int sig, void (*)(int));
/* signals.c: true if sig is ignored now */
bool is_ignored(int sig);
/* signals.c: sig becomes one of set, or none of it */
void put_bit(uint64_t *set, int sig, bool in);
/* signals.c: true if sig is pending */
bool is_pending(int sig);
/* signals.c: takes one of set that is pending; 0 if none is */
int take_pending(uint64_t set, siginfo_t *);
/* signals.c: the number of the signal that word (of len bytes) names, in either case, with
 * or without SIG; 0 if none */
int signal_by_name(const char *word, size_t len);
/* signals.c: its name without SIG, which may be put into buf */
const char *signal_name(char buf[NUMBER_SIZE], int sig);
/* signals.c: the next signal, in an order that lets none starve; 0 when the deadline (ms)
 * has come or there may be something to look at */
int next_signal(struct state *, const struct options *, siginfo_t *, int64_t deadline);
/* signals.c: sends sig to where a signal of this kind goes */
void forward(struct state *, const struct options *, int sig, siginfo_t *);
/* signals.c: offers the held signal again */
void forward_held(struct state *, const struct options *);
/* signals.c: sends sig where SIGTERM goes, then SIGCONT */
void send_stop(struct state *, const struct options *, int sig);
/* signals.c: continues the program and its group, also where it left that */
void continue_program(struct state *);
/* signals.c: kill(2), by insisting */
bool send_to(pid_t, int sig);
/* signals.c: the same, then SIGCONT, so that a stopped process sees it too */
void send_and_continue(pid_t, int sig);

/* reaper.c: reaps the children that have ended, a batch at a time; true if the program was
 * one (then its status is set, and program is 0). Sets stopped_by and children. */
bool reap(struct state *, const struct options *, bool *more);
/* reaper.c: true if /proc is there and this PID namespace's */
bool own_proc(void);
/* reaper.c: a wait status as an exit status: 0 to 255, 128+n for signal n */
int exit_status(int status);
/* reaper.c: a wait status in words, into buf of 80 bytes */
const char *status_text(char *buf, int status, bool out_of_memory);
/* reaper.c: true if the group has no member at all, zombies counted */
bool group_gone(pid_t group);
/* reaper.c: true if the group has no member but zombies (without /proc: none at all); reads
 * all of /proc, so not to be asked for each child that ends */
bool group_empty(pid_t group);
/* reaper.c: true if a drain has nothing left to do; thorough: also told apart from zombies
 * that are another's, which reads all of /proc */
bool nothing_left(const struct state *, bool thorough);
/* reaper.c: sends SIGTERM, then SIGCONT, to the members of the group that ignore sig */
void tell_ignoring(pid_t group, int sig);
/* reaper.c: sends sig, then SIGCONT, to all that a drain is for */
void send_drain(const struct state *, int sig);
/* reaper.c: who is left, for a message: "pid 17 (worker) and 2 more" */
void left_text(const struct state *, bool drain, char *buf, size_t size);
/* reaper.c: how many processes the container's cgroup has lost for want of memory */
uint64_t oom_kills(void);
/* reaper.c: the number behind key (at a line's start) in a file of the kernel's; of two,
 * separated by a slash, the second into *limit if that is not NULL; false if not there */
bool read_field(const char *file, const char *key, int base, uint64_t *value, uint64_t *limit);

/* tty.c: finds the controlling terminal, and whether the program is to have it */
void find_terminal(struct state *);
/* tty.c: makes the group the terminal's foreground group, ioctl_tty(2) */
bool set_foreground(int tty, pid_t group);
/* tty.c: makes the group that the program is in the foreground group if foster's own is now */
void give_terminal(struct state *);
/* tty.c: at the end: makes foster's group the foreground again, if nobody else is there */
void take_terminal(const struct state *);
/* tty.c: true if the program's group is the terminal's foreground group */
bool group_in_foreground(const struct state *);
/* tty.c: the program stopped: continue it, hand it the terminal, or stop with it */
void program_stopped(struct state *);

#endif
