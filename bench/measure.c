/*
 * measure.c: runs inits in turn as PID 1 of fresh PID namespaces, and takes the time.
 * SPDX-License-Identifier: MIT
 *
 * usage: measure [OPTION]... TEST NAME=COMMAND...
 *   TEST	start, signal, flood, reap, stop, drain, idle or fleet
 *   COMMAND	an init and its options, separated by blanks; empty: the program is PID 1 itself
 *   -r N	rounds. Each runs every init once, in an order that is drawn anew
 *   -n N	how many signals, orphans, processes or inits a run has
 *   -t N	how many times the orphans come; for idle, how many seconds it takes
 *   -k WORD	the kind of orphans (burst, stream) or of signals (plain, payload)
 *   -c DIR	a memory cgroup, for fleet
 *
 * Prints lines: test, case, name, what, unit, values, lower quartile, median, upper quartile.
 * "over" is the difference to the bare program in the same round.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "page.h"

#define MAX_INITS 16
#define MAX_WORDS 16
#define SETTLE_MS 2000
#define LIMIT_MS 20000

enum what { START, END, LATENCY, CPU, ARRIVED, INTACT, ZOMBIES, WAKES, RESIDENT, PROPORTIONAL, ANONYMOUS,
	    TABLES, CHARGED, KERNEL, KINDS };

static const struct {
	const char *name, *unit;
	bool over;		/* the bare program's is taken off as well */
} kinds[KINDS] = {
	[START] = {"start", "us", true}, [END] = {"end", "us", true},
	[LATENCY] = {"latency", "us", true}, [CPU] = {"cpu", "us", false},
	[ARRIVED] = {"arrived", "signals", false}, [INTACT] = {"intact", "signals", false},
	[ZOMBIES] = {"zombies", "processes", false}, [WAKES] = {"wake-ups", "times", false},
	[RESIDENT] = {"resident", "kB", false}, [PROPORTIONAL] = {"proportional", "kB", false},
	[ANONYMOUS] = {"anonymous", "kB", false}, [TABLES] = {"page tables", "kB", false},
	[CHARGED] = {"charged", "kB", true}, [KERNEL] = {"kernel", "kB", true},
};

struct series {
	size_t count, size;
	double *value;
};

static struct init {
	const char *name;
	char *word[MAX_WORDS + 8];
	int words;
	struct series series[KINDS];
} inits[MAX_INITS];

static int init_count;
static int rounds = 1, number = 1, times = 1;
static const char *test, *kind = "", *cgroup;
static char probe[4096];
static struct page *page;
static int ready[2];

/* a run of an init, and what is needed until it is over */
struct run {
	pid_t pid;
	int gate;		/* a byte to it starts the init */
	int mounts;		/* so that it isn't the init's end that takes them down */
};

