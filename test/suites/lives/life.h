/*
 * life.h: what the explorer's files share: foster as a part of a model's world.
 * SPDX-License-Identifier: MIT
 */
#ifndef LIFE_H
#define LIFE_H

#include "kernel.h"

/* how a process of a world came to its place: as its parent's fork, in a group of its own (a job
 * of a shell with set -m), in a session of its own, or as a daemon, forked twice */
enum place { MEMBER, JOB, SESSION, DAEMON };

/* what it does */
enum habit {
	DIES,		/* nothing: each signal has its default */
	FINISHES,	/* at the first request, and ends later, with status 0 */
	CLEANS,		/* the same, and ends with 128 plus the signal's number */
	IGNORES,	/* SIGTERM, SIGINT, SIGQUIT and SIGHUP */
	BACKGROUND,	/* ignores SIGINT and SIGQUIT, as a shell's job with & */
	JOB_FINISHES,	/* the same, but finishes at the others */
	SURVIVES,	/* handles all requests and goes on */
	ENDS,		/* by itself, with status 3, at some time */
	ENDS_AS_ASKED,	/* the same, with 128 plus SIGTERM's number */
	SHELL,		/* waits for its children, and ends with the last one's status */
	TRAP,		/* the same; a request is handled when its children have ended */
	FORWARDS,	/* sends a request to its children, waits for them, ends with 0 */
	FORKS,		/* at a request it starts a helper that ends by itself, and waits for it */
	CHANGES_MIND,	/* SIGTERM makes it die of SIGINT */
	SUSPENDS,	/* itself once, as by Ctrl-Z */
	READS,		/* is suspended once by SIGTTIN */
	LEAVES,		/* its group once, then finishes */
	HABITS
};
enum { NODES = 5, STEPS = 4, EVENTS = 15 };

struct node {
	uint8_t habit, place, parent;	/* parent: of the nodes before; its own number: none */
};

/* what may happen from outside */
enum kind {
	TO_FOSTER,	/* a signal to foster */
	QUEUED,		/* the same by sigqueue(3) */
	TO_PROGRAM_, 	/* a signal to the program from elsewhere */
	TO_LAST,	/* a signal to the last process of the world */
	KEY,		/* a terminal's key */
	JOINS,		/* docker exec: a process whose parent is outside */
	FOREGROUND	/* the shell continues foster in the foreground */
};
struct outside {
	uint8_t kind, sig;
};

struct steps {
	int64_t pause;
	int count;
	struct { int sig; int64_t wait; } step[STEPS];
};

struct setting {
	const char *words[8];		/* the options */
	struct steps stop, drain;
	int64_t timeout;
	char target;			/* 'g', 'c' or 0 */
	uint8_t rewrite[65], as[256];
	bool rewrites, pause;
};

/* one world: all that doesn't change in it */
struct scene {
	const struct setting *set;
	bool init, terminal, proc, alone;	/* alone: not PID 1, in a session of its own */
	int nodes, events, races, faults, room;
	struct node node[NODES];
	int outside_count;
	struct outside outside[EVENTS];
};
extern struct scene scene;

extern const char *const habit_names[], *const place_names[];

/* explore.c: one of n alternatives; 0 is what happens if nobody interferes */
int choose(int n);
/* explore.c: a claim that doesn't hold */
_Noreturn void broken(const char *claim, const char *why);
/* explore.c: foster has left */
_Noreturn void life_over(void);

/* worlds.c: calls each() with each world of a level in scene: 1, what is checked; 2, larger ones;
 * 10 and on, one row of the table alone */
void each_world(int level, void (*each)(void));
/* worlds.c: reads a scene as print_scene writes it; false: not one */
bool read_scene(const char *text);
void print_scene(char *text, size_t size);
/* worlds.c: one of those that can be played, by chance */
void random_scene(unsigned *seed);

/* programs.c: p starts to be node n */
void become(struct process *p, int n);
/* programs.c: who is it in a story */
const char *name_of(const struct process *);
/* programs.c: the events that may happen now, by processes and from outside, at most size;
 * returns their number */
struct event { uint8_t kind, who, sig; };
enum { OWN = 100, TAKES };
int enabled(struct event *, int size);
/* whether somebody does something without delay: then no time passes */
bool is_busy(void);
void happen(struct event);
void script_state(void);
const char *signal_word(int sig);

/* claims.c: all of them, NULL at the end */
extern const char *const claims[];
/* claims.c: what foster does, and what happens to it */
void claim_start(const struct process *program);
void claim_call(void);
void claim_poll(int64_t waited);
void claim_kill(int pid, int sig);
void claim_took(int sig, int code);
void claim_block(int64_t left);
void claim_idle(int64_t left);
void claim_reaped(const struct process *);
void claim_exit(int status);
void claim_key(int sig);
void claim_fork(const struct process *parent, struct process *child);

#endif
