/*
 * probe.c: the program under the init. No C library, so that what is measured is the init.
 * SPDX-License-Identifier: MIT
 *
 * usage: probe			exits
 *        probe once		notes the time of its first and, 5 ms later, of its last instruction
 *        probe idle		does nothing
 *        probe signals N	waits for signals, and tells after each N; ends at SIGTERM
 *        probe burst N TIMES	leaves N processes that end together, TIMES times
 *        probe each N TIMES	leaves N processes that end one by one, TIMES times
 *        probe app		takes 20 ms to end at SIGTERM
 *        probe leave N		leaves N processes behind that end at SIGTERM, and exits
 */
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/mman.h>

#include "page.h"
#include "raw.h"

static struct page *page;

static void
tell(void)
{
	call(__NR_write, READY_FD, (long)"", 1, 0);
}

static void
sleep_ms(long ms)
{
	struct __kernel_timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	call(__NR_nanosleep, (long)&time, 0, 0, 0);
}

/* raw, since a call with six arguments is needed once */
static void
map_page(void)
{
	register long r10 __asm__("r10") = MAP_SHARED, r8 __asm__("r8") = PAGE_FD, r9 __asm__("r9") = 0;
	long at;

	__asm__ volatile("syscall" : "=a"(at)
			 : "a"(__NR_mmap), "D"(0L), "S"(4096L), "d"(PROT_READ | PROT_WRITE), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	page = (struct page *)at;
}

static void
block_all(void)
{
	uint64_t all = ~0UL;

	call(__NR_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, sizeof all);
}

static int
wait_signal(siginfo_t *info)
{
	uint64_t all = ~0UL;

	return (int)call(__NR_rt_sigtimedwait, (long)&all, (long)info, 0, sizeof all);
}

/* A process that makes one call and exits. It shares the memory, since a copy would take most
 * of the time, and so it stays in registers. */
static long
child(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long pid;

	__asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\t"
			 "mov %[number], %%rax\n\tmov %[a], %%rdi\n\tmov %[b], %%rsi\n\tsyscall\n\t"
			 "mov %[exit], %%eax\n\tsyscall\n1:"
			 : "=a"(pid)
			 : "a"(__NR_clone), "D"((long)CLONE_VM | SIGCHLD), "S"(0L), "d"(c), "r"(r10),
			   [number] "r"(number), [a] "r"(a), [b] "r"(b), [exit] "i"(__NR_exit)
			 : "rcx", "r11", "memory");
	return pid;
}

static void
signals(uint64_t each)
{
	siginfo_t info;
	int sig;

	block_all();
	tell();
	while ((sig = wait_signal(&info)) != SIGTERM) {
		if (sig < 0 || sig == SIGCONT)
			continue;
		page->last = now_ns();
		if (info.si_code == SI_QUEUE && (uint64_t)info.si_int == page->count)
			page->intact++;
		if (++page->count % each == 0)
			tell();
	}
}

/* makes count processes by a parent that ends, so that they are orphans; they wait for the
 * gate's other end to be closed, or for nothing */
static void
orphans(long count, const int *gate)
{
	long pid = call(__NR_fork, 0, 0, 0, 0);
	char none;

	if (pid == 0) {
		if (gate)
			call(__NR_close, gate[1], 0, 0, 0);
		while (count--)
			child(gate ? __NR_read : __NR_getpid, gate ? gate[0] : 0, (long)&none, 1, 0);
		leave(0);
	}
	call(__NR_wait4, pid, 0, 0, 0);
}

/* until the namespace has no process but this one and PID 1; zombies count */
static void
wait_reaped(void)
{
	page->all_reaped = 0;
	for (int tries = 0; tries < 5000 && !page->all_reaped; tries++) {
		if (call(__NR_kill, -1, 0, 0, 0) < 0)
			page->all_reaped = 1;
		else
			sleep_ms(1);
	}
}

static void
burst(long count)
{
	int gate[2];

	call(__NR_pipe, (long)gate, 0, 0, 0);
	orphans(count, gate);
	call(__NR_close, gate[0], 0, 0, 0);
	call(__NR_close, gate[1], 0, 0, 0);
	wait_reaped();
}

static void
stream(long count)
{
	while (count--)
		orphans(1, NULL);
	wait_reaped();
}

static _Noreturn void
idle(void)
{
	tell();
	for (;;)
		call(__NR_pause, 0, 0, 0, 0);
}

static _Noreturn void
leave_orphans(void (*make)(long), long count, long times)
{
	tell();
	while (!page->go)
		sleep_ms(1);
	while (times--)
		make(count);
	idle();
}

/* each in a group of its own, and with its own memory: the kernel's end of one that shares it
 * looks for all others */
static void
leave_behind(long count)
{
	siginfo_t info;

	block_all();
	while (count--) {
		if (call(__NR_fork, 0, 0, 0, 0) == 0) {
			call(__NR_setpgid, 0, 0, 0, 0);
			while (wait_signal(&info) != SIGTERM)
				;
			leave(0);
		}
	}
}

static void
app(void)
{
	siginfo_t info;

	block_all();
	tell();
	while (wait_signal(&info) != SIGTERM)
		;
	sleep_ms(20);
}

static long
number(const char *word)
{
	long n = 0;

	while (word && *word)
		n = n * 10 + (*word++ - '0');
	return n;
}

_Noreturn void
start(long *stack)
{
	uint64_t first = now_ns();
	char **argv = (char **)stack + 1;
	long count = stack[0] > 2 ? number(argv[2]) : 1, times = stack[0] > 3 ? number(argv[3]) : 1;

	if (stack[0] < 2)
		leave(0);
	map_page();
	page->first = first;
	switch (argv[1][0]) {
	case 'i': idle();
	case 's': signals((uint64_t)count); break;
	case 'b':
	case 'e': leave_orphans(argv[1][0] == 'b' ? burst : stream, count, times);
	case 'o': sleep_ms(5); break;	/* the init has settled */
	case 'a': app(); break;
	case 'l': leave_behind(count); break;
	}
	page->last = now_ns();
	leave(0);
}
