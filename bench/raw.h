/*
 * raw.h: what a program without a C library needs, on amd64.
 * SPDX-License-Identifier: MIT
 */
#ifndef RAW_H
#define RAW_H

#include <asm/unistd.h>
#include <linux/sched.h>
#include <linux/time.h>
#include <stddef.h>
#include <stdint.h>

/* the first instruction; the stack holds argc, argv, environment */
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start\n");
_Noreturn void start(long *stack);

static inline long
call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall" : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

static inline _Noreturn void
leave(int status)
{
	for (;;)
		call(__NR_exit_group, status, 0, 0, 0);
}

static inline uint64_t
now_ns(void)
{
	struct __kernel_timespec now;

	call(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, (long)&now, 0, 0);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

#endif
