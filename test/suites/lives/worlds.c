/*
 * worlds.c: the worlds that are explored: options, processes, and what may happen.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "life.h"

#define S(sig) {sig, 0}
static const struct setting settings[] = {
	{.words = {NULL}},
	{.words = {"-c"}, .target = 'c'},
	{.words = {"-g"}, .target = 'g'},
	{.words = {"--stop", "TERM/10/KILL"}, .stop = {0, 2, {{SIGTERM, 10000}, S(SIGKILL)}}},
	{.words = {"--stop", "5/TERM/10/KILL"}, .stop = {5000, 2, {{SIGTERM, 10000}, S(SIGKILL)}}},
	{.words = {"--stop", "QUIT/10/TERM/10/KILL"}, .stop = {0, 3, {{SIGQUIT, 10000}, {SIGTERM, 10000}, S(SIGKILL)}}},
	{.words = {"-c", "--stop", "TERM/10/KILL"}, .target = 'c', .stop = {0, 2, {{SIGTERM, 10000}, S(SIGKILL)}}},
	{.words = {"--drain", "TERM/5/KILL"}, .drain = {0, 2, {{SIGTERM, 5000}, S(SIGKILL)}}},
	{.words = {"--stop", "TERM/10/KILL", "--drain", "TERM/5/KILL"}, .stop = {0, 2, {{SIGTERM, 10000}, S(SIGKILL)}},
		.drain = {0, 2, {{SIGTERM, 5000}, S(SIGKILL)}}},
	{.words = {"--timeout", "30"}, .timeout = 30000},
	{.words = {"--timeout", "30", "--stop", "TERM/10/KILL"}, .timeout = 30000,
		.stop = {0, 2, {{SIGTERM, 10000}, S(SIGKILL)}}},
	{.words = {"-r", "TERM:QUIT"}, .rewrite = {[SIGTERM] = SIGQUIT}},
	{.words = {"-r", "INT:TERM", "-e", "143"}, .rewrite = {[SIGINT] = SIGTERM}, .as = {[143] = 113}},
	{.words = {"-r", "TERM:0"}, .rewrite = {[SIGTERM] = 255}},
};
#define SETTINGS ((int)(sizeof settings / sizeof *settings))

/* the last may be dropped where a level is kept small */
static const struct outside all_outside[] = {
	{TO_FOSTER, SIGTERM}, {TO_PROGRAM_, SIGINT}, {KEY, SIGINT}, {TO_FOSTER, SIGQUIT}, {KEY, SIGTSTP},
	{TO_FOSTER, SIGHUP}, {TO_PROGRAM_, SIGTERM}, {TO_LAST, SIGTERM}, {JOINS, 0}, {TO_FOSTER, SIGINT},
	{TO_FOSTER, SIGUSR1}, {QUEUED, SIGTERM}, {KEY, SIGQUIT}, {TO_PROGRAM_, SIGKILL}, {TO_PROGRAM_, SIGHUP},
};

static void
choose_outside(int most)
{
	scene.outside_count = 0;
	for (size_t i = 0; i < sizeof all_outside / sizeof *all_outside && scene.outside_count < most; i++) {
		const struct outside *o = &all_outside[i];

		if (o->kind == KEY && !scene.terminal)
			continue;
		if (o->kind == JOINS && (!scene.init || !scene.set->drain.count))
			continue;
		if (o->kind == TO_LAST && scene.nodes < 2)
			continue;
		scene.outside[scene.outside_count++] = *o;
	}
}

/* habits that make a difference for a process of this place in the tree */
static bool
makes_sense(int n)
{
	const struct node *node = &scene.node[n];
	bool has_child = false;

	for (int i = n + 1; i < scene.nodes; i++)
		has_child = has_child || (scene.node[i].parent == n && scene.node[i].place != DAEMON);
	switch (node->habit) {
	case SHELL: case TRAP: case FORWARDS:
		return has_child;
	case READS:
		return scene.terminal && n && node->place != SESSION && node->place != DAEMON;
	case SUSPENDS:
		return n == 0 || node->place == MEMBER || node->place == JOB;
	case BACKGROUND: case JOB_FINISHES:
		return n > 0;
	case LEAVES:
		return node->place == MEMBER;
	case CHANGES_MIND:
		return n == 0;
	}
	return true;
}

