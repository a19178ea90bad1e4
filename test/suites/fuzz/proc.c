/*
 * proc.c: fuzzes the readers of /proc and of the cgroup's files, beside plain ones made here.
 * SPDX-License-Identifier: MIT
 *
 * The input: files as in fuzz.h: /proc/PID/stat, /proc/PID/status, /proc/self/cgroup, ...
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define GROUP 7
#define SELF 1

/* a process, where its stat file is as the kernel writes it */
struct plain {
	bool alive;
	int pid, parent, group;
};

static struct plain all[MAX_FILES];
static int count;
static bool sure;	/* that all of them are plain */

int
execute(const char *file, char **argv, char **env)
{
	(void)file;
	(void)argv;
	(void)env;
	return ENOENT;
}

static bool
read_plain(const struct file *file, struct plain *p)
{
	const char *end = NULL, *open;
	int flags, threads, used = 0, digits = 0;
	char state, rest;

	if (sscanf(file->name, "/proc/%9d/stat%c", &p->pid, &rest) != 1 || file->name[6] < '1' || file->name[6] > '9')
		return false;
	if (!file->len || file->len > 511 || strlen(file->data) != file->len || file->data[file->len - 1] != '\n')
		return false;
	end = strrchr(file->data, ')');
	open = strchr(file->data, '(');
	if (!end || !open || open > end || file->len - (size_t)(end - file->data) < 4 || end[1] != ' ' || end[3] != ' ')
		return false;
	if (sscanf(end, ") %c %9d %9d %*9d %*9d %*9d %9d %*9d %*9d %*9d %*9d %*9d %*9d %*9d %*9d %*9d %*9d %9d%c%n",
	    &state, &p->parent, &p->group, &flags, &threads, &rest, &used) != 6 || (rest != ' ' && rest != '\n'))
		return false;
	/* no sign but one '-' at a number's start, no blank but one between two; and no number of
	 * which a part was read for the next one */
	for (const char *at = end + 1; at < end + used - 1; at++) {
		digits = *at >= '0' && *at <= '9' ? digits + 1 : 0;
		if (digits > 9 || (*at == ' ' && (at[1] == ' ' || at[1] == '\n')) || *at == '+' || *at == '\t' || *at == '\n' ||
		    *at == '\v' || *at == '\f' || *at == '\r' || (*at == '-' && at[-1] != ' '))
			return false;
	}
	if (p->parent < 0 || p->group < 0 || threads < 0)
		return false;
	/* the kernel's own threads are nobody to wait for; foster reads no sign */
	p->alive = !(abs(flags) & 0x200000) && (threads > 1 || (state != 'Z' && state != 'X'));
	return true;
}

static void
read_all(void)
{
	const char *status;
	char name[64];
	struct plain p;

	count = 0;
	sure = true;
	for (int i = 0; i < file_count; i++) {
		if (strncmp(files[i].name, "/proc/", 6) != 0 || !strstr(files[i].name, "/stat"))
			continue;
		if (!read_plain(&files[i], &p) || file_named(files[i].name) != &files[i]) {
			status = strstr(files[i].name, "/status");
			sure = sure && status && !status[strlen("/status")];
			continue;
		}
		snprintf(name, sizeof name, "/proc/%d/stat", p.pid);
		sure = sure && strcmp(name, files[i].name) == 0;
		all[count++] = p;
	}
}

/* sig alone if it is 9, else with SIGCONT behind it */
static void
expect_sent(int sig, const int *pids, int n)
{
	char expected[sizeof sent] = "";
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += (size_t)snprintf(expected + len, sizeof expected - len, "%d>%d 18>%d ", sig, pids[i], pids[i]);
	must(strcmp(sent, expected) == 0);
}

static bool
descends(int i)
{
	for (int steps = 0; steps <= count; steps++) {
		int parent = all[i].parent;

		if (parent == SELF)
			return true;
		for (i = 0; i < count && all[i].pid != parent; i++)
			;
		if (i == count)
			return false;
	}
	sure = false;	/* a circle, which no kernel makes */
	return false;
}

