/*
 * kernel.h: a small model of the kernel that foster runs on: processes, signals, wait, adoption,
 * process groups, a terminal, /proc and the clock.
 * SPDX-License-Identifier: MIT
 *
 * All that changes is in one struct without pointers, so that a moment can be copied, compared
 * and returned to. Each rule names where it is from: a manual page, or a file of Linux.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCESSES 10
#define QUEUE 6		/* signals that wait for one process, with who sent them */
#define FILES 6		/* that foster has open, beside 0 to 2 */
#define FIRST_FD 3
#define BIT(sig) ((uint64_t)1 << ((sig) - 1))
#define EVERY_SIGNAL UINT64_MAX
#define NOBODY 0	/* the parent of who comes from outside of the namespace */

enum { FREE, RUNNING, SUSPENDED, ZOMBIE };

struct sent {
	uint8_t sig, pid;	/* pid: who sent it; 0: the kernel, or somebody outside */
	uint8_t value, spare;
	int16_t code;		/* si_code; SI_KERNEL is 128 */
};

struct process {
	uint8_t state, pid, parent, group, session;
	uint8_t suspended_by, death_signal, queued;
	uint8_t tell_stop, tell_continue;	/* a change of state that nobody waited for yet */
	uint8_t subreaper, executed, unkillable, terminal;
	int32_t status;			/* as wait(2) has it, of a zombie */
	uint64_t lost;			/* pending, but there was no room for who sent it */
	uint64_t blocked, ignored, caught;
	struct sent queue[QUEUE];
	/* what it does, programs.c */
	uint8_t node, at, asked_by, done, last_status, helper, stranger, had_children;
	/* what the claims remember of it, claims.c */
	uint64_t got_as_member, got_by_key, got_this_turn;
	uint8_t counts_as_asked, left_group, started, order, spare[4];	/* order: among its parent's children */
};

struct file {
	uint8_t open, kind, pid, flags;
	uint32_t at;
};

/* what the claims remember of foster: claims.c. Times are 0 where they have not come. */
struct memory {
	int64_t start_at, stop_at, first_at, drain_at, drain_first_at, kill_from, kill_until, killed_at;
	int32_t status;		/* the program's, once it was reaped */
	uint32_t calls;		/* since foster last waited */
	uint64_t forwarded;	/* signals that foster sent to the program */
	uint8_t program, group, ended_by, reaped, stopping, timed_out;
	uint8_t turn, turn_code, stop_kill, drain_kill, failed, stops_now;
	uint8_t timeout_used, maybe_timed_out, last_forwarded;
	uint8_t polls;		/* waits in a row that took no signal and no time */
	uint8_t passed_on;	/* the signal that the children have to get in this turn */
	uint8_t looks;		/* short waits in a row, for children of its own alone */
};

struct world {
	int64_t now;		/* ms, on the monotonic clock */
	struct process p[PROCESSES];
	struct file file[FILES];
	uint8_t current;	/* who makes the calls: foster, or its child before the exec */
	uint8_t foster;		/* indices into p */
	uint8_t program;
	uint8_t foreground;	/* the terminal's group; 0: there is no terminal */
	uint8_t terminal_session;
	uint8_t has_proc, has_children, room, events, races, faults;
	uint8_t over;		/* foster has left */
	struct memory m;
};

extern struct world w;
#define FOSTER (&w.p[w.foster])
#define SELF (&w.p[w.current])

/* an empty world with foster in it, as PID 1 or as the child of a shell that is PID 1 */
void new_world(bool init, bool terminal, bool proc);
/* the process, zombies too; NULL if there is none */
struct process *process(int pid);
static inline bool lives(const struct process *p) { return p->state == RUNNING || p->state == SUSPENDED; }
/* fork(2); NULL where there is no room */
struct process *new_child(struct process *parent);
/* ends p, with a status as wait(2) has it */
void end(struct process *p, int status);
/* p becomes a child of another; 0: of nobody here */
void adopt(struct process *p, int parent);
/* p's children, the oldest first: those that it adopted come last; the first is after 0 */
struct process *next_child_of(const struct process *p, int *order);
/* makes p's slot free: its parent has waited for it */
void forget(struct process *);
/* sends a signal; -errno where the queue is full */
int send_signal(struct process *, int sig, int code, int from, int value);
/* the pending signals */
uint64_t pending(const struct process *);
/* takes one of set from the queue, in the kernel's order; 0: none is pending */
int dequeue(struct process *, uint64_t set, struct sent *);
/* p takes one pending signal that it doesn't block, and does what is its default; returns the
 * signal if p handles it itself, else 0 */
int take_signal(struct process *);
/* whether take_signal has something to do */
bool has_signal(const struct process *);
/* a group that no shell could continue, setpgid(2), once without, if not 0, has ended */
bool is_orphaned(int group, int without);
int change_group(struct process *p, int pid, int group);
int new_session(struct process *p);
int kill_as(struct process *from, int pid, int sig);
int set_foreground(struct process *p, int group);
/* a key of the terminal, for the foreground group */
void press(int sig);
/* waitid(2); 0: nobody yet, -ECHILD, or the pid with its status and CLD_... in *code */
int wait_as(struct process *p, int which, int id, int options, int *code, int *status);
/* a line of the story, if one is told */
#define note(...) (telling ? tell(__VA_ARGS__) : (void)0)
extern bool telling;
/* a line of the script by which the same life is played on a real kernel */
#define script(...) (walking ? tell_script(__VA_ARGS__) : (void)0)
extern bool walking;
void tell_script(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* told by the kernel: a child of p has ended, and p isn't foster */
void child_ended(struct process *parent, struct process *child);

#endif
