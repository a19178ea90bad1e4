/*
 * explore.c: all lives of small worlds, depth first, with a set of seen states.
 * SPDX-License-Identifier: MIT
 *
 * foster runs as it is, on a stack of its own. Where more than one thing can happen next, the
 * moment is copied (foster's stack, its state, the world), and each alternative is followed from
 * there. A moment that was there before is not followed again.
 *
 * usage: explore [--level N] [--seconds N] [--jobs N] [--sample N] [--found FOLDER] [--first]
 *	--sample: one of so many worlds of two processes and more; --first: no more of them once a claim
 *	is broken
 *        explore --again FILE	tells one life as a story
 *        explore --walk SEED	a life by chance, as a script for play
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "life.h"

#define STACK ((size_t)1 << 20)
#define DEPTH 8000	/* choices in a life */
#define ARENA ((size_t)64 << 20)	/* bytes that those of one life keep of foster's */
#define STORIES 6	/* that one job tells; the rest is counted */
#define MOST_CLAIMS 32
#define FIRST_SEEN ((size_t)1 << 16)
#define MOST_SEEN ((size_t)1 << 23)
#define PIDS 16		/* bytes of foster's map of PIDs that a world of few processes touches */

int foster_main(int argc, char **argv);
/* the linker's names for what calls.c is not in front of */
int __real_clock_gettime(clockid_t, struct timespec *);
_Noreturn void __real__exit(int);

/* state.c: foster's state, and the map of PIDs in it; NULL before the first life */
extern struct { char *state, *state_end, *map, *map_end; } foster_memory;

struct scene scene;
bool telling, walking;

static _Alignas(64) char stack[STACK];
static char *low;		/* what is used of it */
static jmp_buf explorer, foster;
static ucontext_t at_start, at_end;
static int alternatives, chosen;
static enum { CHOICE, OVER, BROKEN } outcome;
static const char *claim;
static char reason[256];

/* a moment with alternatives */
struct moment {
	jmp_buf foster;
	struct world w;
	char *low;
	int count, next;
	char *kept;	/* in the arena */
};
static char *arena, *arena_used;
static struct moment *path;
static int depth, most_depth = DEPTH;

static struct {
	uint64_t key;
	uint16_t depth;
} *seen;
static size_t seen_size, seen_count;

static struct totals {
	uint64_t all_worlds, worlds, lives, states, broken, unfinished, of_claim[MOST_CLAIMS];
} *totals;
static const char *found_folder;
static int64_t stop_at;
static int given_count;
static int given[DEPTH];
static uint64_t world_number;

/* ---- foster's side */

int
choose(int n)
{
	low = (char *)__builtin_frame_address(0) - 512;
	alternatives = n;
	outcome = CHOICE;
	if (_setjmp(foster) == 0)
		_longjmp(explorer, 1);
	return chosen;
}

void
life_over(void)
{
	outcome = OVER;
	_longjmp(explorer, 1);
}

void
broken(const char *what, const char *why)
{
	claim = what;
	snprintf(reason, sizeof reason, "%s", why);
	outcome = BROKEN;
	_longjmp(explorer, 1);
}

