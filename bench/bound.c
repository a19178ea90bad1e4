/*
 * bound.c: the least that an init can do: block signals, start a program, pass signals on, reap,
 * leave with the program's status. No C library, no options, no care.
 * SPDX-License-Identifier: MIT
 */
#include "raw.h"

enum { CHLD = 17, SETMASK = 2, NOHANG = 1 };

_Noreturn void
start(long *stack)
{
	char **argv = (char **)stack + 1, **environment = argv + stack[0] + 1;
	uint64_t all = ~0UL, old;
	long program, pid, sig;
	int status;

	call(__NR_rt_sigprocmask, SETMASK, (long)&all, (long)&old, sizeof old);
	program = call(__NR_vfork, 0, 0, 0, 0);
	if (program == 0) {
		call(__NR_rt_sigprocmask, SETMASK, (long)&old, 0, sizeof old);
		call(__NR_execve, (long)argv[1], (long)(argv + 1), (long)environment, 0);
		leave(127);
	}
	for (;;) {
		sig = call(__NR_rt_sigtimedwait, (long)&all, 0, 0, sizeof all);
		if (sig != CHLD) {
			call(__NR_kill, program, sig, 0, 0);
			continue;
		}
		while ((pid = call(__NR_wait4, -1, (long)&status, NOHANG, 0)) > 0)
			if (pid == program)
				leave(status & 0x7f ? 128 + (status & 0x7f) : status >> 8);
	}
}