static void
look_at_processes(void)
{
	struct state st = {.self = SELF, .group = GROUP, .init = true};
	int alive = 0, members = 0, living = 0, named = 0, pids[MAX_FILES], n = 0;
	char text[128], more[32] = "";
	bool is_empty;

	for (int i = 0; i < count; i++) {
		alive += all[i].alive && all[i].pid != SELF;
		members += all[i].group == GROUP;
		living += all[i].group == GROUP && all[i].alive;
		named += all[i].group == GROUP && all[i].alive && all[i].pid != SELF;
	}
	is_empty = group_empty(GROUP);
	must(!sure || is_empty == (members > 0 && !living));
	is_empty = nothing_left(&st, true);
	must(!sure || is_empty == !alive);
	left_text(&st, true, text, sizeof text);
	must(memchr(text, '\0', sizeof text) != NULL);
	if (sure && alive > 1)
		snprintf(more, sizeof more, ") and %d more", alive - 1);
	must(!sure || (strncmp(text, "pid ", 4) == 0) == (alive > 0));
	must(!sure || !*more || strcmp(text + strlen(text) - strlen(more), more) == 0);
	left_text(&st, false, text, sizeof text);
	must(!sure || (strncmp(text, "pid ", 4) == 0) == (named > 0));

	st.init = false;
	sent[0] = '\0';
	send_drain(&st, SIGUSR1);
	for (int i = 0; i < count; i++)
		if (all[i].alive && all[i].pid != SELF && descends(i))
			pids[n++] = all[i].pid;
	if (sure)
		expect_sent(SIGUSR1, pids, n);
	left_text(&st, true, text, sizeof text);
	must(!sure || (strncmp(text, "pid ", 4) == 0) == (n > 0));
}


/* who was told to end is a member that lives */
static void
told_members(void)
{
	bool found;
	int sig, pid, used;

	for (const char *at = sent; sscanf(at, "%d>%d %n", &sig, &pid, &used) == 2; at += used) {
		found = false;
		for (int i = 0; i < count; i++)
			found = found || (all[i].pid == pid && all[i].group == GROUP && all[i].alive);
		must(!sure || found);
	}
}

/* the number behind key, in the first line that has one there; as read_field, but all at once */
static bool
plain_field(const struct file *file, const char *key, int base, uint64_t *value)
{
	const char *end = file->data + file->len, *line = file->data, *at, *stop;
	bool found = false;

	for (; line < end && !found; line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		stop = stop ? stop : end;
		if ((size_t)(stop - line) < strlen(key) || memcmp(line, key, strlen(key)) != 0)
			continue;
		*value = 0;
		for (at = line + strlen(key); at < stop && *at != '/'; at++) {
			const char *digits = "0123456789abcdef", *digit = *at ? strchr(digits, *at) : NULL;

			if (digit && digit - digits < base) {
				*value = *value * (uint64_t)base + (uint64_t)(digit - digits);
				found = true;
			}
		}
	}
	return found;
}

/* it doesn't matter how many bytes a read(2) gives */
static void
look_at_fields(void)
{
	static const struct { const char *key; int base; } fields[] = {
		{"SigIgn:", 16}, {"oom_kill ", 10}, {"SigQ:", 10}, {"FDSize:", 10},
	};
	static const size_t chunks[] = {1, 2, 3, 7, 511, SIZE_MAX};
	uint64_t value, limit, expected, first = 0, first_limit = 0;
	bool found;

	for (int i = 0; i < file_count; i++) {
		if (file_named(files[i].name) != &files[i])
			continue;
		for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
			bool there = plain_field(&files[i], fields[f].key, fields[f].base, &expected);

			for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
				opens = 0;
				chunk = chunks[c];
				found = read_field(files[i].name, fields[f].key, fields[f].base, &value, &limit);
				if (c > 0)
					must(value == first && limit == first_limit);
				first = value;
				first_limit = limit;
				/* two numbers: which line counts is told apart in another way */
				if (memchr(files[i].data, '/', files[i].len))
					continue;
				must(found == there && (!there || value == expected));
			}
		}
	}
	chunk = SIZE_MAX;
}

static void
look_at_cgroup(void)
{
	const struct file *cgroup = file_named("/proc/self/cgroup");
	uint64_t kills, expected;
	const struct file *events = file_named("/sys/fs/cgroup/memory.events");

	opens = 0;
	kills = oom_kills();
	/* without /proc a v2 container has its own at the top */
	if (!cgroup && (!events || !memchr(events->data, '/', events->len)))
		must(kills == (events && plain_field(events, "oom_kill ", 10, &expected) ? expected : 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (read_files(data, size)) {
		read_all();
		look_at_processes();
		opens = 0;
		sent[0] = '\0';
		tell_ignoring(GROUP, SIGINT);
		told_members();
		look_at_fields();
		look_at_cgroup();
		must(said_len == 0);
	}
	free_files();
	return 0;
}