static uint64_t
clock_ns(clockid_t clock)
{
	struct timespec now = {0};

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* what a process, a zombie too, has used of the CPU; the kernel's number for its clock */
static uint64_t
cpu_ns(pid_t pid)
{
	return clock_ns((clockid_t)((~(unsigned)pid) << 3 | 2));
}

static void
add(struct init *init, enum what what, double value)
{
	struct series *s = &init->series[what];

	if (s->count == s->size) {
		s->size = s->size ? 2 * s->size : 64;
		s->value = realloc(s->value, s->size * sizeof *s->value);
		if (!s->value)
			err(1, "memory");
	}
	s->value[s->count++] = value;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print_series(const struct init *init, const char *what, const char *unit, double *value, size_t n)
{
	char cases[64];

	snprintf(cases, sizeof cases, "%s%s%d", kind, *kind ? " " : "", number);
	qsort(value, n, sizeof *value, compare);
	printf("%s\t%s\t%s\t%s\t%s\t%zu\t%.6g\t%.6g\t%.6g\n", test, cases, init->name, what, unit, n,
	       value[n / 4], value[n / 2], value[n - 1 - n / 4]);
}

static void
print_all(void)
{
	const struct series *bare;

	/* before the values are sorted */
	for (int i = 1; i < init_count; i++) {
		for (int k = 0; k < KINDS; k++) {
			const struct series *s = &inits[i].series[k];
			double over[s->count + 1];
			char name[32];

			bare = &inits[0].series[k];
			if (*inits[0].word[0] || !kinds[k].over || !s->count || bare->count != s->count)
				continue;
			for (size_t n = 0; n < s->count; n++)
				over[n] = s->value[n] - bare->value[n];
			snprintf(name, sizeof name, "%s over", kinds[k].name);
			print_series(&inits[i], name, kinds[k].unit, over, s->count);
		}
	}
	for (int i = 0; i < init_count; i++)
		for (int k = 0; k < KINDS; k++)
			if (inits[i].series[k].count)
				print_series(&inits[i], kinds[k].name, kinds[k].unit, inits[i].series[k].value, inits[i].series[k].count);
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char file[4096];
	int fd;

	snprintf(file, sizeof file, "%s/%s", dir, name);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", file);
	close(fd);
}

/* becomes the init, in its namespace; its words, then the program and its arguments */
static _Noreturn void
become(struct init *init, char **program, bool own_proc, int gate)
{
	static char *environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", NULL};
	char *argv[MAX_WORDS + 16], none;
	int n = 0;

	if (*init->word[0])
		for (int i = 0; i < init->words; i++)
			argv[n++] = init->word[i];
	while (*program)
		argv[n++] = *program++;
	argv[n] = NULL;
	setsid();
	if (cgroup)
		write_file(cgroup, "cgroup.procs", "0");
	if (own_proc && (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("proc", "/proc", "proc", 0, NULL) < 0))
		err(1, "/proc");
	if (write(READY_FD, "", 1) < 0 || read(gate, &none, 1) < 0)
		err(1, "go");
	page->exec = clock_ns(CLOCK_MONOTONIC);
	execve(argv[0], argv, environment);
	err(1, "%s", argv[0]);
}

/* a byte that the program, or the child that becomes the init, wrote */
static bool
is_ready(int limit_ms)
{
	struct pollfd wait = {.fd = ready[0], .events = POLLIN};
	char byte;
	int n;

	while ((n = poll(&wait, 1, limit_ms)) < 0 && errno == EINTR)
		;
	return n > 0 && read(ready[0], &byte, 1) == 1;
}

static void
expect_ready(const struct init *init)
{
	if (!is_ready(LIMIT_MS))
		errx(1, "%s: %s: the program doesn't answer", test, init->name);
}

/* all but the init's exec; own_proc: with a /proc of its namespace, as in a container */
static struct run
get_set(struct init *init, bool own_proc, char **program)
{
	unsigned long flags = CLONE_NEWPID | (own_proc ? CLONE_NEWNS : 0) | SIGCHLD;
	struct run r = {.mounts = -1};
	char file[64];
	int gate[2];

	if (pipe2(gate, O_CLOEXEC) < 0)
		err(1, "pipe");
	r.pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
	if (r.pid < 0)
		err(1, "clone");
	if (r.pid == 0)
		become(init, program, own_proc, gate[0]);
	r.gate = gate[1];
	close(gate[0]);
	expect_ready(init);
	if (own_proc) {
		snprintf(file, sizeof file, "/proc/%d/ns/mnt", (int)r.pid);
		r.mounts = open(file, O_RDONLY | O_CLOEXEC);
	}
	return r;
}

static void
go(struct run *r)
{
	if (write(r->gate, "", 1) < 0)
		err(1, "go");
	close(r->gate);
}

static struct run
run(struct init *init, bool own_proc, char **program)
{
	struct run r;

	*page = (struct page){0};
	r = get_set(init, own_proc, program);
	go(&r);
	return r;
}

#define RUN(init, own_proc, ...) run(init, own_proc, (char *[]){__VA_ARGS__, NULL})

/* waits for the init's end and returns the time of it, and its CPU time */
static uint64_t
finish(struct run *r, uint64_t *cpu)
{
	siginfo_t info;
	uint64_t end;

	if (waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOWAIT) < 0)
		err(1, "wait");
	end = clock_ns(CLOCK_MONOTONIC);
	if (cpu)
		*cpu = cpu_ns(r->pid);
	waitpid(r->pid, NULL, 0);
	if (r->mounts >= 0)
		close(r->mounts);
	return end;
}

static void
end_run(struct run *r)
{
	kill(r->pid, SIGKILL);
	finish(r, NULL);
	while (is_ready(0))	/* what nobody asked for any more */
		;
}

static double
us(uint64_t from, uint64_t to)
{
	return (double)(int64_t)(to - from) / 1000;
}

static void
start(struct init *init)
{
	struct run r = RUN(init, false, probe, "once");
	uint64_t end = finish(&r, NULL);

	if (!page->first)
		errx(1, "%s: the program didn't run", init->name);
	add(init, START, us(page->exec, page->first));
	add(init, END, us(page->last, end));
}

/* one at a time: sent, taken and told before the next */
static void
signals(struct init *init)
{
	struct run r = RUN(init, true, probe, "signals", "1");
	struct series one = {.value = calloc((size_t)number, sizeof(double))};
	uint64_t sent, before = 0;

	expect_ready(init);
	for (int i = -number / 10; i < number; i++) {
		if (i <= 0)
			before = cpu_ns(r.pid);
		sent = clock_ns(CLOCK_MONOTONIC);
		kill(r.pid, SIGUSR1);
		expect_ready(init);
		if (i >= 0)
			one.value[one.count++] = us(sent, page->last);
	}
	if (*init->word[0])
		add(init, CPU, us(before, cpu_ns(r.pid)) / number);
	qsort(one.value, one.count, sizeof(double), compare);
	add(init, LATENCY, one.value[one.count / 2]);
	free(one.value);
	end_run(&r);
}

/* real-time signals as fast as they can be sent */
static void
flood(struct init *init)
{
	bool payload = strcmp(kind, "payload") == 0;
	struct run r;
	uint64_t before, count;
	char each[16];
	bool told;

	snprintf(each, sizeof each, "%d", number);
	r = RUN(init, true, probe, "signals", each);
	expect_ready(init);
	before = cpu_ns(r.pid);
	for (int i = 0; i < number;) {
		if ((payload ? sigqueue(r.pid, SIGRTMIN + 1, (union sigval){.sival_int = i}) : kill(r.pid, SIGRTMIN + 1)) == 0)
			i++;
		else if (errno == EAGAIN)
			sched_yield();
		else
			err(1, "%s", init->name);
	}
	do {	/* all are there, or no more come */
		count = page->count;
		told = is_ready(1000);
	} while (!told && page->count != count);
	if (*init->word[0])
		add(init, CPU, us(before, cpu_ns(r.pid)) / number);
	add(init, ARRIVED, (double)page->count);
	if (payload)
		add(init, INTACT, (double)page->intact);
	end_run(&r);
}

/* the number behind the key at a line's start in a file of /proc */
static long
field(pid_t pid, const char *name, const char *key)
{
	char file[64], line[512];
	long value = 0;
	FILE *f;

	snprintf(file, sizeof file, "/proc/%d/%s", (int)pid, name);
	f = fopen(file, "re");
	if (!f)
		err(1, "%s", file);
	while (fgets(line, sizeof line, f))
		if (strncmp(line, key, strlen(key)) == 0 && sscanf(line + strlen(key), ":%ld", &value) == 1)
			break;
	fclose(f);
	return value;
}

static long
wakes(pid_t pid)
{
	return field(pid, "status", "voluntary_ctxt_switches") + field(pid, "status", "nonvoluntary_ctxt_switches");
}

static int
zombies_of(pid_t parent)
{
	char command[128];
	int count = 0;
	FILE *f;

	snprintf(command, sizeof command, "ps --no-headers --ppid %d -o state= | grep -c Z", (int)parent);
	f = popen(command, "re");
	if (!f || fscanf(f, "%d", &count) != 1)
		err(1, "ps");
	pclose(f);
	return count;
}

static void
reap(struct init *init)
{
	bool burst = strcmp(kind, "burst") == 0;
	char count[16], repeat[16];
	uint64_t before;
	struct run r;

	snprintf(count, sizeof count, "%d", number);
	snprintf(repeat, sizeof repeat, "%d", times);
	r = RUN(init, true, probe, burst ? "burst" : "each", count, repeat);
	expect_ready(init);
	before = cpu_ns(r.pid);
	page->go = 1;
	expect_ready(init);
	add(init, ZOMBIES, page->all_reaped ? 0 : zombies_of(r.pid));
	add(init, CPU, us(before, cpu_ns(r.pid)) / number / times);
	end_run(&r);
}

/* behind a shell that dies of the signal; negative: the application was cut short */
static void
stop(struct init *init)
{
	char command[4200];
	struct run r;
	uint64_t end;

	snprintf(command, sizeof command, "%s app; true", probe);
	r = RUN(init, true, "/bin/sh", "-c", command);
	expect_ready(init);
	kill(r.pid, SIGTERM);
	end = finish(&r, NULL);
	add(init, END, page->last ? us(page->last, end) : -1);
}

static void
drain(struct init *init)
{
	char count[16];
	uint64_t end, cpu;
	struct run r;

	snprintf(count, sizeof count, "%d", number);
	r = RUN(init, true, probe, "leave", count);
	end = finish(&r, &cpu);
	add(init, END, us(page->last, end));
	add(init, CPU, (double)cpu / 1000);
}

static void
memory(struct init *init, pid_t pid)
{
	add(init, RESIDENT, (double)field(pid, "smaps_rollup", "Rss"));
	add(init, PROPORTIONAL, (double)field(pid, "smaps_rollup", "Pss"));
	add(init, ANONYMOUS, (double)field(pid, "smaps_rollup", "Anonymous"));
	add(init, TABLES, (double)field(pid, "status", "VmPTE"));
}

/* all side by side, since it takes long */
static void
idle(void)
{
	int count = rounds * init_count;
	struct run *r = calloc((size_t)count, sizeof *r);
	long *woken = calloc((size_t)count, sizeof *woken);
	uint64_t *cpu = calloc((size_t)count, sizeof *cpu);
	struct timespec settle = {.tv_sec = SETTLE_MS / 1000}, wait = {.tv_sec = times};

	for (int i = 0; i < count; i++) {
		r[i] = RUN(&inits[i % init_count], true, probe, "idle");
		expect_ready(&inits[i % init_count]);
	}
	nanosleep(&settle, NULL);
	for (int i = 0; i < count; i++) {
		woken[i] = wakes(r[i].pid);
		cpu[i] = cpu_ns(r[i].pid);
	}
	nanosleep(&wait, NULL);
	for (int i = 0; i < count; i++) {
		struct init *init = &inits[i % init_count];

		add(init, WAKES, (double)(wakes(r[i].pid) - woken[i]));
		add(init, CPU, us(cpu[i], cpu_ns(r[i].pid)));
		memory(init, r[i].pid);
	}
	for (int i = 0; i < count; i++)
		end_run(&r[i]);
	free(r);
	free(woken);
	free(cpu);
}

/* what the kernel charges the cgroup for, in kB; -1: not to be had */
static double
charged(const char *v1, const char *v2, const char *key)
{
	char file[4096], line[256];
	double value = -1;
	FILE *f;

	if (!cgroup)
		return value;
	snprintf(file, sizeof file, "%s/%s", cgroup, v1);
	f = fopen(file, "re");
	if (f) {
		key = "";
	} else {
		snprintf(file, sizeof file, "%s/%s", cgroup, v2);
		f = fopen(file, "re");
	}
	while (f && value < 0 && fgets(line, sizeof line, f))
		if (strncmp(line, key, strlen(key)) == 0)
			value = atof(line + strlen(key)) / 1024;
	if (f)
		fclose(f);
	return value;
}

/* so many at once: until the last one's program runs, and what they hold then, for each */
static void
fleet(struct init *init)
{
	struct run *r = calloc((size_t)number, sizeof *r);
	double used = charged("memory.usage_in_bytes", "memory.current", "");
	double kernel = charged("memory.kmem.usage_in_bytes", "memory.stat", "kernel ");
	uint64_t begin;
	long sum = 0;

	for (int i = 0; i < number; i++)
		r[i] = get_set(init, false, (char *[]){probe, "idle", NULL});
	begin = clock_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < number; i++)
		go(&r[i]);
	for (int i = 0; i < number; i++)
		expect_ready(init);
	add(init, START, us(begin, clock_ns(CLOCK_MONOTONIC)) / number);
	for (int i = 0; i < number; i++)
		sum += field(r[i].pid, "smaps_rollup", "Pss");
	add(init, PROPORTIONAL, (double)sum / number);
	/* the kernel counts in batches: too coarse for a few */
	if (used >= 0 && number >= 100)
		add(init, CHARGED, (charged("memory.usage_in_bytes", "memory.current", "") - used) / number);
	if (kernel >= 0 && number >= 100)
		add(init, KERNEL, (charged("memory.kmem.usage_in_bytes", "memory.stat", "kernel ") - kernel) / number);
	for (int i = 0; i < number; i++)
		end_run(&r[i]);
	free(r);
}

