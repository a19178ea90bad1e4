/*
 * probe.c: the program under the init. No C library, so that what is measured is the init.
 * SPDX-License-Identifier: MIT
 *
 * usage: probe			exits
 *        probe once		notes the time of its first and of its last instruction
 *        probe idle		does nothing
 *        probe signals N	waits for signals, and tells after each N; ends at SIGTERM
 *        probe orphans N TIMES	leaves N processes that end together, TIMES times
 *        probe stream N	leaves N processes that end one by one
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

static long
fork_one(void)
{
	return call(__NR_fork, 0, 0, 0, 0);
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
	long middle;
	char none;

	call(__NR_pipe, (long)gate, 0, 0, 0);
	middle = fork_one();
	if (middle == 0) {
		call(__NR_close, gate[1], 0, 0, 0);
		while (count--) {
			if (fork_one() == 0) {
				call(__NR_read, gate[0], (long)&none, 1, 0);
				leave(0);
			}
		}
		leave(0);
	}
	call(__NR_wait4, middle, 0, 0, 0);
	call(__NR_close, gate[0], 0, 0, 0);
	call(__NR_close, gate[1], 0, 0, 0);	/* nobody holds it any more: all end */
	wait_reaped();
}

static void
stream(long count)
{
	long middle;

	while (count--) {
		middle = fork_one();
		if (middle == 0) {
			if (fork_one() == 0)
				leave(0);
			leave(0);
		}
		call(__NR_wait4, middle, 0, 0, 0);
	}
	wait_reaped();
}

static void
leave_behind(long count)
{
	siginfo_t info;

	block_all();
	while (count--) {
		if (fork_one() == 0) {
			call(__NR_setsid, 0, 0, 0, 0);
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
	case 'i':
		tell();
		for (;;)
			call(__NR_pause, 0, 0, 0, 0);
	case 's':
		if (argv[1][1] == 'i')
			signals((uint64_t)count);
		else
			stream(count);
		break;
	case 'o':
		if (argv[1][1] == 'r')
			while (times--)
				burst(count);
		break;
	case 'a': app(); break;
	case 'l': leave_behind(count); break;
	}
	page->last = now_ns();
	leave(0);
}