static void
each_node(int n, const uint8_t *habits, int count, void (*each)(void))
{
	if (n == scene.nodes) {
		for (int i = 0; i < scene.nodes; i++)
			if (!makes_sense(i))
				return;
		each();
		return;
	}
	for (int parent = 0; parent < (n ? n : 1); parent++) {
		for (int place = MEMBER; place <= (n ? DAEMON : MEMBER); place++) {
			if (place == SESSION && n)
				continue;	/* a DAEMON whose parent is known */
			for (int h = 0; h < count; h++) {
				scene.node[n] = (struct node){habits[h], (uint8_t)place, (uint8_t)parent};
				each_node(n + 1, habits, count, each);
			}
		}
	}
}

#define ALL {DIES, FINISHES, CLEANS, IGNORES, BACKGROUND, JOB_FINISHES, SURVIVES, ENDS, ENDS_AS_ASKED, SHELL, TRAP, \
	FORWARDS, FORKS, CHANGES_MIND, SUSPENDS, READS, LEAVES}
#define MANY {DIES, FINISHES, JOB_FINISHES, SURVIVES, ENDS, ENDS_AS_ASKED, SHELL, TRAP, FORKS, SUSPENDS}
#define SOME {DIES, FINISHES, SHELL, ENDS, JOB_FINISHES, FORKS}
#define FEW {DIES, FINISHES, SHELL}

/* bounds: each tree of so many processes with these habits, each order of so many events of the
 * first kinds, with moments between any two calls of foster's where something may happen (races),
 * and calls that fail (faults) */
static const struct bounds {
	int nodes, events, outside, races, faults;
	bool terminal, without_proc;
	int count;
	uint8_t habits[HABITS];
} bounds[] = {
	{1, 2, 15, 0, 0, true, true, 17, ALL},
	{2, 1, 15, 0, 0, true, true, 17, ALL},
	{2, 2, 6, 0, 0, true, false, 10, MANY},
	{1, 1, 8, 1, 0, true, true, 17, ALL},
	{2, 1, 6, 1, 0, true, false, 6, SOME},
	{3, 1, 6, 0, 0, false, false, 6, SOME},
	{1, 1, 8, 0, 1, true, true, 17, ALL},
	{2, 1, 6, 0, 1, true, false, 6, SOME},
	{1, 3, 8, 0, 0, true, false, 10, MANY},
	{4, 1, 4, 0, 0, false, false, 3, FEW},
	/* from here on for as long as there is time */
	{1, 4, 15, 0, 0, true, true, 17, ALL},
	{2, 2, 15, 1, 0, true, true, 17, ALL},
	{2, 2, 8, 1, 1, true, false, 10, MANY},
	{2, 3, 8, 0, 0, true, false, 10, MANY},
	{3, 2, 8, 1, 0, true, false, 6, SOME},
	{3, 3, 6, 0, 0, true, false, 6, SOME},
	{4, 2, 6, 0, 0, true, false, 6, SOME},
	{4, 4, 6, 0, 0, true, false, 3, FEW},
};
#define CHECKED 10	/* bounds of level 1 */
#define BOUNDS ((int)(sizeof bounds / sizeof *bounds))

static void
each_of(const struct bounds *b, void (*each)(void))
{
	/* PID 1 or not; with a terminal; without /proc */
	for (int place = 0; place < 6; place++) {
		if ((place / 2 == 1 && !b->terminal) || (place / 2 == 2 && !b->without_proc))
			continue;
		for (int s = 0; s < SETTINGS; s++) {
			scene = (struct scene){.set = &settings[s], .init = place % 2 == 0, .terminal = place / 2 == 1,
				.proc = place / 2 < 2, .nodes = b->nodes, .events = b->events, .races = b->races,
				.faults = b->faults, .room = 100};
			choose_outside(b->outside);
			each_node(0, b->habits, b->count, each);
		}
	}
}

void
each_world(int level, void (*each)(void))
{
	int first = level == 1 ? 0 : level == 2 ? CHECKED : level - 10;
	int end = level == 1 ? CHECKED : level == 2 ? BOUNDS : level - 9;

	for (int i = first; i < end && i < BOUNDS; i++)
		each_of(&bounds[i], each);
}