static void
all_in_turn(void (*measure)(struct init *))
{
	int order[MAX_INITS], other, swap;

	for (int i = 0; i < init_count; i++)
		order[i] = i;
	for (int round = 0; round < rounds; round++) {
		for (int i = init_count - 1; i > 0; i--) {
			other = (int)(random() % (i + 1));
			swap = order[i];
			order[i] = order[other];
			order[other] = swap;
		}
		for (int i = 0; i < init_count; i++)
			measure(&inits[order[i]]);
	}
}

/* On one CPU nothing depends on which other one is awake, and by this order of precedence not
 * on who else wants it. */
static void
take_cpu(void)
{
	struct sched_param first = {.sched_priority = 1};
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof set, &set) < 0 || sched_setscheduler(0, SCHED_FIFO, &first) < 0)
		warn("other load will be felt");
}

static void
prepare(const char *self)
{
	const char *slash = strrchr(self, '/');
	struct rlimit files = {4096, 4096};
	int page_fd;

	snprintf(probe, sizeof probe, "%.*sprobe", slash ? (int)(slash - self) + 1 : 0, self);
	page_fd = memfd_create("page", MFD_CLOEXEC);
	if (page_fd < 0 || ftruncate(page_fd, 4096) < 0 || pipe2(ready, O_CLOEXEC) < 0)
		err(1, "memory");
	ready[0] = fcntl(ready[0], F_DUPFD_CLOEXEC, READY_FD + 1);
	ready[1] = fcntl(ready[1], F_DUPFD, READY_FD + 1);
	page_fd = fcntl(page_fd, F_DUPFD, READY_FD + 1);
	dup2(page_fd, PAGE_FD);		/* these two are for the programs */
	dup2(ready[1], READY_FD);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0);
	if (page == MAP_FAILED)
		err(1, "memory");
	setrlimit(RLIMIT_NOFILE, &files);
	srandom((unsigned)clock_ns(CLOCK_MONOTONIC));
}

