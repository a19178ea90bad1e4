/*
 * proc.c: fuzzes the readers of /proc and of the cgroup's files, beside plain ones made here.
 * SPDX-License-Identifier: MIT
 *
 * The input: files as in fuzz.h: /proc/thread-self/children, /proc/PID/status, /proc/PID/comm,
 * /proc/self/cgroup, ...; /proc/PID/child and /proc/PID/zombie as in world.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define SELF getpid()
#define MAX_FOUND 4000

static const size_t chunks[] = {1, 2, 3, 7, 511, SIZE_MAX};

int
execute(const char *file, char **argv, char **env)
{
	(void)file;
	(void)argv;
	(void)env;
	return ENOENT;
}

static struct file *
file_of(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return file_named(path);
}

/* whether foster's reader sees all of it: the kernel writes no NUL and no line of a kilobyte */
static bool
is_plain(const struct file *file)
{
	size_t line = 0;

	for (size_t i = 0; i < file->len; i++) {
		line = file->data[i] == '\n' ? 0 : line + 1;
		if (!file->data[i] || line > 1000)
			return false;
	}
	return true;
}

/* the number behind key, at the start of a line that ends */
static bool
plain_field(const struct file *file, const char *key, int base, uint64_t *value)
{
	const char *digits = "0123456789abcdef", *digit, *line = file->data;

	for (; strchr(line, '\n'); line = strchr(line, '\n') + 1) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		*value = 0;
		line += strlen(key);
		for (line += strspn(line, " \t"); *line && (digit = strchr(digits, *line)) && digit - digits < base; line++)
			*value = *value * (uint64_t)base + (uint64_t)(digit - digits);
		return true;
	}
	return false;
}

/* a walk must give these, in this order */
static void
check_walk(bool joined, const pid_t *pids, int count)
{
	struct walk w;
	pid_t pid;
	int n;

	for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
		chunk = chunks[c];
		opens = 0;
		must(start_walk(&w, SELF, joined));
		for (n = 0; (pid = next_child(&w)); n++)
			must(n < count && pid == pids[n]);
		must(n == count);
	}
	chunk = SIZE_MAX;
}

/* the kernel's list: numbers, whatever is between them */
static void
look_at_list(void)
{
	const struct file *list = file_named("/proc/thread-self/children");
	static pid_t pids[MAX_FOUND];
	long pid;
	char *end;
	int count = 0;

	if (!list || !is_plain(list))
		return;
	for (const char *at = list->data; *at && count < MAX_FOUND; at = end) {
		at += strcspn(at, "0123456789");
		end = (char *)at + strspn(at, "0123456789");
		if (end - at > 9)
			return;
		pid = strtol(at, NULL, 10);
		if (pid && file_of((pid_t)pid, "child"))
			pids[count++] = (pid_t)pid;
	}
	if (count < MAX_FOUND)
		check_walk(false, pids, count);
}

/* all of /proc: foster's children, and who has no parent here but memory */
static void
look_at_processes(void)
{
	pid_t pids[MAX_FILES], pid;
	uint64_t parent, size;
	int count = 0, used;

	for (int i = 0; i < file_count; i++) {
		used = 0;
		if (sscanf(files[i].name, "/proc/%9d%n", &pid, &used) != 1 || strcmp(files[i].name + used, "/status") != 0)
			continue;
		if (!is_plain(&files[i]) || file_of(pid, "status") != &files[i] || pid <= 0)
			return;
		if (file_of(pid, "child") || (pid != SELF && plain_field(&files[i], "PPid:", 10, &parent) && !parent &&
		    plain_field(&files[i], "VmSize:", 10, &size)))
			pids[count++] = pid;
	}
	/* a folder that is no number, or one that is too long, is none of the kernel's */
	for (int i = 0; i < file_count; i++) {
		size_t len = strlen(files[i].name), digits = strspn(files[i].name + (len > 6 ? 6 : len), "0123456789");

		if (len >= 13 && strncmp(files[i].name, "/proc/", 6) == 0 && strcmp(files[i].name + len - 7, "/status") == 0 &&
		    (digits != len - 13 || digits > 9))
			return;
	}
	check_walk(true, pids, count);
}

static void
look_at_names(void)
{
	char name[64], copy[64];
	pid_t pid;
	int used;

	for (int i = 0; i < file_count; i++) {
		used = 0;
		if (sscanf(files[i].name, "/proc/%9d%n", &pid, &used) != 1 || strcmp(files[i].name + used, "/comm") != 0)
			continue;
		if (file_of(pid, "comm") != &files[i])
			continue;
		opens = 0;
		if (!files[i].len) {
			must(strcmp(process_name(pid, name, sizeof name), "?") == 0);
			continue;
		}
		snprintf(copy, sizeof copy, "%.*s", (int)(files[i].len < 63 ? files[i].len - 1 : 62), files[i].data);
		must(strcmp(process_name(pid, name, sizeof name), copy) == 0);
	}
}

/* it doesn't matter how many bytes a read(2) gives */
static void
look_at_fields(void)
{
	static const struct { const char *key; unsigned base; } fields[] = {
		{"SigIgn:", 16}, {"oom_kill ", 10}, {"PPid:", 10}, {"FDSize:", 10},
	};
	uint64_t value, expected;
	bool there;

	for (int i = 0; i < file_count; i++) {
		if (file_named(files[i].name) != &files[i] || !is_plain(&files[i]))
			continue;
		for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
			there = plain_field(&files[i], fields[f].key, (int)fields[f].base, &expected);
			for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
				opens = 0;
				chunk = chunks[c];
				must(read_field(files[i].name, fields[f].key, fields[f].base, &value) == there);
				must(!there || value == expected);
			}
		}
	}
	chunk = SIZE_MAX;
}

static void
look_at_cgroup(void)
{
	const struct file *cgroup = file_named("/proc/self/cgroup");
	const struct file *events = file_named("/sys/fs/cgroup/memory.events");
	uint64_t kills, expected;

	opens = 0;
	kills = oom_kills();
	/* without /proc a v2 container has its own at the top */
	if (!cgroup && (!events || is_plain(events)))
		must(kills == (events && plain_field(events, "oom_kill ", 10, &expected) ? expected : 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (read_files(data, size)) {
		look_at_list();
		look_at_processes();
		look_at_names();
		look_at_fields();
		look_at_cgroup();
		must(said_len == 0);
	}
	free_files();
	return 0;
}