void
tell(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("  ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

void
tell_script(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

static void
be_foster(void)
{
	char *argv[12] = {(char *)"foster"};
	int argc = 1;

	for (; scene.set->words[argc - 1]; argc++)
		argv[argc] = (char *)scene.set->words[argc - 1];
	argv[argc++] = (char *)"--";
	argv[argc++] = (char *)"program";
	optind = 0;	/* getopt(3): start over */
	foster_main(argc, argv);
	broken(claims[4], "main returns");
}

/* ---- moments */

/* The pieces of memory that are foster's: its stack, and its state, without the untouched part of
 * the map of PIDs. piece(0), piece(1), ... until false. */
static bool
piece(int n, char **from, char **to)
{
	char *start = foster_memory.state;
	bool on_stack = start >= stack && start < stack + STACK;

	if (n == 0) {
		*from = low;
		*to = on_stack ? foster_memory.map + PIDS : stack + STACK;
		return true;
	}
	if (!start || n > (on_stack ? 1 : 2))
		return false;
	*from = n == 1 && !on_stack ? start : foster_memory.map_end;
	*to = on_stack ? stack + STACK : n == 1 ? foster_memory.map + PIDS : foster_memory.state_end;
	return true;
}

static void
keep(struct moment *at)
{
	char *from, *to, *into = arena_used;

	at->kept = arena_used;
	memcpy(&at->foster, &foster, sizeof foster);
	at->w = w;
	at->low = low;
	at->count = alternatives;
	at->next = 0;
	for (int n = 0; piece(n, &from, &to); n++) {
		if (into + (to - from) > arena + ARENA) {
			fprintf(stderr, "a life has more to keep than was thought\n");
			abort();
		}
		memcpy(into, from, (size_t)(to - from));
		into += to - from;
	}
	arena_used = into;
}

static void
return_to(const struct moment *at)
{
	char *from, *to;
	const char *kept = at->kept;

	memcpy(&foster, &at->foster, sizeof foster);
	w = at->w;
	low = at->low;
	for (int n = 0; piece(n, &from, &to); n++) {
		memcpy(from, kept, (size_t)(to - from));
		kept += to - from;
	}
	arena_used = (char *)kept;
}

static uint64_t
mix(uint64_t v)
{
	v = (v ^ v >> 32) * 0x9e3779b97f4a7c15;
	v = (v ^ v >> 29) * 0xbf58476d1ce4e5b9;
	return v ^ v >> 32;
}

/* a word of memory, in which a time counts from now on, so that the same moment at another time
 * is the same; what is long over is over, whenever that was */
static int64_t
without_clock(int64_t v)
{
	const int64_t day_ms = (int64_t)86400 * 1000, long_ago_ms = -62 * 1000;
	int64_t since_ms = v - w.now, since_us = v - w.now * 1000;

	if (since_us > -day_ms * 1000 && since_us < day_ms * 1000)
		return (since_us < long_ago_ms * 1000 ? long_ago_ms * 1000 : since_us) + 0x1111111111111111;
	if (since_ms > -day_ms && since_ms < day_ms)
		return (since_ms < long_ago_ms ? long_ago_ms : since_ms) + 0x2222222222222222;
	return v;
}

/* the sum does not depend on an order, so that a processor need not wait for one word's product
 * before the next one's */
static uint64_t
hash_words(uint64_t place, const char *from, const char *to)
{
	const int64_t day_s = 86400;
	uint64_t sum = 0;
	int64_t v, ns;

	for (; from + 8 <= to; from += 8, place += 0x632be59bd9b4e019) {
		memcpy(&v, from, 8);
		if (v == 0)
			continue;
		if (v >> 39) {
			v = without_clock(v);
			/* seconds, with nanoseconds behind them */
			if (v > w.now / 1000 - day_s && v < w.now / 1000 + day_s && from + 16 <= to) {
				memcpy(&ns, from + 8, 8);
				v = v * 1000 + ns / 1000000 - w.now + 0x3333333333333333;
				from += 8;
			}
		}
		sum += mix((uint64_t)v + place);
	}
	return sum;
}

static uint64_t
hash(void)
{
	uint64_t h = mix(world_number * 0x10001 + (uint64_t)most_depth);
	char *from, *to;

	h += hash_words(1, (char *)&w, (char *)&w + sizeof w);
	h += hash_words(2, (char *)&foster[0].__jmpbuf, (char *)&foster[0].__jmpbuf + sizeof foster[0].__jmpbuf);
	for (int n = 0; piece(n, &from, &to); n++)
		h += hash_words(3 + (uint64_t)n, n == 0 ? from + 512 : from, to);
	return h ? h : 1;
}

/* true if it was there, at this depth or an earlier one */
static bool
was_seen(uint64_t key)
{
	size_t i;

	if (seen_count * 2 > seen_size && seen_size < MOST_SEEN) {
		typeof(seen) old = seen;
		size_t old_size = seen_size;

		seen_size *= 4;
		seen = calloc(seen_size, sizeof *seen);
		for (size_t o = 0; o < old_size; o++) {
			if (!old[o].key)
				continue;
			for (i = old[o].key & (seen_size - 1); seen[i].key; i = (i + 1) & (seen_size - 1))
				;
			seen[i] = old[o];
		}
		free(old);
	}
	for (i = key & (seen_size - 1); seen[i].key; i = (i + 1) & (seen_size - 1)) {
		if (seen[i].key != key)
			continue;
		if (seen[i].depth <= depth)
			return true;
		seen[i].depth = (uint16_t)depth;
		return false;
	}
	seen[i].key = key;
	seen[i].depth = (uint16_t)depth;
	seen_count++;
	return false;
}

static void
forget_seen(void)
{
	if (seen_count * 4 > seen_size || !seen) {
		free(seen);
		seen_size = FIRST_SEEN;
		seen = calloc(seen_size, sizeof *seen);
		seen_count = 0;
	}
}

/* ---- the explorer's side */

static void
start_life(void)
{
	new_world(scene.init, scene.terminal, scene.proc);
	if (scene.alone && !scene.init) {
		new_session(FOSTER);
		FOSTER->left_group = false;
	}
	w.room = (uint8_t)scene.room;
	w.events = (uint8_t)scene.events;
	w.races = (uint8_t)scene.races;
	w.faults = (uint8_t)scene.faults;
	if (foster_memory.state) {
		memset(foster_memory.state, 0, (size_t)(foster_memory.map + PIDS - foster_memory.state));
		memset(foster_memory.map_end, 0, (size_t)(foster_memory.state_end - foster_memory.map_end));
	}
	low = stack + STACK - 4096;
	memset(low, 0, 4096);
	getcontext(&at_start);
	at_start.uc_stack.ss_sp = stack;
	at_start.uc_stack.ss_size = STACK;
	at_start.uc_link = &at_end;
	makecontext(&at_start, be_foster, 0);
}

/* goes on with foster until there is an outcome */
static void
run(bool from_start)
{
	if (_setjmp(explorer) == 0) {
		if (from_start)
			setcontext(&at_start);
		_longjmp(foster, 1);
	}
}

/* all lives of the world; false: a claim is broken, and path leads there */
static bool
explore(void)
{
	depth = 0;
	arena_used = arena;
	start_life();
	run(true);
	for (;;) {
		if (outcome == BROKEN)
			return false;
		if (outcome == CHOICE && depth < most_depth && !was_seen(hash())) {
			totals->states++;
			keep(&path[depth++]);
			chosen = 0;
			run(false);
			continue;
		}
		if (outcome == CHOICE && depth == DEPTH)
			totals->unfinished++;
		totals->lives++;
		while (depth && path[depth - 1].next + 1 == path[depth - 1].count)
			depth--;
		if (!depth)
			return true;
		return_to(&path[depth - 1]);
		chosen = ++path[depth - 1].next;
		run(false);
	}
}

/* the same life once more, told */
static void
tell_life(void)
{
	telling = true;
	start_life();
	run(true);
	for (int i = 0; outcome == CHOICE && i < given_count; i++) {
		chosen = given[i] < alternatives ? given[i] : 0;
		run(false);
	}
	telling = false;
	if (outcome == BROKEN)
		printf("  NOT SO: %s\n  %s.\n", claim, reason);
	else
		printf("  nothing is broken\n");
}

/* true the first few times that a claim is broken in this way */
static bool
is_new(void)
{
	static char reported[STORIES][128];
	char key[128];

	snprintf(key, sizeof key, "%.60s|%.60s", claim, reason);
	for (int i = 0; i < STORIES; i++) {
		if (strcmp(reported[i], key) == 0)
			return false;
		if (*reported[i])
			continue;
		snprintf(reported[i], sizeof reported[i], "%s", key);
		return true;
	}
	return false;
}

static void
keep_path(void)
{
	given_count = depth;
	for (int i = 0; i < depth; i++)
		given[i] = path[i].next;
}

static void
report(void)
{
	struct totals before = *totals;
	const char *what = claim;
	char text[512], name[256];
	FILE *file;

	keep_path();
	/* as short as possible */
	while (depth > 1) {
		most_depth = depth - 1;
		world_number++;
		if (explore())
			break;
		if (claim != what)
			break;
		keep_path();
	}
	most_depth = DEPTH;
	*totals = before;
	print_scene(text, sizeof text);
	printf("\nA life that breaks the reference:\n%s", text);
	tell_life();
	fflush(stdout);
	if (!found_folder)
		return;
	snprintf(name, sizeof name, "%s/%llu.life", found_folder, (unsigned long long)world_number);
	file = fopen(name, "w");
	if (!file)
		return;
	fprintf(file, "%schoices", text);
	for (int i = 0; i < given_count; i++)
		fprintf(file, " %d", given[i]);
	fprintf(file, "\n");
	fclose(file);
	printf("  again: explore --again %s\n", name);
	fflush(stdout);
}

static int64_t
clock_ms(void)
{
	struct timespec t;

	__real_clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int job, jobs = 1;
static bool first_only;
static unsigned sample = 1;	/* of so many worlds of two processes and more, one */
static struct totals *all;
static uint64_t all_worlds;

static void
each(void)
{
	totals->all_worlds++;
	all_worlds++;
	for (int i = 0; first_only && i < jobs; i++)
		if (all[i].broken)
			return;
	/* in no order, so that a sample has some of each kind */
	if ((scene.nodes > 1 && mix(all_worlds) % sample) || mix(all_worlds) / sample % (uint64_t)jobs != (uint64_t)job)
		return;
	if (stop_at && clock_ms() > stop_at)
		return;
	world_number = all_worlds << 16;
	forget_seen();
	totals->worlds++;
	if (!explore()) {
		totals->broken++;
		for (int i = 0; claims[i]; i++)
			totals->of_claim[i] += claims[i] == claim;
		if (is_new())
			report();
	}
}

/* A life by chance, as a script: whatever happens is followed by all that it brings about, and no
 * time passes, so that it can be played. */
static int
walk(unsigned seed)
{
	struct event event[32];
	char text[512];
	int n, own[32], count;

	random_scene(&seed);
	print_scene(text, sizeof text);
	printf("%s", text);
	walking = true;
	start_life();
	run(true);
	while (outcome == CHOICE) {
		n = enabled(event, 32);
		count = 0;
		for (int i = 0; i < n && count < 32; i++)
			if (event[i].kind != TAKES)
				own[count++] = i;
		if (alternatives == n + 1 && pending(FOSTER)) {
			chosen = 0;	/* foster takes it */
		} else if (is_busy()) {
			for (chosen = 0; event[chosen].kind != TAKES && chosen < n - 1; chosen++)
				;
			if (event[chosen].kind != TAKES)
				chosen = own[0];
		} else {
			script_state();
			if (!count || rand_r(&seed) % 20 == 0)
				break;
			chosen = own[rand_r(&seed) % count];
		}
		run(false);
	}
	if (outcome == BROKEN)
		printf("broken %s: %s\n", claim, reason);
	return 0;
}

static int
again(const char *name)
{
	char text[4096], *choices;
	FILE *file = fopen(name, "r");
	size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;

	text[n] = '\0';
	if (file)
		fclose(file);
	choices = strstr(text, "choices");
	if (!choices || !read_scene(text)) {
		fprintf(stderr, "%s: not a life\n", name);
		return 2;
	}
	for (char *word = strtok(choices + 7, " \n"); word && given_count < DEPTH; word = strtok(NULL, " \n"))
		given[given_count++] = atoi(word);
	choices[0] = '\0';
	printf("%s", text);
	tell_life();
	return outcome == BROKEN;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"level", 1, NULL, 'l'}, {"seconds", 1, NULL, 's'},
		{"jobs", 1, NULL, 'j'}, {"found", 1, NULL, 'f'}, {"again", 1, NULL, 'a'}, {"first", 0, NULL, '1'}, {"walk", 1, NULL, 'w'},
		{"sample", 1, NULL, 'n'}, {0}};
	int level = 1, seconds = 0, c;
	const char *file = NULL, *seed = NULL;
	struct totals sum = {0};
	int64_t began = clock_ms();
	struct rusage used;
	double took, busy;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'l': level = atoi(optarg); break;
		case 's': seconds = atoi(optarg); break;
		case 'j': jobs = atoi(optarg); break;
		case 'f': found_folder = optarg; break;
		case 'a': file = optarg; break;
		case '1': first_only = true; break;
		case 'w': seed = optarg; break;
		case 'n': sample = (unsigned)atoi(optarg); break;
		default: return 2;
		}
	}
	environ = (char *[]){NULL};
	path = calloc(DEPTH + 1, sizeof *path);
	arena = malloc(ARENA);
	forget_seen();
	all = mmap(NULL, sizeof *all * (size_t)(jobs + 1), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	totals = all;
	if (file)
		return again(file);
	if (seed)
		return walk((unsigned)atoi(seed));
	if (seconds)
		stop_at = began + seconds * 1000;
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	for (job = 0; job < jobs; job++) {
		if (jobs == 1 || fork() == 0) {
			totals = &all[job];
			each_world(level, each);
			fflush(stdout);
			if (jobs > 1)
				__real__exit(0);
		}
	}
	for (c = 0; jobs > 1 && wait(&level) > 0; )
		c |= level;
	took = (double)(clock_ms() - began) / 1000;
	getrusage(jobs > 1 ? RUSAGE_CHILDREN : RUSAGE_SELF, &used);
	busy = (double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec / 1e6 + (double)used.ru_stime.tv_sec +
		(double)used.ru_stime.tv_usec / 1e6;
	for (int i = 0; i < jobs; i++) {
		sum.worlds += all[i].worlds;
		sum.lives += all[i].lives;
		sum.states += all[i].states;
		sum.broken += all[i].broken;
		sum.unfinished += all[i].unfinished;
		for (int k = 0; claims[k]; k++)
			sum.of_claim[k] += all[i].of_claim[k];
	}
	for (int k = 0; claims[k]; k++) {
		if (sum.of_claim[k])
			printf("not ok %s (broken in %llu worlds)\n", claims[k], (unsigned long long)sum.of_claim[k]);
		else
			printf("ok %s\n", claims[k]);
	}
	printf("%s each life is followed to its end\n", sum.unfinished || c ? "not ok" : "ok");
	if (sum.worlds < all->all_worlds)
		printf("# there was time for %llu of %llu worlds\n", (unsigned long long)sum.worlds,
			(unsigned long long)all->all_worlds);
	printf("# %llu worlds, %llu lives, %llu states in %.0f s, on %d cores; %.0f lives a second of a core's time\n",
		(unsigned long long)sum.worlds, (unsigned long long)sum.lives, (unsigned long long)sum.states, took, jobs,
		(double)sum.lives / busy);
	return c || sum.broken || !sum.worlds;
}