static void
add_init(char *word)
{
	struct init *init = &inits[init_count++];
	char *command = strchr(word, '=');

	if (!command || init_count > MAX_INITS)
		errx(1, "%s: not NAME=COMMAND", word);
	*command++ = '\0';
	init->name = word;
	init->word[0] = command;
	for (char *next = strtok(command, " "); next && init->words < MAX_WORDS; next = strtok(NULL, " "))
		init->word[init->words++] = next;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*measure)(struct init *);
		bool alone;
	} tests[] = {
		{"start", start, true}, {"signal", signals, true}, {"flood", flood, true},
		{"reap", reap, true}, {"stop", stop, true}, {"drain", drain, false},
		{"idle", NULL, false}, {"fleet", fleet, false},
	};
	int option;

	while ((option = getopt(argc, argv, "r:n:t:k:c:")) > 0) {
		switch (option) {
		case 'r': rounds = atoi(optarg); break;
		case 'n': number = atoi(optarg); break;
		case 't': times = atoi(optarg); break;
		case 'k': kind = optarg; break;
		case 'c': cgroup = optarg; break;
		default: return 1;
		}
	}
	if (argc - optind < 2)
		errx(1, "usage: measure [OPTION]... TEST NAME=COMMAND...");
	test = argv[optind++];
	while (optind < argc)
		add_init(argv[optind++]);
	prepare(argv[0]);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
		if (strcmp(test, tests[i].name) != 0)
			continue;
		if (tests[i].alone)
			take_cpu();
		if (tests[i].measure)
			all_in_turn(tests[i].measure);
		else
			idle();
		print_all();
		return 0;
	}
	errx(1, "%s: no such test", test);
}