void
random_scene(unsigned *seed)
{
	static const uint8_t habits[] = ALL;
	bool sensible;

	scene = (struct scene){.set = &settings[(size_t)rand_r(seed) % SETTINGS], .init = rand_r(seed) % 2, .proc = true,
		.alone = true, .nodes = 1 + rand_r(seed) % 4, .events = 1 + rand_r(seed) % 4, .room = 100};
	choose_outside(EVENTS);
	for (int i = 0; i < scene.outside_count; i++)
		if (scene.outside[i].kind == JOINS)
			scene.outside[i--] = scene.outside[--scene.outside_count];
	do {
		sensible = true;
		for (int i = 0; i < scene.nodes; i++)
			scene.node[i] = (struct node){habits[rand_r(seed) % HABITS], i ? (uint8_t)(rand_r(seed) % 4) : MEMBER,
				i ? (uint8_t)(rand_r(seed) % i) : 0};
		for (int i = 0; i < scene.nodes; i++)
			sensible = sensible && makes_sense(i) && scene.node[i].place != SESSION;
	} while (!sensible);
}

void
print_scene(char *text, size_t size)
{
	size_t n = (size_t)snprintf(text, size, "foster");

	for (int i = 0; scene.set->words[i]; i++)
		n += (size_t)snprintf(text + n, size - n, " %s", scene.set->words[i]);
	n += (size_t)snprintf(text + n, size - n, "\n%s, %s, %s; events %d races %d faults %d room %d outside %d\n",
		scene.init ? "PID 1" : "not PID 1", scene.terminal ? "a terminal" : "no terminal",
		scene.proc ? "/proc" : "no /proc", scene.events, scene.races, scene.faults, scene.room, scene.outside_count);
	for (int i = 0; i < scene.nodes; i++) {
		const struct node *node = &scene.node[i];

		if (i == 0)
			n += (size_t)snprintf(text + n, size - n, "program: %s\n", habit_names[node->habit]);
		else
			n += (size_t)snprintf(text + n, size - n, "%c: %s, %s of %c\n", 'a' + i - 1, habit_names[node->habit],
				place_names[node->place], node->parent ? 'a' + node->parent - 1 : 'p');
	}
}

static int
index_of(const char *word, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(word, names[i]) == 0)
			return i;
	return -1;
}

bool
read_scene(const char *text)
{
	char own[256], habit[32], place[32], who;
	int most, used = 0, n = 0;

	for (int s = 0; s < SETTINGS; s++) {
		scene.set = &settings[s];
		scene.nodes = 0;
		print_scene(own, sizeof own);
		*strchr(own, '\n') = '\0';
		if (strncmp(text, own, strlen(own)) == 0 && text[strlen(own)] == '\n')
			break;
		if (s == SETTINGS - 1)
			return false;
	}
	text = strchr(text, '\n') + 1;
	scene.init = strncmp(text, "PID 1", 5) == 0;
	scene.terminal = strstr(text, " a terminal") != NULL;
	scene.proc = strstr(text, "no /proc") == NULL;
	if (sscanf(strchr(text, ';'), "; events %d races %d faults %d room %d outside %d\n%n", &scene.events, &scene.races,
	    &scene.faults, &scene.room, &most, &used) != 5)
		return false;
	text = strchr(text, ';') + used;
	while (n < NODES) {
		scene.node[n] = (struct node){0};
		if (n == 0 ? sscanf(text, "program: %31[a-z-]\n%n", habit, &used) != 1 :
		    sscanf(text, "%*c: %31[a-z-], %31[a-z] of %c\n%n", habit, place, &who, &used) != 3)
			break;
		scene.node[n].habit = (uint8_t)index_of(habit, habit_names, HABITS);
		if (n) {
			scene.node[n].place = (uint8_t)index_of(place, place_names, 4);
			scene.node[n].parent = who == 'p' ? 0 : (uint8_t)(who - 'a' + 1);
		}
		n++;
		text += used;
	}
	scene.nodes = n;
	choose_outside(most);
	return n > 0;
}
