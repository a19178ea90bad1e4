/*
 * steps.c: counts the instructions and system calls of an init, one step at a time.
 * SPDX-License-Identifier: MIT
 *
 * usage: steps [-p] INIT [ARG...]
 * Prints what it executes in user space from its exec to the program's exec ("start"), and from
 * the program's end to its own ("end"; what it does meanwhile is in there). It is PID 1 of a
 * fresh namespace and has no terminal. -p: the address of each instruction until the program's
 * exec instead, from the start of the binary.
 *
 * A counter of the CPU's can't be had in every machine, and an emulator doesn't know a child
 * that shares its parent's memory; the kernel's single step is exact everywhere.
 */
#define _GNU_SOURCE
#include <err.h>
#include <elf.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENDED = -1 };

static bool print_each;
static unsigned long base;

static const char *const names[] = {
#include "bin/names.h"
};

struct count {
	long instructions;
	long calls[sizeof names / sizeof *names];
};

static struct user_regs_struct
registers(pid_t pid)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
		err(1, "ptrace");
	return regs;
}

/* runs pid by request until the kernel has something to say: an event or ENDED; 0 is a step */
static int
next(enum __ptrace_request request, pid_t pid, int *sig)
{
	int status, event;

	if (ptrace(request, pid, NULL, (long)*sig) < 0)
		err(1, "ptrace");
	*sig = 0;
	if (waitpid(pid, &status, __WALL) < 0)
		err(1, "wait");
	if (!WIFSTOPPED(status))
		return ENDED;
	event = status >> 16;
	if (event == 0 && WSTOPSIG(status) != SIGTRAP)
		*sig = WSTOPSIG(status);
	return event;
}

static bool
is_call(pid_t pid, unsigned long at)
{
	return (ptrace(PTRACE_PEEKTEXT, pid, at, NULL) & 0xffff) == 0x050f;
}

static void
add(struct count *count, const struct user_regs_struct *at, bool is_call)
{
	if (print_each)
		printf("%llx\n", at->rip - base);
	count->instructions++;
	if (is_call && at->rax < sizeof names / sizeof *names)
		count->calls[at->rax]++;
}

/* adds what pid executes until the next event, and returns that */
static int
step(pid_t pid, struct count *count)
{
	struct user_regs_struct before = registers(pid), now;
	int sig = 0, event;

	while ((event = next(PTRACE_SINGLESTEP, pid, &sig)) == 0) {
		now = registers(pid);
		if (now.rip == before.rip || sig)	/* a repeated string instruction is one */
			continue;
		/* a call leaves the address behind it in rcx */
		add(count, &before, now.rcx == before.rip + 2 && is_call(pid, before.rip));
		before = now;
	}
	add(count, &before, true);	/* nothing else causes an event */
	return event;
}

static void
print(const char *phase, const struct count *count)
{
	printf("%s\tinstructions\t%ld\n", phase, count->instructions);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (count->calls[i])
			printf("%s\t%s\t%ld\n", phase, names[i], count->calls[i]);
}

static void
expect(int event, int wanted, const char *what)
{
	if (event != wanted)
		errx(1, "%s: got event %d", what, event);
}

/* A newer kernel tells each process more about itself, and libc reads all of it; what not every
 * kernel tells is taken out, so that the count is the same on all. getauxval(3) */
static void
trim_auxv(pid_t pid)
{
	unsigned long at = (unsigned long)ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rsp), NULL);
	unsigned long to, type;

	at += 8 * (2 + (unsigned long)ptrace(PTRACE_PEEKDATA, pid, at, NULL));
	while (ptrace(PTRACE_PEEKDATA, pid, at, NULL))
		at += 8;
	at += 8;
	for (to = at;; at += 16) {
		type = (unsigned long)ptrace(PTRACE_PEEKDATA, pid, at, NULL);
		if (type == AT_PHDR)	/* they follow the header */
			base = (unsigned long)ptrace(PTRACE_PEEKDATA, pid, at + 8, NULL) - sizeof(Elf64_Ehdr);
		if (type > AT_RANDOM && type != AT_EXECFN && type != AT_SYSINFO_EHDR)
			continue;
		ptrace(PTRACE_POKEDATA, pid, to, type);
		ptrace(PTRACE_POKEDATA, pid, to + 8, ptrace(PTRACE_PEEKDATA, pid, at + 8, NULL));
		to += 16;
		if (type == AT_NULL)
			return;
	}
}

int
main(int argc, char **argv)
{
	long options = PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		       PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
	unsigned long child = 0;
	static struct count start, end;
	int go[2], event, status, sig = 0;
	pid_t init;
	char none;

	if (argc > 1 && strcmp(argv[1], "-p") == 0) {
		print_each = true;
		argv++;
	}
	if (!argv[1])
		errx(1, "usage: steps [-p] INIT [ARG...]");
	alarm(60);
	if (pipe(go) < 0)
		err(1, "pipe");
	init = (pid_t)syscall(SYS_clone, CLONE_NEWPID | (geteuid() ? CLONE_NEWUSER : 0) | SIGCHLD, NULL, NULL, NULL, NULL);
	if (init < 0)
		err(1, "clone");
	if (init == 0) {
		close(go[1]);
		if (read(go[0], &none, 1) < 0)
			err(1, "read");
		close(go[0]);
		setsid();
		execv(argv[1], argv + 1);
		err(1, "%s", argv[1]);
	}
	close(go[0]);
	if (ptrace(PTRACE_SEIZE, init, NULL, options) < 0)
		err(1, "ptrace");
	close(go[1]);
	if (waitpid(init, &status, __WALL) < 0 || !WIFSTOPPED(status))
		errx(1, "%s: not started", argv[1]);
	expect(status >> 16, PTRACE_EVENT_EXEC, argv[1]);
	trim_auxv(init);

	event = step(init, &start);
	if (event != PTRACE_EVENT_FORK && event != PTRACE_EVENT_VFORK)
		expect(event, PTRACE_EVENT_CLONE, "start");
	if (ptrace(PTRACE_GETEVENTMSG, init, NULL, &child) < 0 || waitpid((pid_t)child, NULL, __WALL) < 0)
		err(1, "the program");
	expect(step((pid_t)child, &start), PTRACE_EVENT_EXEC, "the program's start");
	while (next(PTRACE_CONT, (pid_t)child, &sig) != ENDED)
		;
	if (print_each)
		return 0;
	expect(step(init, &end), ENDED, "end");
	print("start", &start);
	print("end", &end);
	return 0;
}
